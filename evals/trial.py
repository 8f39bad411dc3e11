"""One try of a desk on a case: what it decided, what came of it, and all that was said on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from time import monotonic, perf_counter
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter

from agents.llm import Complete, Completion, CompletionRequest
from agents.talk import Said, talk
from agents.turn import CallLog
from evals.alterations import Altered, parse_alterations
from evals.case import Case
from evals.question import Question
from evals.stage import Conditions, Stage
from evals.variant import Variant
from graphs import DeskGraph, facts_of
from trading.domain import Decision, DecisionStatus, Verdict
from trading.domain.errors import ModelFailure

RECALL_TOLERANCE = 0.005
"""A stated price counts as recalled within this fraction of the true one."""

_N = TypeVar("_N", int, float)

_DECISION = TypeAdapter(Decision)
_VERDICTS = TypeAdapter(tuple[Verdict, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a role: the messages it was sent last, and every text it answered, in order."""

    role: str
    messages: tuple[Mapping[str, Any], ...]
    answers: tuple[str, ...]

    @property
    def tool_results(self) -> tuple[str, ...]:
        """What its tools answered."""
        return tuple(str(one["content"]) for one in self.messages if one.get("role") == "tool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a desk did with a case and what came of it.

    ``returned`` and ``returned_holding`` are the account's simple returns over the horizon, after costs, with the
    decision carried out and without it; ``outcomes`` holds the price return that each forecast of the decision was
    about, None where its horizon is longer than the case's. All are fractions. ``latency_ms`` was measured by the wall
    clock. The answer to a question stands as the rationale of a decision to hold; ``truth`` is the number it asks for,
    ``chance`` how often a guess would hit it.
    """

    decision: Decision
    verdicts: tuple[Verdict, ...]
    returned: float
    returned_holding: float
    outcomes: tuple[float | None, ...]
    turns: tuple[Turn, ...]
    latency_ms: float = 0.0
    truth: float | None = None
    chance: float | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the desk came to a decision at all."""
        return self.decision.status is not DecisionStatus.ABSTAINED

    @property
    def tokens(self) -> tuple[int | None, int | None]:
        """Tokens read and written, None where any call's is not known."""
        calls = self.decision.model_calls
        return _sum([call.tokens_in for call in calls]), _sum([call.tokens_out for call in calls])

    @property
    def usd(self) -> float | None:
        """Dollars paid, None where any call's price is not known."""
        return _sum([call.usd for call in self.decision.model_calls])

    def to_bytes(self) -> bytes:
        """The trial as JSON."""
        return orjson.dumps(
            {
                "decision": _DECISION.dump_python(self.decision, mode="json"),
                "verdicts": _VERDICTS.dump_python(self.verdicts, mode="json"),
                "returned": self.returned,
                "returned_holding": self.returned_holding,
                "outcomes": self.outcomes,
                "turns": [
                    {"role": turn.role, "messages": turn.messages, "answers": turn.answers} for turn in self.turns
                ],
                "latency_ms": self.latency_ms,
                "truth": self.truth,
                "chance": self.chance,
            },
            option=orjson.OPT_SERIALIZE_NUMPY,
        )

    @classmethod
    def from_bytes(cls, text: bytes) -> "Trial":
        """The trial that :meth:`to_bytes` wrote."""
        found = orjson.loads(text)
        return cls(
            decision=_DECISION.validate_python(found["decision"]),
            verdicts=_VERDICTS.validate_python(found["verdicts"]),
            returned=found["returned"],
            returned_holding=found["returned_holding"],
            outcomes=tuple(found["outcomes"]),
            turns=tuple(
                Turn(role=turn["role"], messages=tuple(turn["messages"]), answers=tuple(turn["answers"]))
                for turn in found["turns"]
            ),
            latency_ms=found["latency_ms"],
            truth=found.get("truth"),
            chance=found.get("chance"),
        )


def _sum(values: Sequence[_N | None]) -> _N | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


@dataclass(slots=True)
class Recorder:
    """A link in the chain to the models that keeps every conversation."""

    inner: Complete
    turns: list[tuple[str, Sequence[Mapping[str, Any]], list[str]]] = field(default_factory=list)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Ask ``inner`` and keep what was said."""
        answers = self._answers(request)
        completion = await self.inner(request)
        if completion.content:
            answers.append(completion.content)
        return completion

    def taken(self) -> tuple[Turn, ...]:
        """Every turn so far."""
        return tuple(
            Turn(role=role, messages=tuple(messages), answers=tuple(answers)) for role, messages, answers in self.turns
        )

    def _answers(self, request: CompletionRequest) -> list[str]:
        # A turn's messages are one list that grows, so the list itself tells turns of the same role apart.
        for _, messages, answers in self.turns:
            if messages is request.messages:
                return answers
        self.turns.append((request.metadata.get("role", ""), request.messages, []))
        return self.turns[-1][2]


async def try_case(
    case: Case, variant: Variant, conditions: Conditions, complete: Complete, *, epoch: int = 0, attempt: int = 0
) -> Trial:
    """Let ``variant`` decide in ``case`` and follow what comes of it to the end of the horizon, or answer its question.

    Raises DataError or ConfigError for a case that cannot be staged. A failing model is an abstention.
    """
    recorder = Recorder(complete)
    edits = parse_alterations(case.alters).edits
    road = Altered(recorder.complete, edits).complete if edits else recorder.complete
    if case.question is not None:
        return await _answer(case, case.question, variant, conditions, recorder, road, epoch=epoch, attempt=attempt)
    acting, waiting = Stage(case, variant.name, conditions), Stage(case, variant.name, conditions)
    before = acting.equity
    team = variant.team(epoch, remembers=case.memory is not None)
    started = perf_counter()
    decision = await DeskGraph(None, "exit", road).decide(team, acting.seat(epoch, attempt))
    latency_ms = (perf_counter() - started) * 1000
    verdicts = tuple(acting.play_out(decision))
    waiting.play_out(None)
    return Trial(
        decision=replace(decision, latency_ms=latency_ms),
        verdicts=verdicts,
        returned=_returned(before, acting.equity),
        returned_holding=_returned(before, waiting.equity),
        outcomes=tuple(acting.outcome(forecast) for forecast in decision.forecasts),
        turns=recorder.taken(),
        latency_ms=latency_ms,
    )


async def _answer(
    case: Case,
    question: Question,
    variant: Variant,
    conditions: Conditions,
    recorder: Recorder,
    road: Complete,
    *,
    epoch: int,
    attempt: int,
) -> Trial:
    stage = Stage(case, variant.name, conditions)
    seat = stage.seat(epoch, attempt)
    agent = variant.spokesman(question, epoch)
    given = {"facts": facts_of(seat), "decisions": []}
    log, text, failed = CallLog(), "", None
    started = perf_counter()
    try:
        text = await talk(
            agent,
            [Said(by="user", text=question.text)],
            {slot: given[slot] for slot in agent.prompt.slots},
            context=seat.tools,
            complete=road,
            deadline=monotonic() + seat.brief.deadline_s,
            log=log,
        )
    except ModelFailure as failure:
        failed = f"desk: {failure.reason}"
    latency_ms = (perf_counter() - started) * 1000
    truth, chance = stage.recalled(question.recalls, RECALL_TOLERANCE) if question.recalls else (None, None)
    decision = Decision(
        decision_id=seat.decision_id,
        desk=variant.name,
        round_index=seat.round_index,
        status=DecisionStatus.ABSTAINED if failed else DecisionStatus.HELD,
        rationale=text,
        abstain_reason=failed,
        prompt_hash=agent.prompt.sha256,
        path=("desk",),
        model_calls=tuple(log.model_calls),
        tool_calls=tuple(log.tool_calls),
        latency_ms=latency_ms,
    )
    return Trial(
        decision=decision,
        verdicts=(),
        returned=0.0,
        returned_holding=0.0,
        outcomes=(),
        turns=recorder.taken(),
        latency_ms=latency_ms,
        truth=truth,
        chance=chance,
    )


def _returned(before: Decimal, after: Decimal) -> float:
    return float((after - before) / before)

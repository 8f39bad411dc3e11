"""Asking a desk again: rules compute, the recording answers for models, and only what it lacks is asked live."""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from agents.llm import (
    Budget,
    CassetteStore,
    Complete,
    Completion,
    CompletionRequest,
    Purse,
    check_model,
    close_connections,
    complete,
    is_rule_based,
)
from arena.replay.past import PastSeat
from arena.replay.replay import Replay, compared, new_answer, recorded_answer
from arena.seasons.road import shared_gateway
from arena.traces import Trace
from arena.traces.trace import Answer
from graphs import DeskGraph
from trading.domain.decision import Decision, DecisionStatus
from trading.domain.errors import ConfigError, ModelFailure
from trading.domain.verdict import Verdict


@dataclass(slots=True, kw_only=True)
class _Road:
    """Answers the requests of a replay and counts who did. ``refused`` is why a model could not be asked at all."""

    stores: tuple[CassetteStore, ...]
    live_road: Complete
    on_call: Callable[[int], None]
    asked: list[str] = field(default_factory=list)
    recorded: int = 0
    computed: int = 0
    live: int = 0
    refused: ConfigError | None = None

    async def complete(self, request: CompletionRequest) -> Completion:
        """The recorded outcome, failures included, else an answer of now."""
        self.on_call(len(self.asked))
        self.asked.append(request.cassette_key)
        if is_rule_based(request.model):
            self.computed += 1
            return await complete(request)
        for store in self.stores:
            outcome = store.find(request.cassette_key)
            if outcome is not None:
                self.recorded += 1
                if isinstance(outcome, ModelFailure):
                    raise outcome
                return outcome
        try:
            check_model(request.model)
        except ConfigError as error:
            self.refused = self.refused or error
            raise
        self.live += 1
        return await self.live_road(request)


async def ask_again(
    past: PastSeat,
    trace: Trace,
    recordings: tuple[Path, ...],
    *,
    cap_usd: Decimal,
    by: str,
    now_ms: int,
    on_call: Callable[[int], None],
) -> Replay:
    """Let the desk decide once more and set its answer beside the one on record. Nothing is sent to the engine.

    ``cap_usd`` is what live calls may cost together. Raises ConfigError where a model that has to be asked is unknown
    or has no key, and for a recording that cannot be read.
    """
    async with _open_road(recordings, cap_usd, on_call) as road:
        decision = await DeskGraph(None, "exit", road.complete).decide(past.team, past.seat)
    if road.refused is not None:
        raise road.refused
    then, now = recorded_answer(trace), new_answer(decision, _gate(past, decision))
    same, differences = compared(then, now)
    keys = {call.cassette_key for call in trace.calls}
    return Replay(
        run_id=trace.run_id,
        decision_id=trace.decision_id,
        desk=trace.desk,
        by=by,
        asked_ms=now_ms,
        then=then,
        now=now,
        same=same,
        differences=differences,
        calls=len(road.asked),
        as_then=sum(key in keys for key in road.asked),
        recorded=road.recorded,
        computed=road.computed,
        live=road.live,
        usd=_cost(decision) if road.live else 0.0,
        remarks=(*past.remarks, *_approval(trace)),
    )


@asynccontextmanager
async def _open_road(
    recordings: tuple[Path, ...], cap_usd: Decimal, on_call: Callable[[int], None]
) -> AsyncIterator[_Road]:
    budget = Budget(shared_gateway().complete, season=Purse("replay's", usd=cap_usd), desks={})
    with ExitStack() as files:
        stores = tuple(files.enter_context(CassetteStore(path, writable=False)) for path in recordings)
        road = _Road(stores=stores, live_road=budget.complete, on_call=on_call)
        try:
            yield road
        finally:
            if road.live:
                await close_connections()


def _gate(past: PastSeat, decision: Decision) -> tuple[Verdict, ...]:
    stated = [replace(intent, confidence=decision.confidence) for intent in decision.intents]
    return tuple(past.engine.preview(decision.desk, stated)) if decision.status is DecisionStatus.ACTED else ()


def _cost(decision: Decision) -> float | None:
    spent = [call.usd for call in decision.model_calls]
    return None if any(one is None for one in spent) else sum(one or 0.0 for one in spent)


def _approval(trace: Trace) -> tuple[str, ...]:
    if not trace.answers:
        return ()
    words = "; ".join(_answered(answer) for answer in trace.answers)
    return (f"A person was asked then ({words[:200]}); in a replay nobody is.",)


def _answered(answer: Answer) -> str:
    what = "rejected" if not answer.approved else "approved with changes" if answer.edits else "approved"
    return f"{what} by {answer.by}" if answer.by is not None else "nobody answered in time"

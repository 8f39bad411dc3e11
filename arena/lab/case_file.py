"""Everything on record of one case: what each variant was told, what its tools answered, what it did, how it scored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arena.evaluating import open_attempts, read_desks
from arena.lab.comparison import Comparison
from arena.settings import Settings
from evals.attempts import AttemptStatus, AttemptStore
from evals.suite import Suite, find_suite
from evals.trial import Turn
from evals.variant import Variant

LONGEST_TEXT = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFile:
    """One role's part: the messages it was sent, tool results by tool, and its last answer. All texts are data."""

    role: str
    told: tuple[tuple[str, str], ...]
    tools: tuple[tuple[str, str], ...]
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFile:
    """One variant on the case. ``did`` is what it came to; ``problem`` says why there is no trial."""

    name: str
    did: str
    problem: str
    roles: tuple[RoleFile, ...]
    rulings: tuple[tuple[str, str], ...]
    scores: tuple[tuple[str, str, float | None, str], ...]
    returned: float | None
    tokens: int | None
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """One case of a comparison, under each variant in their order."""

    case_id: str
    at: str
    market: str
    variants: tuple[VariantFile, ...]


def case_file(comparison: Comparison, case_id: str, settings: Settings) -> CaseFile | None:
    """The file of a case, None where the suite has no such case."""
    suite = find_suite(comparison.suite)
    desks = read_desks((comparison.baseline, *comparison.candidates), settings)
    case = next((one for one in suite.cases(settings.data_root) if one.case_id == case_id), None)
    if case is None:
        return None
    with open_attempts(settings) as store:
        return CaseFile(
            case_id=case.case_id,
            at=case.at,
            market=case.market.kind,
            variants=tuple(_of(store, suite, case_id, desk) for desk in desks),
        )


def _of(store: AttemptStore, suite: Suite, case_id: str, desk: Variant) -> VariantFile:
    from evals.promptlab.actions import signature

    attempts = store.attempts(suite=suite.name, variant=desk.sha256, case_id=case_id)
    done = [one for one in attempts if one.status is AttemptStatus.DONE]
    trial = store.trial(done[-1].seq) if done else None
    if trial is None:
        problem = attempts[-1].reason if attempts else "not tried yet"
        nothing: dict[str, Any] = {
            "did": "",
            "roles": (),
            "rulings": (),
            "scores": (),
            "returned": None,
            "tokens": None,
            "usd": None,
        }
        return VariantFile(name=desk.name, problem=problem, **nothing)
    read, written = trial.tokens
    return VariantFile(
        name=desk.name,
        did=signature(trial.decision),
        problem=trial.decision.abstain_reason or "",
        roles=tuple(_role(turn) for turn in trial.turns),
        rulings=tuple((verdict.ruling.value, verdict.message) for verdict in trial.verdicts),
        scores=tuple(_scores(store, suite, desk, case_id)),
        returned=trial.returned,
        tokens=None if read is None or written is None else read + written,
        usd=trial.usd,
    )


def _scores(
    store: AttemptStore, suite: Suite, desk: Variant, case_id: str
) -> Sequence[tuple[str, str, float | None, str]]:
    return [
        (scorer.name, scorer.unit, row.value, row.reason)
        for scorer in suite.scorers
        for row in store.scores(suite=suite.name, variant=desk.sha256, scorer=scorer)
        if row.case_id == case_id and row.epoch == 0
    ]


def _role(turn: Turn) -> RoleFile:
    called = {
        str(call["id"]): str(call["function"]["name"])
        for message in turn.messages
        if message.get("role") == "assistant"
        for call in message.get("tool_calls") or ()
    }
    told = [
        (str(message["role"]), _cut(message["content"]))
        for message in turn.messages
        if message.get("role") in ("system", "user")
    ]
    tools = [
        (called.get(str(message.get("tool_call_id")), "tool"), _cut(message["content"]))
        for message in turn.messages
        if message.get("role") == "tool"
    ]
    return RoleFile(role=turn.role, told=tuple(told), tools=tuple(tools), answer=_shown(turn.answers))


def _shown(answers: Sequence[str]) -> str:
    """The last answer, laid out where it is JSON."""
    if not answers:
        return ""
    try:
        return _cut(json.dumps(json.loads(answers[-1]), indent=2, ensure_ascii=False))
    except ValueError:
        return _cut(answers[-1])


def _cut(text: Any) -> str:
    words = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    return words if len(words) <= LONGEST_TEXT else f"{words[:LONGEST_TEXT]}… ({len(words):,} characters)"

"""What memory did: two runs of one season, paired decision by decision and step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trading.domain.errors import RequestError
from trading.domain.event import Event, EventKind
from trading.stats import FloatArray, holm, paired_difference
from trading.storage.journal import read_events
from trading.storage.runs import RunFolder

STEP_MS = 8 * 3_600_000
"""Returns are compared over eight hours: short seasons have enough of them, and the bootstrap keeps their order."""

RESAMPLES = 2000
_LEVEL = 0.05
_MEMORY_TOOLS = frozenset({"recall_similar", "recall_lessons", "my_record", "open_plans"})


@dataclass(slots=True)
class _Desk:
    """What one desk did: each decision as it can be compared, and its equity at the end of every step."""

    decisions: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    equity: dict[int, float] = field(default_factory=dict)
    fees: float = 0.0
    recalls: int = 0
    unavailable: int = 0
    tempered: int = 0


def effect_document(first: RunFolder, second: RunFolder) -> dict[str, Any]:
    """The paired report of two runs. Raises RequestError where they are not two runs of one season.

    A verdict of a desk rests on the paired difference of its log returns over eight hours (stationary bootstrap of both
    at the same steps), with Holm's correction over desks; the verdict of all on the mean over desks, step by step.
    """
    facts = [_facts(run) for run in (first, second)]
    if first.run_id == second.run_id:
        raise RequestError(f"{first.run_id}: found the same run twice, expected two runs of one season")
    for name in ("season", "seed", "start_ms", "end_ms", "data_sha256", "desks"):
        if facts[0][name] != facts[1][name]:
            raise RequestError(f"{first.run_id} and {second.run_id} differ in {name}: they are not runs of one season")
    one, other = _desks(first), _desks(second)
    rng = np.random.default_rng(facts[0]["seed"])
    steps = sorted(set.intersection(*({*desk.equity} for desk in (*one.values(), *other.values()))))
    growth = {name: (_growth(one[name], steps), _growth(other[name], steps)) for name in one}
    rows = [_row(name, one[name], other[name], growth[name], rng) for name in one]
    scored = [row for row in rows if row["return_a_step"] is not None]
    for row, p_value in zip(scored, holm(np.array([row["return_a_step"]["p_value"] for row in scored])), strict=True):
        row["return_a_step"]["p_holm"] = float(p_value)
        if p_value <= _LEVEL:
            row["verdict"] = "better" if row["return_a_step"]["difference"] > 0 else "worse"
    together = _difference(
        np.mean([pair[0] for pair in growth.values()], axis=0),
        np.mean([pair[1] for pair in growth.values()], axis=0),
        rng,
    )
    return {
        "first": facts[0],
        "second": facts[1],
        "steps": max(0, len(steps) - 1),
        "desks": rows,
        "all_desks": together,
        "verdict": _verdict(together),
    }


def _facts(run: RunFolder) -> dict[str, Any]:
    rules: Mapping[str, Any] = run.manifest.get("rules", {})
    opened = next(iter(read_events(run.journal)), None)
    if opened is None or not rules:
        raise RequestError(f"{run.run_id} has nothing on record yet: run its season first")
    payload = opened.event().payload
    memory = rules.get("memory")
    return {
        "run_id": run.run_id,
        "memory": memory["mode"] if memory else "off",
        "season": payload["season"],
        "seed": payload["seed"],
        "start_ms": payload["start_ms"],
        "end_ms": payload["end_ms"],
        "data_sha256": run.manifest.get("data_sha256"),
        "desks": [row["desk"] for row in payload["desks"]],
    }


def _desks(run: RunFolder) -> dict[str, _Desk]:
    found: dict[str, _Desk] = {}
    intents: dict[str, list[Any]] = {}
    for stored in read_events(run.journal):
        event = stored.event()
        if event.kind is EventKind.SEASON_OPENED:
            found = {row["desk"]: _Desk() for row in event.payload["desks"]}
        elif event.kind is EventKind.INTENDED:
            payload = event.payload
            leg = (payload["instrument"], payload["side"], payload["quantity"], payload["attempt"])
            intents.setdefault(event.decision_id, []).append(leg)
        else:
            _take_in(found, event)
    for desk in found.values():
        desk.decisions = {key: (*status, *intents.get(key, ())) for key, status in desk.decisions.items()}
    return found


def _take_in(desks: Mapping[str, _Desk], event: Event) -> None:
    payload = event.payload
    match event.kind:
        case EventKind.DECIDED:
            desk = desks[payload["desk"]]
            desk.decisions[event.decision_id] = (payload["status"],)
            desk.tempered += " Memory: " in f" {payload['rationale']}"
        case EventKind.TOOL_CALLED if payload["tool"] in _MEMORY_TOOLS:
            desks[payload["desk"]].recalls += payload["outcome"] == "ok"
            desks[payload["desk"]].unavailable += payload["outcome"] == "unavailable"
        case EventKind.FILLED:
            desks[payload["desk"]].fees += float(payload["fee"])
        case EventKind.MARKED:
            for name, mark in payload["desks"].items():
                desks[name].equity[event.ts_ms // STEP_MS] = float(mark["equity"])
        case _:
            return


def _growth(desk: _Desk, steps: list[int]) -> FloatArray:
    """Log growth from step to step; an account at nothing counts as one at almost nothing."""
    return np.diff(np.log(np.maximum([desk.equity[step] for step in steps], 1e-9)))


def _row(
    name: str, one: _Desk, other: _Desk, growth: tuple[FloatArray, FloatArray], rng: np.random.Generator
) -> dict[str, Any]:
    both = one.decisions.keys() & other.decisions.keys()
    changed = sum(one.decisions[key] != other.decisions[key] for key in both)
    return {
        "desk": name,
        "decisions": len(both),
        "decisions_changed": changed,
        "share_changed": changed / len(both) if both else None,
        "recalls": one.recalls,
        "unavailable": one.unavailable,
        "tempered": one.tempered,
        "return": [float(np.expm1(series.sum())) for series in growth],
        "fees": [round(one.fees, 2), round(other.fees, 2)],
        "return_a_step": _difference(*growth, rng),
        "verdict": "not separable",
    }


def _difference(first: FloatArray, second: FloatArray, rng: np.random.Generator) -> dict[str, Any] | None:
    """The paired difference of mean log returns a step; None below 20 steps or where the two are the same."""
    if first.size != second.size or not first.size or np.array_equal(first, second):
        return None
    found = paired_difference(first, second, lambda rows: rows.mean(axis=-1), resamples=RESAMPLES, rng=rng)
    if found is None:
        return None
    return {"difference": found.difference, "ci95": list(found.ci95), "p_value": found.p_value, "n": int(first.size)}


def _verdict(difference: Mapping[str, Any] | None) -> str:
    if difference is None or difference["p_value"] > _LEVEL:
        return "not separable"
    return "better" if difference["difference"] > 0 else "worse"

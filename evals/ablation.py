"""What each part of a desk is worth: the desk without it, on the same cases, and what that saves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from evals.attempts import AttemptStatus, AttemptStore
from evals.compare import Comparison, compare
from evals.suite import Suite
from evals.variant import Variant
from graphs.team import ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a decision of a desk takes on average: dollars and tokens (None where any is unknown), median seconds."""

    usd: float | None
    tokens: float | None
    seconds: float | None

    def to_json(self) -> dict[str, float | None]:
        """The three figures by name."""
        return {"usd": self.usd, "tokens": self.tokens, "seconds": self.seconds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablated:
    """A desk without one of its parts against the whole: ``comparison`` has the ablated desk first."""

    without: str
    comparison: Comparison
    cost: Cost
    saved: Cost

    def to_json(self) -> dict[str, Any]:
        """The comparison with what was left out and what it saves a decision."""
        return {
            "without": self.without,
            **self.comparison.to_json(),
            "cost": self.cost.to_json(),
            "saved": self.saved.to_json(),
        }


def ablations(whole: Variant, *, remembers: bool = False) -> Mapping[str, Variant]:
    """The desks that lack one thing each, by what they lack.

    Each role but the executor, all of them at once, the tools; memory where cases have some (``remembers``); where a
    panel sits, the debate (the first member answers
    alone); where roles have different models, the mixture (the executor's model answers for all).
    """
    found: dict[str, Variant] = {}
    for role in ROLES:
        if role != "executor" and role in whole.roles:
            found[role] = _without(whole, role, roles=tuple(one for one in whole.roles if one != role))
    if len(whole.roles) > 2:
        found["reports"] = _without(whole, "reports", roles=("executor",))
    if whole.tools:
        found["tools"] = _without(whole, "tools", tools=False)
    if remembers and whole.memory:
        found["memory"] = _without(whole, "memory", memory=False)
    models = whole.by_role()
    if any(not isinstance(asked, str) for asked in models.values()):
        alone = {role: _first(asked) for role, asked in models.items()}
        found["panel"] = _without(whole, "panel", model=None, models=alone)
    if len({_first(asked) for asked in models.values()}) > 1:
        found["mixture"] = _without(whole, "mixture", model=_first(models["executor"]), models={})
    return found


def compare_ablated(
    store: AttemptStore,
    suite: Suite,
    whole: Variant,
    parts: Mapping[str, Variant],
    *,
    scorer: str | None = None,
    split: str = "dev",
) -> list[Ablated]:
    """Each ablated desk against the whole on the cases that both were tried on."""
    full = _cost(store, suite, whole)
    found = []
    for name, desk in parts.items():
        cost = _cost(store, suite, desk)
        found.append(
            Ablated(
                without=name,
                comparison=compare(store, suite, desk.sha256, whole.sha256, scorer=scorer, split=split).renamed(
                    desk.name, whole.name
                ),
                cost=cost,
                saved=Cost(
                    usd=_less(full.usd, cost.usd),
                    tokens=_less(full.tokens, cost.tokens),
                    seconds=_less(full.seconds, cost.seconds),
                ),
            )
        )
    return found


def _without(whole: Variant, part: str, **changes: object) -> Variant:
    return Variant.model_validate({**whole.model_dump(), **changes, "name": f"{whole.name}-no-{part}"})


def _first(asked: str | tuple[str, ...]) -> str:
    return asked if isinstance(asked, str) else asked[0]


def _cost(store: AttemptStore, suite: Suite, desk: Variant) -> Cost:
    attempts = store.attempts(suite=suite.name, variant=desk.sha256, status=AttemptStatus.DONE)
    read, written = ([one.tokens_in for one in attempts], [one.tokens_out for one in attempts])
    tokens = [None if a is None or b is None else a + b for a, b in zip(read, written, strict=True)]
    return Cost(
        usd=_mean([one.usd for one in attempts]),
        tokens=_mean(tokens),
        seconds=median(one.latency_ms for one in attempts) / 1000 if attempts else None,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _less(whole: float | None, part: float | None) -> float | None:
    return None if whole is None or part is None else whole - part

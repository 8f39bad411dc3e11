"""What the lab says of a variant against the baseline: the paired comparison, its power, and what changed besides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evals.attempts import AttemptStore
from evals.compare import BETTER, DIFFERENT, NOT_SEPARABLE, WORSE, Comparison, compare
from evals.promptlab.actions import Shift, action_shift
from evals.promptlab.matrix import Cell, Row
from evals.suite import Suite
from evals.variant import Variant
from trading.stats import clustered_difference, holm, power_of

_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of cost or speed: means or medians of both, and the paired difference with its interval."""

    unit: str
    first: float
    second: float
    difference: float
    ci95: tuple[float, float] | None

    def to_json(self) -> dict[str, Any]:
        """The entry of ``usd`` or ``latency``."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabVerdict:
    """One candidate against the baseline.

    ``p_adjusted`` is corrected by Holm for the candidates of the same call, and decides. ``power`` is the chance that
    a true difference as large as the scorer's margin would have been found with these cases.
    """

    comparison: Comparison
    p_adjusted: float | None
    power: float | None
    shift: Shift
    usd: Change | None
    latency: Change | None
    trials: int

    def in_words(self) -> str:
        """The verdict as sentences."""
        said = [self.comparison.in_words()]
        if self.power is not None:
            margin, unit = self.comparison.scorer.margin, self.comparison.scorer.unit
            said.append(f"A true difference of {margin:g} {unit} would be found {self.power:.0%} of the time.")
        if self.shift.tries:
            surely = "" if self.shift.p_value is None else f" (p = {self.shift.p_value:.3f})"
            said.append(f"{self.shift.distance:.0%} of the actions moved to another kind{surely}.")
        if self.usd is not None and (self.usd.first or self.usd.second):
            said.append(f"A try costs ${self.usd.first:.4f} against ${self.usd.second:.4f}.")
        if self.latency is not None:
            said.append(f"It takes {self.latency.first:.0f} ms against {self.latency.second:.0f} ms.")
        if self.trials > 2:
            said.append(f"{self.trials} variants were tried on this suite so far: the best of many is flattered.")
        return " ".join(said)

    def to_json(self) -> dict[str, Any]:
        """The entry of ``verdicts``: the fields of a comparison and what changed besides."""
        return {
            **self.comparison.to_json(),
            "in_words": self.in_words(),
            "p_adjusted": self.p_adjusted,
            "power": self.power,
            "actions": {
                "shares": {name: list(both) for name, both in self.shift.shares.items()},
                "distance": self.shift.distance,
                "p_value": self.shift.p_value,
                "tries": self.shift.tries,
            },
            "usd": None if self.usd is None else self.usd.to_json(),
            "latency": None if self.latency is None else self.latency.to_json(),
            "trials": self.trials,
        }


def verdicts(
    store: AttemptStore,
    suite: Suite,
    rows: Sequence[Row],
    candidates: Sequence[Variant],
    baseline: Variant,
    *,
    scorer: str | None,
    split: str,
) -> list[LabVerdict]:
    """The verdict on each of ``candidates``, whose cells stand in ``rows`` beside the baseline's."""
    found = [
        compare(store, suite, one.sha256, baseline.sha256, scorer=scorer, split=split, called=(one.name, baseline.name))
        for one in candidates
    ]
    raw = [1.0 if one.statistics is None else one.statistics.p_value for one in found]
    adjusted = holm(np.array(raw, np.float64)) if raw else np.empty(0)
    trials = store.variants_tried(suite.name)
    return [
        _verdict(rows, candidate.name, baseline.name, one, float(p_value), trials)
        for candidate, one, p_value in zip(candidates, found, adjusted, strict=True)
    ]


def _verdict(
    rows: Sequence[Row], candidate: str, baseline: str, comparison: Comparison, p_adjusted: float, trials: int
) -> LabVerdict:
    found = comparison.statistics
    if p_adjusted > _ALPHA and comparison.verdict in (BETTER, WORSE, DIFFERENT):
        comparison = replace(comparison, verdict=NOT_SEPARABLE)
    pairs = [
        (row.cluster, mine, theirs)
        for row in rows
        for mine in row.cells
        for theirs in row.cells
        if mine.variant == candidate and theirs.variant == baseline
    ]
    both = [(one, other) for _, mine, theirs in pairs for one, other in zip(mine.actions, theirs.actions, strict=False)]
    return LabVerdict(
        comparison=comparison,
        p_adjusted=None if found is None else p_adjusted,
        power=power_of(comparison.scorer.margin, found.standard_error) if found and found.standard_error else None,
        shift=action_shift([one for one, _ in both], [other for _, other in both]),
        usd=_change("$ a try", pairs, "usd", np.mean),
        latency=_change("ms a try", pairs, "latency_ms", np.median),
        trials=trials,
    )


def _change(unit: str, pairs: Sequence[tuple[str, Cell, Cell]], field: str, middle: Any) -> Change | None:
    known = [
        (cluster, getattr(mine, field), getattr(theirs, field))
        for cluster, mine, theirs in pairs
        if getattr(mine, field) is not None and getattr(theirs, field) is not None
    ]
    if not known:
        return None
    first, second = np.array([one for _, one, _ in known]), np.array([one for *_, one in known])
    paired = clustered_difference(first, second, [cluster for cluster, *_ in known])
    return Change(
        unit=unit,
        first=float(middle(first)),
        second=float(middle(second)),
        difference=float((first - second).mean()),
        ci95=None if paired is None else paired.ci95,
    )

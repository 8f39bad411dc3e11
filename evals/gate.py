"""The gate before a change of prompt or model goes into production: no protected measure may get worse."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evals.attempts import AttemptStore
from evals.compare import DIFFERENT, WORSE, Comparison, compare
from evals.suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFinding:
    """One protected measure: the comparison, and whether it stops the candidate."""

    comparison: Comparison
    fails: bool

    def to_json(self) -> dict[str, Any]:
        """The finding with its margin."""
        return {**self.comparison.to_json(), "margin": self.comparison.scorer.margin, "fails": self.fails}


def gate(
    store: AttemptStore,
    suite: Suite,
    candidate: str,
    baseline: str,
    *,
    protected: Sequence[str] = (),
    split: str = "dev",
) -> list[GateFinding]:
    """Compare ``candidate`` with ``baseline`` by every protected scorer of the suite, all of them without a list.

    A measure stops the candidate when it is significantly worse, or significantly different where it knows no better,
    and by more than its margin. What cannot be told apart
    does not: the finding says how many cases would tell.
    """
    names = protected or [one.name for one in suite.scorers]
    found = [compare(store, suite, candidate, baseline, scorer=name, split=split) for name in names]
    return [GateFinding(comparison=one, fails=_fails(one)) for one in found]


def _fails(comparison: Comparison) -> bool:
    statistics = comparison.statistics
    if statistics is None or comparison.verdict not in (WORSE, DIFFERENT):
        return False
    return abs(statistics.difference) > comparison.scorer.margin

"""Two variants on the same cases: better, worse, or not separable, and how many cases it would take."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evals.attempts import AttemptStore, ScoredRow
from evals.scoring import Scorer
from evals.suite import Suite
from trading.stats import ClusteredDifference, clustered_difference

BETTER, WORSE, NOT_SEPARABLE = "better", "worse", "not separable"
DIFFERENT = "different"
"""The verdict of a scorer that knows no better or worse."""

_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What can be said of ``first`` against ``second`` by one scorer.

    ``cases`` are those that both have a score for, ``dropped`` those that only one has. ``statistics`` is None where
    there are too few market days to tell anything.
    """

    first: str
    second: str
    scorer: Scorer
    verdict: str
    statistics: ClusteredDifference | None
    means: tuple[float | None, float | None]
    wins: int
    ties: int
    losses: int
    cases: int
    dropped: int

    def in_words(self) -> str:
        """The verdict as a sentence."""
        name, found = self.scorer.name, self.statistics
        if found is None:
            return (
                f"{self.first} and {self.second} cannot be compared by {name}: {self.cases} cases of both are too few."
            )
        low, high = found.ci95
        said = (
            f"{self.first} and {self.second} are {self.verdict}"
            if self.verdict in (NOT_SEPARABLE, DIFFERENT)
            else f"{self.first} is {self.verdict} than {self.second}"
        )
        more = ""
        if self.verdict == NOT_SEPARABLE and found.needed is not None and found.needed > found.cases:
            more = f" A difference of this size would take about {found.needed:,} cases."
        return (
            f"{said} by {name}: {found.difference:+.4g} {self.scorer.unit} (95 % {low:+.4g} to {high:+.4g}, "
            f"p = {found.p_value:.3f}) over {found.cases} cases from {found.clusters} market days; "
            f"{self.wins} won, {self.ties} tied, {self.losses} lost.{more}"
        )

    def renamed(self, first: str, second: str) -> "Comparison":
        """The same comparison with other names for its two sides."""
        return replace(self, first=first, second=second)

    def to_json(self) -> dict[str, Any]:
        """The comparison as ``eval compare --json`` prints it."""
        found = self.statistics
        return {
            "first": self.first,
            "second": self.second,
            "scorer": self.scorer.name,
            "unit": self.scorer.unit,
            "verdict": self.verdict,
            "in_words": self.in_words(),
            "means": list(self.means),
            "difference": None if found is None else found.difference,
            "ci95": None if found is None else list(found.ci95),
            "p_value": None if found is None else found.p_value,
            "n": self.cases,
            "clusters": None if found is None else found.clusters,
            "n_needed": None if found is None else found.needed,
            "detectable": None if found is None else found.detectable,
            "wins": self.wins,
            "ties": self.ties,
            "losses": self.losses,
            "dropped": self.dropped,
        }


def compare(
    store: AttemptStore,
    suite: Suite,
    first: str,
    second: str,
    *,
    scorer: str | None = None,
    split: str = "dev",
    called: tuple[str, str] | None = None,
) -> Comparison:
    """Compare two variants by name or digest on the cases of one split that both were tried on.

    The epochs of a case are averaged, cases of one market day count together. ``called`` is how the two are named in
    what is said, where they were given by digest. Raises RequestError for a variant that
    was never tried or a scorer that the suite does not have.
    """
    measure = suite.scorer(scorer)
    digests = [store.digest_of(name, suite=suite.name) for name in (first, second)]
    rows = [
        [row for row in store.scores(suite=suite.name, variant=digest, scorer=measure) if row.split == split]
        for digest in digests
    ]
    return compare_rows(*(called or (first, second)), measure, rows[0], rows[1])


def compare_rows(
    first: str, second: str, measure: Scorer, mine: Sequence[ScoredRow], theirs: Sequence[ScoredRow]
) -> Comparison:
    """The comparison of two lists of scores."""
    one, other = _by_case(mine), _by_case(theirs)
    shared = sorted(one.keys() & other.keys())
    clusters = {row.case_id: row.cluster for row in [*mine, *theirs]}
    a = np.array([one[case] for case in shared], np.float64)
    b = np.array([other[case] for case in shared], np.float64)
    found = clustered_difference(a, b, [clusters[case] for case in shared]) if shared else None
    gain = (b - a) if measure.rises is False else (a - b)
    return Comparison(
        first=first,
        second=second,
        scorer=measure,
        verdict=_verdict(found, measure),
        statistics=found,
        means=(float(a.mean()) if shared else None, float(b.mean()) if shared else None),
        wins=int((gain > 0).sum()),
        ties=int((gain == 0).sum()),
        losses=int((gain < 0).sum()),
        cases=len(shared),
        dropped=len(one.keys() ^ other.keys()),
    )


def _by_case(rows: Sequence[ScoredRow]) -> Mapping[str, float]:
    """The mean over the epochs of each case that were scored; a case without any is left out."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.value is not None:
            values[row.case_id].append(row.value)
    return {case: float(np.mean(scores)) for case, scores in values.items()}


def _verdict(found: ClusteredDifference | None, measure: Scorer) -> str:
    if found is None or found.p_value > _ALPHA or found.difference == 0:
        return NOT_SEPARABLE
    if measure.rises is None:
        return DIFFERENT
    return BETTER if (found.difference > 0) == measure.rises else WORSE

"""Many contestants against a benchmark, and against each other, with the search for the best paid for.

White (2000), Hansen (2005), Romano & Wolf (2005), Hansen, Lunde & Nason (2011), all by arch on a stationary bootstrap.
Losses are minus returns, or any score where less is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.stats.bootstrap import optimal_block_length
from trading.stats.sample import MIN_OBSERVATIONS, FloatArray

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Superiority:
    """Whether any contestant beats the benchmark.

    ``p_value`` is Hansen's consistent one for "none does"; ``better`` the positions of all that beat it with the family
    error held at ``alpha`` (stepwise).
    """

    p_value: float
    better: tuple[int, ...]
    alpha: float


def superior_to(
    benchmark: FloatArray,
    losses: FloatArray,
    *,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
    block_length: float | None = None,
    seed: int,
) -> Superiority | None:
    """Test ``losses`` (contestants, n) against the ``benchmark``'s (n,), all at the same instants.

    ``block_length`` defaults to the longest that any difference from the benchmark asks for. None below 20 instants,
    without contestants, where a loss is not finite, or where no contestant ever differs from the benchmark.
    """
    from arch.bootstrap import SPA

    told_apart = _differing(losses - benchmark[np.newaxis]) if _is_scored(losses) else []
    if not told_apart:
        return None
    rows = losses[told_apart]
    length = block_length or max(optimal_block_length(row) for row in rows - benchmark)

    def test(left: list[int]) -> SPA:
        rows = losses[left].T
        found = SPA(benchmark, rows, block_size=_whole(length), reps=resamples, bootstrap="stationary", seed=seed)
        found.compute()
        return found

    best = test(told_apart)
    left, better = list(told_apart), []
    step = best
    while found := [left[int(str(column))] for column in step.better_models(alpha, "consistent")]:
        better += found
        left = [one for one in left if one not in found]
        if not left:
            break
        step = test(left)
    return Superiority(p_value=float(best.pvalues["consistent"]), better=tuple(sorted(better)), alpha=alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceSet:
    """The contestants that the best is among, with probability at least ``confidence``.

    ``p_values`` (contestants,) are those of the elimination at which each would leave: large means it stays.
    """

    members: tuple[int, ...]
    p_values: tuple[float, ...]
    confidence: float


def model_confidence_set(
    losses: FloatArray,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    block_length: float | None = None,
    seed: int,
) -> ConfidenceSet | None:
    """The set by the range statistic over ``losses`` (contestants, n); contestants that are one series share a fate.

    None below 20 instants, for fewer than two different contestants or where a loss is not finite.
    """
    from arch.bootstrap import MCS

    if not _is_scored(losses):
        return None
    firsts = _first_of_equals(losses)
    distinct = sorted(set(firsts))
    if len(distinct) < 2:
        return None
    rows = losses[distinct]
    block = _whole(block_length or max(optimal_block_length(row) for row in rows - rows.mean(axis=0)))
    size = 1.0 - confidence
    found = MCS(rows.T, size=size, block_size=block, reps=resamples, bootstrap="stationary", seed=seed)
    found.compute()
    by_row = {distinct[int(str(row))]: float(p) for row, p in found.pvalues["Pvalue"].items()}
    p_values = tuple(by_row[first] for first in firsts)
    return ConfidenceSet(
        members=tuple(at for at, p in enumerate(p_values) if p > 1.0 - confidence),
        p_values=p_values,
        confidence=confidence,
    )


def _is_scored(losses: FloatArray) -> bool:
    return bool(losses.size and losses.shape[1] >= MIN_OBSERVATIONS and np.isfinite(losses).all())


def _differing(differences: FloatArray) -> list[int]:
    """Rows that are not zero all through: a contestant equal to the benchmark has no variance to test with."""
    return [int(at) for at in np.flatnonzero(np.abs(differences).max(axis=1) > 0)]


def _first_of_equals(losses: FloatArray) -> Sequence[int]:
    """For each row the position of the first row that is the same."""
    seen: dict[bytes, int] = {}
    return [seen.setdefault(row.tobytes(), at) for at, row in enumerate(losses)]


def _whole(length: float) -> int:
    return max(1, round(length))

"""Ranks that admit ties: a contestant stands above another only where the data can tell them apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.stats.bootstrap import p_values
from trading.stats.sample import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """``rank`` = 1 + contestants that are significantly better; ``last`` = all but those significantly worse.

    ``tied_with`` holds the positions of those it cannot be separated from.
    """

    rank: int
    last: int
    tied_with: tuple[int, ...]


def holm(p: Sequence[float] | FloatArray) -> FloatArray:
    """P-values adjusted for their number by Holm's step-down method, in the order given, at most 1."""
    raw = np.asarray(p, np.float64)
    order = np.argsort(raw, kind="stable")
    factors = np.arange(raw.size, 0, -1)
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raw[order] * factors))
    return adjusted


def resamples_needed(contestants: int, *, alpha: float = 0.05) -> int:
    """Bootstrap draws with which the clearest of all pairs can still pass Holm's correction (twice the bare need)."""
    pairs = contestants * (contestants - 1) // 2
    return max(1000, math.ceil(2 * pairs / alpha))


def places(scores: FloatArray, draws: FloatArray, *, alpha: float = 0.05) -> tuple[Place, ...]:
    """The place of each contestant by ``scores`` (n,) and joint bootstrap ``draws`` of them (resamples, n).

    All pairs are tested on their differences within each draw and corrected together by Holm, so that the chance of any
    wrong separation among equals is at most ``alpha``. Separation need not be transitive: the first may be separable
    from the third while the second is tied with both.
    """
    count = scores.size
    first, second = np.triu_indices(count, k=1)
    difference = scores[first] - scores[second]
    by_row = [
        p_values(scores[row] - scores[row + 1 :], draws[:, row : row + 1] - draws[:, row + 1 :]) for row in range(count)
    ]
    separable = holm(np.concatenate(by_row) if by_row else []) <= alpha
    better = np.zeros((count, count), np.bool_)
    better[first, second] = separable & (difference > 0)
    better[second, first] = separable & (difference < 0)
    return tuple(
        Place(
            rank=1 + int(better[:, me].sum()),
            last=count - int(better[me].sum()),
            tied_with=tuple(
                int(other) for other in range(count) if other != me and not better[me, other] and not better[other, me]
            ),
        )
        for me in range(count)
    )

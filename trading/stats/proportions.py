"""Shares of yes and no: their intervals, paired comparisons, and what holds when a case is tried several times."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from trading.stats.sample import BoolArray

_NORMAL = NormalDist()


def wilson_interval(successes: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """Wilson's (1927) score interval of a share; None without trials. Holds its level for small numbers too."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials, expected 0 to {trials}")
    if not trials:
        return None
    z = _NORMAL.inv_cdf(0.5 + confidence / 2.0)
    share, shrink = successes / trials, 1.0 + z * z / trials
    centre = (share + z * z / (2.0 * trials)) / shrink
    half = z / shrink * math.sqrt(share * (1.0 - share) / trials + z * z / (4.0 * trials * trials))
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == trials else centre + half


@dataclass(frozen=True, slots=True, kw_only=True)
class Discordance:
    """Two verdicts on the same cases: how often only the first held, only the second, and the exact p-value."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first: BoolArray, second: BoolArray) -> Discordance:
    """McNemar's (1947) exact two-sided test of two yes-no results on the same cases, both of shape (n,)."""
    if first.shape != second.shape:
        raise ValueError(f"results of shapes {first.shape} and {second.shape} are not of the same cases")
    b, c = int((first & ~second).sum()), int((~first & second).sum())
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    return Discordance(only_first=b, only_second=c, p_value=min(1.0, 2.0 * tail))


def pass_hat_k(successes: Sequence[int], trials: Sequence[int], *, k: int) -> float | None:
    """Chance that ``k`` fresh tries of a case all pass, averaged over cases: the mean of C(c, k) / C(n, k).

    Yao et al. (2024, tau-bench). ``successes`` of ``trials`` for each case; None without cases. Raises ValueError for a
    case tried fewer than ``k`` times.
    """
    if k < 1:
        raise ValueError(f"k is {k}, expected at least 1")
    if len(successes) != len(trials):
        raise ValueError(f"{len(successes)} counts of successes for {len(trials)} cases")
    for passed, tried in zip(successes, trials, strict=True):
        if not 0 <= passed <= tried:
            raise ValueError(f"{passed} successes of {tried} trials, expected 0 to {tried}")
        if tried < k:
            raise ValueError(f"a case was tried {tried} times, at least {k} are needed")
    if not trials:
        return None
    return float(np.mean([math.comb(c, k) / math.comb(n, k) for c, n in zip(successes, trials, strict=True)]))

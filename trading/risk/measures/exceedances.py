"""Back-tests of a VaR: were losses beyond it as rare as promised, and did they come one by one?"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_level

BoolArray = NDArray[np.bool_]

_GREEN = 0.95
_YELLOW = 0.9999


class Light(StrEnum):
    """The traffic light of the Basel Committee (1996)."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioTest:
    """A likelihood ratio and the probability of one as large were the VaR right."""

    ratio: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What the exceedances of a VaR say about it. ``expected`` and ``exceedances`` are counts.

    ``independence`` is None where no exceedance can be followed by another.
    """

    observations: int
    exceedances: int
    expected: float
    coverage: RatioTest
    independence: RatioTest | None
    conditional: RatioTest | None
    light: Light

    def passes(self, significance: float = 0.05) -> bool:
        """Whether neither Kupiec's nor Christoffersen's tests (independence, and both together) reject the VaR."""
        tests = (self.coverage, self.independence, self.conditional)
        return all(test is not None and test.p_value >= significance for test in tests)

    def verdict(self, significance: float = 0.05) -> str:
        """Whether it passes, and why not where it does not, in words."""
        found = []
        if self.coverage.p_value < significance:
            amount = "too many" if self.exceedances > self.expected else "too few"
            found.append(f"{amount} losses beyond it (Kupiec p {self.coverage.p_value:.2g})")
        if self.independence is not None and self.independence.p_value < significance:
            found.append(f"they come in clusters (Christoffersen p {self.independence.p_value:.2g})")
        if not found and self.conditional is not None and self.conditional.p_value < significance:
            found.append(f"number and clusters together are unlikely (p {self.conditional.p_value:.2g})")
        if found:
            return f"fails: {'; '.join(found)}"
        if self.independence is None:
            return "nothing against it, but too few losses beyond it to judge clusters"
        return "passes"


def backtest(returns: FloatArray, var: FloatArray, level: float) -> Backtest:
    """Back-test of ``var`` (n,), each forecast before its return in ``returns`` (n,).

    An exceedance is a loss greater than the VaR; one that equals it is none.
    """
    losses, limits = -np.asarray(returns, dtype=np.float64), np.asarray(var, dtype=np.float64)
    if losses.shape != limits.shape or losses.ndim != 1 or not len(losses):
        raise ValueError(f"returns of shape {losses.shape} and VaR of shape {limits.shape}: expected two equal series")
    if not (np.isfinite(losses).all() and np.isfinite(limits).all()):
        raise ValueError("returns or VaR hold NaN or infinity: leave out what was not forecast")
    return backtest_hits(losses > limits, level)


def backtest_hits(hits: BoolArray, level: float) -> Backtest:
    """Back-test of a VaR at ``level`` by its exceedances, in order of time, shape (n,)."""
    count, observations = int(hits.sum()), len(hits)
    coverage = kupiec(count, observations, level)
    independence = christoffersen(hits)
    conditional = None
    if independence is not None:
        ratio = coverage.ratio + independence.ratio
        conditional = RatioTest(ratio=ratio, p_value=math.exp(-ratio / 2.0))
    return Backtest(
        observations=observations,
        exceedances=count,
        expected=(1.0 - level) * observations,
        coverage=coverage,
        independence=independence,
        conditional=conditional,
        light=traffic_light(count, observations, level),
    )


def kupiec(exceedances: int, observations: int, level: float) -> RatioTest:
    """Whether the share of exceedances is 1 - ``level``. Kupiec (1995), chi-square with one degree of freedom."""
    if not 0 <= exceedances <= observations or not observations:
        raise ValueError(f"{exceedances} exceedances in {observations}: expected 0 <= exceedances <= observations > 0")
    quiet = observations - exceedances
    promised = _likelihood(exceedances, quiet, 1.0 - checked_level(level))
    return _one_degree(2.0 * (_likelihood(exceedances, quiet, exceedances / observations) - promised))


def christoffersen(hits: BoolArray) -> RatioTest | None:
    """Whether an exceedance makes one at the next step likelier. Christoffersen (1998), one degree of freedom.

    None when no exceedance is followed by anything, so that nothing can be said.
    """
    before, after = hits[:-1], hits[1:]
    quiet_quiet, quiet_hit = int((~before & ~after).sum()), int((~before & after).sum())
    hit_quiet, hit_hit = int((before & ~after).sum()), int((before & after).sum())
    if not hit_quiet + hit_hit or not quiet_quiet + quiet_hit:
        return None
    apart = _likelihood(quiet_hit, quiet_quiet, quiet_hit / (quiet_hit + quiet_quiet))
    apart += _likelihood(hit_hit, hit_quiet, hit_hit / (hit_hit + hit_quiet))
    hit, quiet = quiet_hit + hit_hit, quiet_quiet + hit_quiet
    return _one_degree(2.0 * (apart - _likelihood(hit, quiet, hit / (hit + quiet))))


def traffic_light(exceedances: int, observations: int, level: float) -> Light:
    """Green below the 95 % point of the binomial count, red from its 99.99 % point on.

    For 250 days at 99 %: green to 4, yellow to 9, red from 10.
    """
    rate = 1.0 - checked_level(level)
    fewer = sum(_binomial(count, observations, rate) for count in range(exceedances + 1))
    if fewer < _GREEN:
        return Light.GREEN
    return Light.YELLOW if fewer < _YELLOW else Light.RED


def _binomial(count: int, trials: int, rate: float) -> float:
    ways = math.lgamma(trials + 1) - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
    return math.exp(ways + count * math.log(rate) + (trials - count) * math.log1p(-rate))


def _likelihood(hits: int, quiet: int, rate: float) -> float:
    # 0 * log(0) counts as 0: what never happens has no part in the likelihood.
    return (hits * math.log(rate) if hits else 0.0) + (quiet * math.log1p(-rate) if quiet else 0.0)


def _one_degree(ratio: float) -> RatioTest:
    ratio = max(0.0, ratio)  # rounding may leave it a hair below
    return RatioTest(ratio=ratio, p_value=math.erfc(math.sqrt(ratio / 2.0)))

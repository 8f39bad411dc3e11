"""Two variants tried on the same cases: the difference, and how many cases it would take to see one.

Miller (2024, arXiv 2411.00640): differences are paired, and cases that share their news (a market day) count together.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from trading.stats.sample import FloatArray

POWER = 0.8
ALPHA = 0.05
MIN_CLUSTERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredDifference:
    """Mean of first minus second with its error.

    ``clusters`` is the sample size that counts. ``needed`` is how many cases of the same kind would show a difference
    of this size with 80 % power, None where there is no difference to show; ``detectable`` the least difference that
    this many cases can show.
    """

    difference: float
    standard_error: float
    ci95: tuple[float, float]
    p_value: float
    cases: int
    clusters: int
    needed: int | None
    detectable: float


def clustered_difference(
    first: FloatArray, second: FloatArray, clusters: Sequence[Hashable], *, minimum: int = MIN_CLUSTERS
) -> ClusteredDifference | None:
    """Compare scores of shape (n,) on the same cases, ``clusters`` naming what each case belongs to.

    A cluster-robust (Liang & Zeger 1986) error with the small-sample factor G / (G - 1) and Student's t on G - 1
    degrees of freedom. None for fewer than ``minimum`` clusters. NaN is the caller's to remove and is refused.
    """
    from scipy import stats

    if first.shape != second.shape or first.size != len(clusters):
        raise ValueError(
            f"scores of shapes {first.shape} and {second.shape} in {len(clusters)} clusters are not aligned"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("scores that are not finite cannot be compared; remove cases that either side left unscored")
    names = list(dict.fromkeys(clusters))
    groups, count = len(names), first.size
    if groups < minimum:
        return None
    gap = first - second
    difference = float(gap.mean())
    at = {name: position for position, name in enumerate(names)}
    sums = np.bincount([at[name] for name in clusters], weights=gap - difference, minlength=groups)
    error = math.sqrt(groups / (groups - 1) * float(sums @ sums)) / count
    student = stats.t(groups - 1)
    half = float(student.ppf(1.0 - ALPHA / 2.0)) * error
    p_value = float(2.0 * student.sf(abs(difference) / error)) if error > 0 else float(difference == 0)
    return ClusteredDifference(
        difference=difference,
        standard_error=error,
        ci95=(difference - half, difference + half),
        p_value=p_value,
        cases=count,
        clusters=groups,
        needed=_needed(difference, error, count),
        detectable=detectable_difference(error),
    )


def detectable_difference(standard_error: float, *, alpha: float = ALPHA, power: float = POWER) -> float:
    """The least true difference that a two-sided test at ``alpha`` finds with ``power``: (z_{1-a/2} + z_power) se."""
    return _two_quantiles(alpha, power) * standard_error


def power_of(difference: float, standard_error: float, *, alpha: float = ALPHA) -> float:
    """The chance that a two-sided normal test at ``alpha`` finds a true difference: both tails of the estimate."""
    from scipy.stats import norm

    if standard_error <= 0:
        return 1.0 if difference else alpha
    line, reach = float(norm.ppf(1.0 - alpha / 2.0)), abs(difference) / standard_error
    return float(norm.sf(line - reach) + norm.cdf(-line - reach))


def observations_for_sharpe(sharpe: float, *, alpha: float = ALPHA, power: float = 0.5) -> int | None:
    """Independent normal returns after which a per-period Sharpe ratio is told from 0, one-sided at ``alpha``.

    Lo (2002): T = (z_{1-a} + z_power)^2 (1 + SR^2 / 2) / SR^2. A power of one half, the default, is the bare length at
    which the expected estimate touches the limit. None for a ratio that is not positive.
    """
    if sharpe <= 0:
        return None
    from scipy.stats import norm

    reach = float(norm.ppf(1.0 - alpha) + norm.ppf(power))
    return math.ceil(reach**2 * (1.0 + 0.5 * sharpe**2) / sharpe**2)


def _needed(difference: float, error: float, cases: int) -> int | None:
    if difference == 0 or not math.isfinite(difference):
        return None
    return max(2, math.ceil(cases * (_two_quantiles(ALPHA, POWER) * error / difference) ** 2))


def _two_quantiles(alpha: float, power: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(1.0 - alpha / 2.0) + norm.ppf(power))

"""The Sharpe ratio, how far it can be trusted, and what is left of it after the best of many was picked.

Everything is per period of the returns given; only :func:`annualised` changes that. Kurtosis is raw: 3 for a normal.
"""

import math
from statistics import NormalDist

import numpy as np

from trading.stats.sample import FloatArray, why_unscored

_YEAR_MS = 365 * 86_400_000
_NORMAL = NormalDist()
_EULER = 0.5772156649015329


def periods_per_year(step_ms: int) -> float:
    """Steps of ``step_ms`` in a year of 365 days: crypto does not close."""
    if step_ms <= 0:
        raise ValueError(f"a step of {step_ms} ms cannot be annualised, expected a positive one")
    return _YEAR_MS / step_ms


def sharpe_ratio(returns: FloatArray) -> float | None:
    """Mean over standard deviation (n - 1) of the returns of shape (n,).

    None for fewer than 20 returns, for NaN among them, and where they do not vary.
    """
    if why_unscored(returns) is not None:
        return None
    return float(returns.mean() / returns.std(ddof=1))


def sharpe_ratios(returns: FloatArray) -> FloatArray:
    """Sharpe ratio along the last axis, NaN where the returns do not vary. For resamples; see :func:`sharpe_ratio`."""
    spread = returns.std(axis=-1, ddof=1)
    mean = returns.mean(axis=-1)
    flat = spread <= 1e-9 * np.abs(returns).max(axis=-1)
    ratios: FloatArray = np.divide(mean, spread, out=np.full_like(mean, np.nan), where=~flat)
    return ratios


def sharpe_of_sums(sums: FloatArray, squares: FloatArray, observations: int) -> FloatArray:
    """Sharpe ratios from the sums of returns and of their squares, NaN where the returns do not vary."""
    mean = sums / observations
    spread = squares / observations - mean**2
    varies = spread > 1e-12 * squares / observations
    scale = (observations - 1) / observations
    ratios: FloatArray = np.full_like(mean, np.nan)
    np.divide(mean * np.sqrt(scale), np.sqrt(np.where(varies, spread, 1.0)), out=ratios, where=varies)
    return ratios


def annualised(sharpe: float, *, periods_per_year: float) -> float:
    """A per-period ratio as an annual one, by the square root of time (no serial correlation assumed)."""
    return sharpe * math.sqrt(periods_per_year)


def standard_error(sharpe: float, observations: int) -> float:
    """Standard error of a per-period Sharpe ratio of independent normal returns: sqrt((1 + SR^2 / 2) / T) (Lo 2002)."""
    return math.sqrt((1.0 + 0.5 * sharpe * sharpe) / observations)


def moments(returns: FloatArray) -> tuple[float, float]:
    """Skewness and raw kurtosis (3 for a normal), by population moments."""
    centred = returns - returns.mean()
    variance = float(np.mean(centred**2))
    return float(np.mean(centred**3)) / variance**1.5, float(np.mean(centred**4)) / variance**2


def probabilistic_sharpe(
    sharpe: float, *, observations: int, skewness: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Probability that the true ratio is above ``benchmark`` (Bailey & Lopez de Prado 2012). All per period."""
    spread = 1.0 - skewness * sharpe + 0.25 * (kurtosis - 1.0) * sharpe * sharpe
    return _NORMAL.cdf((sharpe - benchmark) * math.sqrt(observations - 1) / math.sqrt(spread))


def expected_maximum_sharpe(trials: int, *, variance: float) -> float:
    """The best ratio to expect of ``trials`` without skill whose ratios have ``variance`` (per period).

    Bailey & Lopez de Prado 2014. Pass the variance under the null (1 / T for T returns) where a real edge may be among
    the trials: the variance measured across them would swallow it.
    """
    if trials < 2:
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - _EULER) * first + _EULER * second)


def deflated_sharpe(
    sharpe: float, *, observations: int, skewness: float, kurtosis: float, trials: int, variance: float
) -> float:
    """Probability that the ratio beats the best that ``trials`` without skill would show. All per period.

    Bailey & Lopez de Prado 2014; ``variance`` as in :func:`expected_maximum_sharpe`.
    """
    return probabilistic_sharpe(
        sharpe,
        observations=observations,
        skewness=skewness,
        kurtosis=kurtosis,
        benchmark=expected_maximum_sharpe(trials, variance=variance),
    )

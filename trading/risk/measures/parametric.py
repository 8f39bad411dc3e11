"""VaR and CVaR from moments: the normal distribution, and its Cornish-Fisher correction for skew and fat tails."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_level, checked_series

_NORMAL = NormalDist()
_NODES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Mean and standard deviation of returns, their skewness, and their kurtosis in excess of the normal's 3."""

    mean: float
    deviation: float
    skewness: float
    excess_kurtosis: float


def return_moments(returns: FloatArray) -> Moments:
    """Moments of ``returns`` (shape (n,)): deviation over n - 1, shape over n. A flat series has no shape: 0."""
    series = checked_series(returns)
    mean, deviation = float(series.mean()), float(series.std(ddof=1))
    spread = float(series.std())
    if spread <= 1e-14 * max(1.0, abs(mean)):
        return Moments(mean=mean, deviation=0.0, skewness=0.0, excess_kurtosis=0.0)
    scaled = (series - mean) / spread
    return Moments(
        mean=mean,
        deviation=deviation,
        skewness=float((scaled**3).mean()),
        excess_kurtosis=float((scaled**4).mean()) - 3.0,
    )


def normal_var(mean: float, deviation: float, level: float) -> float:
    """VaR of a normal return, positive for a loss: deviation * z - mean, z the ``level`` quantile."""
    return deviation * _NORMAL.inv_cdf(checked_level(level)) - mean


def normal_cvar(mean: float, deviation: float, level: float) -> float:
    """CVaR of a normal return: deviation * pdf(z) / (1 - level) - mean. Rockafellar and Uryasev (2000)."""
    return deviation * _NORMAL.pdf(_NORMAL.inv_cdf(checked_level(level))) / (1.0 - level) - mean


def cornish_fisher_quantile(z: float, skewness: float, excess_kurtosis: float) -> float:
    """The standardised quantile that skew and kurtosis make of the normal quantile ``z``.

    z + (z^2-1)S/6 + (z^3-3z)K/24 - (2z^3-5z)S^2/36. Cornish and Fisher (1937).
    """
    return (
        z
        + (z * z - 1.0) * skewness / 6.0
        + (z**3 - 3.0 * z) * excess_kurtosis / 24.0
        - (2.0 * z**3 - 5.0 * z) * skewness * skewness / 36.0
    )


def is_cornish_fisher_valid(skewness: float, excess_kurtosis: float) -> bool:
    """Whether the corrected quantile rises everywhere with the normal one, as a quantile must. Maillard (2012)."""
    s, k = skewness / 6.0, excess_kurtosis / 24.0
    # The slope is a parabola in z; it stays positive when it opens upwards and has no root.
    square, linear, constant = 3.0 * k - 6.0 * s * s, 2.0 * s, 1.0 - 3.0 * k + 5.0 * s * s
    if square <= 0.0:
        return square == 0.0 and linear == 0.0
    return linear * linear < 4.0 * square * constant


def cornish_fisher_var(moments: Moments, level: float) -> float | None:
    """VaR with skew and kurtosis corrected for; None where the expansion is no quantile function."""
    if not is_cornish_fisher_valid(moments.skewness, moments.excess_kurtosis):
        return None
    z = _NORMAL.inv_cdf(1.0 - checked_level(level))
    corrected = cornish_fisher_quantile(z, moments.skewness, moments.excess_kurtosis)
    return -(moments.mean + moments.deviation * corrected)


def cornish_fisher_cvar(moments: Moments, level: float) -> float | None:
    """Mean of the corrected losses beyond the ``level`` quantile, by the midpoint rule; None as for the VaR."""
    if not is_cornish_fisher_valid(moments.skewness, moments.excess_kurtosis):
        return None
    tail = (np.arange(_NODES) + 0.5) * ((1.0 - checked_level(level)) / _NODES)
    quantiles = [
        cornish_fisher_quantile(_NORMAL.inv_cdf(p), moments.skewness, moments.excess_kurtosis) for p in tail.tolist()
    ]
    return -(moments.mean + moments.deviation * float(np.mean(quantiles)))

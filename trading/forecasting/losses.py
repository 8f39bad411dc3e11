"""What each forecast lost, row by row: the losses that scores, intervals and paired tests are made from."""

import math
from dataclasses import dataclass

import numpy as np

from trading.forecasting.distribution import HIGH, LEVELS, LOW, Distributions
from trading.marketdata import FloatArray

_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Losses of n forecasts, each of shape (n,), lower is better; ``inside`` is 1 where the 90 % interval held.

    ``correct`` is a half where no direction was said. ``crps`` in log return; ``qlike`` as in :func:`qlike`;
    ``log_volatility`` is the squared error of log volatility.
    """

    brier: FloatArray
    log: FloatArray
    crps: FloatArray
    qlike: FloatArray
    log_volatility: FloatArray
    correct: FloatArray
    inside: FloatArray


def losses_of(said: Distributions, log_return: FloatArray, realised: FloatArray) -> Losses:
    """The losses of ``said`` given what came; shapes (n,)."""
    up = np.where(log_return > 0, 1.0, 0.0)
    p_up = np.clip(said.p_up, _TINY, 1.0 - _TINY)
    inside = (log_return >= said.quantiles[:, LOW]) & (log_return <= said.quantiles[:, HIGH])
    return Losses(
        brier=(p_up - up) ** 2,
        log=-(up * np.log(p_up) + (1.0 - up) * np.log(1.0 - p_up)),
        crps=crps(said.quantiles, log_return),
        qlike=qlike(said.volatility, realised),
        log_volatility=(np.log(np.maximum(said.typical, _TINY)) - np.log(np.maximum(realised, _TINY))) ** 2,
        correct=np.where(said.p_up == 0.5, 0.5, np.where((said.p_up > 0.5) == (up > 0.5), 1.0, 0.0)),
        inside=inside.astype(np.float64),
    )


def crps(quantiles: FloatArray, outcomes: FloatArray) -> FloatArray:
    """Continuous ranked probability score of each row, twice the integral of the pinball loss over the levels.

    Gneiting & Ranjan (2011), by the trapezoid rule on 19 levels: tails beyond 5 % are hardly looked into.
    """
    missed = outcomes[:, np.newaxis] - quantiles
    spacing = float(LEVELS[1] - LEVELS[0])
    return np.asarray(2.0 * spacing * np.sum(np.maximum(LEVELS * missed, (LEVELS - 1.0) * missed), axis=1))


def qlike(volatility: FloatArray, realised: FloatArray) -> FloatArray:
    """Loss of a variance forecast: ratio - log(ratio) - 1 of realised over forecast variance (Patton 2011).

    Robust to noise in the realised measure; NaN where nothing moved, which says nothing of a ratio.
    """
    ratio = np.where(realised > 0, (realised / np.maximum(volatility, _TINY)) ** 2, np.nan)
    return np.asarray(ratio - np.log(ratio) - 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Mean loss of the first less that of the second, and the p-value of no difference (two-sided).

    Negative: the first is better.
    """

    difference: float
    statistic: float
    p_value: float
    n: int


def diebold_mariano(first: FloatArray, second: FloatArray, *, steps: int) -> PairedTest | None:
    """Whether two series of losses differ in the mean (Diebold & Mariano 1995), forecasts looking ``steps`` ahead.

    Variance by Newey & West (1987) with a bandwidth of three horizons, small-sample correction and Student's t of
    Harvey, Leybourne & Newbold (1997). Rows where either is NaN are left out. None below 20 rows or without variation.
    """
    from scipy.stats import t as student

    gap = first - second
    gap = gap[np.isfinite(gap)]
    n = gap.size
    if n < max(20, 2 * steps):
        return None
    centred = gap - gap.mean()
    lags = min(n // 3, max(3 * steps, math.ceil(4.0 * (n / 100.0) ** (2.0 / 9.0))))
    variance = float(centred @ centred) / n
    for lag in range(1, lags + 1):
        variance += 2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag]) / n
    if variance <= 0.0:
        return None
    correction = math.sqrt(max(0.0, (n + 1.0 - 2.0 * steps + steps * (steps - 1.0) / n) / n))
    statistic = float(gap.mean()) / math.sqrt(variance / n) * correction
    return PairedTest(
        difference=float(gap.mean()),
        statistic=statistic,
        p_value=float(2.0 * student.sf(abs(statistic), n - 1)),
        n=n,
    )

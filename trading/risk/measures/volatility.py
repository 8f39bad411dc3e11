"""One-step forecasts of variance from past returns: EWMA and a mixture of EWMAs with long memory.

Every forecast has one value more than there are returns: entry i knows the returns before i, the last one knows all.
"""

import math
from itertools import accumulate

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_series

RISKMETRICS_DECAY = 0.94
"""J.P. Morgan/Reuters (1996)."""

_SHORTEST_BARS = 1.0
_LONGEST_BARS = 512.0
_RATIO = math.sqrt(2.0)
_CUTOFF_BARS = 1560.0
_BURN_IN = 200
"""Returns whose mean square the recursions start from."""


def ewma_variance(returns: FloatArray, decay: float = RISKMETRICS_DECAY) -> FloatArray:
    """Exponentially weighted variance of ``returns`` (n,) with mean 0, shape (n + 1,).

    v[i+1] = decay * v[i] + (1 - decay) * r[i]^2, started at the mean square of the first 200 returns: the forecasts
    inside that stretch know its end, so judge none of them.
    """
    if not 0 < decay < 1:
        raise ValueError(f"decay {decay}: expected a number between 0 and 1, such as 0.94")
    squares = checked_series(returns) ** 2
    return _weighted(squares.tolist(), decay, float(squares[:_BURN_IN].mean()))


def long_memory_variance(returns: FloatArray, shortest_bars: float = _SHORTEST_BARS) -> FloatArray:
    """Variance of ``returns`` (n,) as a mixture of EWMAs, shape (n + 1,): quick to react, slow to forget.

    Time scales grow by sqrt(2) from ``shortest_bars`` to 512 bars; the weight of scale tau falls as
    1 - ln(tau) / ln(1560). Zumbach (2007), "The RiskMetrics 2006 methodology", whose shortest scale is 4 steps of a
    day. On hourly bars volatility jumps within the hour, hence 1. The start is that of :func:`ewma_variance`.
    """
    squares = checked_series(returns) ** 2
    if not 0 < shortest_bars < _LONGEST_BARS:
        raise ValueError(f"shortest scale of {shortest_bars} bars: expected between 0 and {_LONGEST_BARS:g}")
    count = round(math.log(_LONGEST_BARS / shortest_bars) / math.log(_RATIO)) + 1
    scales = [shortest_bars * _RATIO**k for k in range(count)]
    weights = np.array([1.0 - math.log(scale) / math.log(_CUTOFF_BARS) for scale in scales])
    weights /= weights.sum()
    values, start = squares.tolist(), float(squares[:_BURN_IN].mean())
    mixed = np.zeros(len(squares) + 1)
    for weight, scale in zip(weights, scales, strict=True):
        mixed += weight * _weighted(values, math.exp(-1.0 / scale), start)
    return mixed


def _weighted(squares: list[float], decay: float, start: float) -> FloatArray:
    gain = 1.0 - decay
    # A loop over floats: each value needs the one before, which no array operation gives without loss of precision.
    return np.array(list(accumulate(squares, lambda old, new: decay * old + gain * new, initial=start)))

"""The rule that names regimes: volatile when volatility is far above its baseline, else by the strength of a trend."""

import numpy as np

from trading.marketdata import FloatArray

TREND_AT = 1.0
"""Strength from which a trend is called: without one, a third of the bars lie beyond it, on either side."""

VOLATILE_AT = float(np.log(1.5))
"""Log of the ratio to the baseline from which a market is called volatile."""

_STRENGTH_ERROR = 1.0
_VOLATILITY_ERROR = 0.15
"""Sampling errors: of a self-normalised sum, and of the log root mean square of 24 normal returns (1/sqrt(48))."""


def rule_probs(strength: FloatArray, volatility: FloatArray, *, softness: float = 1.0) -> FloatArray:
    """Probabilities of bull, bear, ranging and volatile, shape (n, 4): that the true values lie beyond the lines.

    ``softness`` scales the sampling errors of the two inputs, each of shape (n,).
    """
    from scipy.special import ndtr

    wild = ndtr((volatility - VOLATILE_AT) / (softness * _VOLATILITY_ERROR))
    bull = ndtr((strength - TREND_AT) / (softness * _STRENGTH_ERROR))
    bear = ndtr((-strength - TREND_AT) / (softness * _STRENGTH_ERROR))
    ranging = np.maximum(1.0 - bull - bear, 0.0)
    return np.column_stack([*((1.0 - wild) * each for each in (bull, bear, ranging)), wild])

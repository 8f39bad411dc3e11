"""Intervals that hold as often as they say, whatever the market does: their width follows how often they held lately.

The quantile tracker of Angelopoulos, Candes & Tibshirani (2023), after the adaptive conformal inference of Gibbs &
Candes (2021): after every miss the width grows by ``rate * (1 - alpha)``, after every hit it shrinks by
``rate * alpha``. Whatever the sequence, the long-run share of misses is ``alpha`` up to (range + rate) / (rate * n).
"""

import numpy as np

from trading.marketdata import FloatArray
from trading.stats import BoolArray

ALPHA = 0.10
RATE = 0.01
FACTOR_BOUNDS = (0.4, 4.0)


def next_factor(factor: float, missed: bool) -> float:
    """The factor on the width after one more outcome is known."""
    moved = factor + RATE * ((1.0 if missed else 0.0) - ALPHA)
    return min(FACTOR_BOUNDS[1], max(FACTOR_BOUNDS[0], moved))


def adapt(
    low: FloatArray, high: FloatArray, outcomes: FloatArray, *, steps: int, start: float = 1.0
) -> tuple[FloatArray, float]:
    """Factors on the forecasts ``low`` .. ``high`` of consecutive rows, shape (n,), and the factor after the last row.

    The factor of row ``t`` rests on outcomes of rows up to ``t - steps``: the others are not known yet. A NaN outcome
    teaches nothing.
    """
    factors = np.empty(len(outcomes))
    factor = start
    missed: BoolArray = np.zeros(len(outcomes), bool)
    for row, outcome in enumerate(outcomes):
        known = row - steps
        if known >= 0 and np.isfinite(outcomes[known]):
            factor = next_factor(factor, bool(missed[known]))
        factors[row] = factor
        missed[row] = not factor * low[row] <= outcome <= factor * high[row]
    return factors, factor

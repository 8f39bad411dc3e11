"""How far an account fell from its best."""

import numpy as np

from trading.stats.sample import FloatArray, why_unscored


def max_drawdown(equity: FloatArray) -> float | None:
    """The deepest fall from an earlier peak as a fraction of that peak; above 1 where debt was left.

    ``equity`` has shape (n,). None for an empty series, one with NaN, or one that starts without equity.
    """
    if why_unscored(equity, minimum=1, may_be_flat=True) is not None or equity[0] <= 0:
        return None
    peak = np.maximum.accumulate(equity)
    return float(np.max((peak - equity) / peak))

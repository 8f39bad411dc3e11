"""What every measure asks of its numbers before it trusts them."""

import numpy as np

from trading.marketdata import FloatArray


def checked_series(values: FloatArray, *, minimum: int = 2) -> FloatArray:
    """``values`` as float64 of shape (n,). ValueError for another shape, fewer than ``minimum``, NaN or infinity."""
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1 or len(series) < minimum:
        raise ValueError(f"returns of shape {series.shape}: expected one series of at least {minimum}")
    if not np.isfinite(series).all():
        raise ValueError("returns hold NaN or infinity: leave out what is not known before measuring")
    return series


def checked_columns(values: FloatArray, *, minimum: int = 2) -> FloatArray:
    """``values`` as float64 of shape (n, assets). ValueError for another shape, too few rows, NaN or infinity."""
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or len(table) < minimum or not table.shape[1]:
        raise ValueError(f"returns of shape {table.shape}: expected (n, assets) with n of at least {minimum}")
    if not np.isfinite(table).all():
        raise ValueError("returns hold NaN or infinity: leave out what is not known before measuring")
    return table


def checked_level(level: float) -> float:
    """A confidence level. ValueError unless it lies strictly between 0.5 and 1."""
    if not 0.5 < level < 1:
        raise ValueError(f"level {level}: expected a confidence between 0.5 and 1, such as 0.99")
    return level

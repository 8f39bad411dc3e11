"""When a sample can carry a statistic, and why not when it cannot."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MIN_OBSERVATIONS = 20
"""Fewest observations that any estimate with an uncertainty is made from; below it the answer is None."""

_FLAT = 1e-9
"""A spread below this share of the largest value is rounding, not variation."""


def is_flat(values: FloatArray) -> bool:
    """Whether all ``values`` are the same but for rounding."""
    return values.size == 0 or float(np.ptp(values)) <= _FLAT * float(np.max(np.abs(values)))


def why_unscored(values: FloatArray, *, minimum: int = MIN_OBSERVATIONS, may_be_flat: bool = False) -> str | None:
    """The reason why ``values`` (shape (n,)) cannot carry a statistic, or None when they can.

    NaN and infinities are never dropped in silence: one of them and the whole series is unscored. A series without
    variation has no Sharpe ratio (``may_be_flat`` is for statistics that do not divide by it).
    """
    if values.size < minimum:
        return f"{values.size} observations, at least {minimum} are needed"
    unknown = int(np.count_nonzero(~np.isfinite(values)))
    if unknown:
        return f"{unknown} of {values.size} observations are not finite"
    if not may_be_flat and is_flat(values):
        return "the observations do not vary"
    return None

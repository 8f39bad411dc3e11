"""When things are fitted anew: by the clock, so that it does not matter where a recording begins."""

from itertools import pairwise

import numpy as np

from trading.marketdata import IntArray


def fit_periods(open_ms: IntArray, step_ms: int, refit: int) -> IntArray:
    """Number of the stretch between two fits that each bar lies in: the clock completes ``refit`` bars at its start."""
    found: IntArray = (open_ms // step_ms + 1) // refit
    return found


def fit_stretches(open_ms: IntArray, step_ms: int, refit: int) -> list[tuple[int, int]]:
    """Rows between one fit and the next, as (begin, end). A fit at ``begin`` may see the rows before it."""
    if not len(open_ms):
        return []
    breaks = np.flatnonzero(np.diff(fit_periods(open_ms, step_ms, refit))) + 1
    edges = [0, *breaks.tolist(), len(open_ms)]
    return list(pairwise(edges))

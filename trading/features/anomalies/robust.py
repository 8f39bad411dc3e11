"""Deviations and ranks against the bars before, which a few wild ones among them do not move."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from trading.marketdata import FloatArray

MAD_TO_DEVIATION = 1.4826
"""Makes the median absolute deviation of normal values their standard deviation."""


def _before(values: FloatArray, window: int) -> FloatArray:
    """The ``window`` values before each value but the first ``window``, shape (n - window, window)."""
    return sliding_window_view(values, window)[:-1]


def robust_scores(values: FloatArray, window: int, *, floor: float = 0.0, newest: int | None = None) -> FloatArray:
    """Deviation of each value from the median of the ``window`` before it, in their scaled MAD; shape (n,).

    NaN where the window is not full or has a hole, or where it did not move by more than ``floor``. With ``newest``,
    only so many of the last values are judged and all before them are NaN.
    """
    found = np.full(len(values), np.nan)
    first = window if newest is None else max(window, len(values) - newest)
    if len(values) <= first:
        return found
    past = _before(values, window)[first - window :]
    middle = np.median(past, axis=1)
    spread = MAD_TO_DEVIATION * np.median(np.abs(past - middle[:, None]), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found[first:] = (values[first:] - middle) / np.where(spread > floor, spread, np.nan)
    return found


def normal_scores(values: FloatArray, window: int) -> FloatArray:
    """Rank of each value among the ``window`` before it, as a standard normal deviate; ties get their middle rank.

    Independent values of any one distribution become about normal(0, 1): what a control chart is made for. NaN where
    the window is not full or has a hole.
    """
    from scipy.special import ndtri

    found = np.full(len(values), np.nan)
    if len(values) <= window:
        return found
    past, now = _before(values, window), values[window:, None]
    rank = (past < now).sum(axis=1) + 0.5 * (past == now).sum(axis=1)
    whole = ~(np.isnan(past).any(axis=1) | np.isnan(now[:, 0]))
    found[window:] = np.where(whole, ndtri((rank + 0.5) / (window + 1)), np.nan)
    return found


def surprises(values: FloatArray, window: int) -> FloatArray:
    """Each value less the mean of the ``window`` before it: what is new in a level that wanders. NaN at first."""
    found = np.full(len(values), np.nan)
    if len(values) > window:
        found[window:] = values[window:] - _before(values, window).mean(axis=1)
    return found

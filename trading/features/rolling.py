"""Sums, deviations and lines over the last so many values, each from its own window alone.

No running totals: a running sum carries the rounding of everything before it, so that the same window gives other
digits elsewhere in the recording. Results are shorter than what they are made of and end at the same bar; the functions
of two arrays line them up at their ends.
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from trading.marketdata import FloatArray

DEVIATION_FLOOR = 1e-7
"""Spread of values relative to their size below which a spread is rounding noise, and a ratio to it is not known."""


def windows(values: FloatArray, length: int) -> FloatArray:
    """Every run of ``length`` values, shape (n - length + 1, length), without a copy."""
    if len(values) == length:
        return values[None, :]
    return sliding_window_view(values, length)


def aligned(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both, cut to the shorter at their ends."""
    count = min(len(first), len(second))
    return first[len(first) - count :], second[len(second) - count :]


def difference(first: FloatArray, second: FloatArray) -> FloatArray:
    """``first - second``, lined up at the end."""
    first, second = aligned(first, second)
    return first - second


def product(first: FloatArray, second: FloatArray) -> FloatArray:
    """``first * second``, lined up at the end."""
    first, second = aligned(first, second)
    return first * second


def ratio(first: FloatArray, second: FloatArray) -> FloatArray:
    """``first / second``, lined up at the end."""
    first, second = aligned(first, second)
    return first / second


def distance(value: FloatArray, level: FloatArray) -> FloatArray:
    """How far ``value`` lies above ``level``, as a fraction of the level."""
    return ratio(value, level) - 1.0


def log_returns(close: FloatArray) -> FloatArray:
    """Log return of each bar but the first."""
    return np.diff(np.log(close))


@cache
def _ones(length: int) -> FloatArray:
    return np.ones(length)


def weighted(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Sum of each window times ``weights``, oldest first."""
    return np.correlate(values, weights, "valid")


def total(values: FloatArray, length: int) -> FloatArray:
    """Sum over each window."""
    return weighted(values, _ones(length))


def mean(values: FloatArray, length: int) -> FloatArray:
    """Mean over each window."""
    return total(values, length) / length


def highest(values: FloatArray, length: int) -> FloatArray:
    """Largest of each window."""
    found: FloatArray = windows(values, length).max(axis=1)
    return found


def lowest(values: FloatArray, length: int) -> FloatArray:
    """Smallest of each window."""
    found: FloatArray = windows(values, length).min(axis=1)
    return found


def centred(values: FloatArray, length: int) -> FloatArray:
    """Each window less its mean, shape (n - length + 1, length)."""
    view = windows(values, length)
    found: FloatArray = view - (view.sum(axis=1) / length)[:, None]
    return found


def deviation(values: FloatArray, length: int) -> FloatArray:
    """Sample standard deviation of each window."""
    residual = centred(values, length)
    found: FloatArray = np.sqrt(np.einsum("ij,ij->i", residual, residual) / (length - 1))
    return found


def position(value: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Where ``value`` lies between ``lower`` (0) and ``upper`` (1); NaN where the two are one but for rounding."""
    width = difference(upper, lower)
    upper, width = aligned(upper, width)
    return ratio(difference(value, lower), np.where(width > DEVIATION_FLOOR * np.abs(upper), width, np.nan))


def zscore(values: FloatArray, length: int) -> FloatArray:
    """How many sample deviations the last of each window lies from its mean; NaN where nothing moved."""
    residual, squares = _scatter(values, length)
    return residual[:, -1] / np.sqrt(squares / (length - 1))


def beta(dependent: FloatArray, driver: FloatArray, length: int) -> FloatArray:
    """Least-squares slope of ``dependent`` on ``driver`` in each window; NaN where the driver did not move."""
    dependent, driver = aligned(dependent, driver)
    residual, squares = _scatter(driver, length)
    slopes: FloatArray = np.einsum("ij,ij->i", centred(dependent, length), residual) / squares
    return slopes


def correlation(first: FloatArray, second: FloatArray, length: int) -> FloatArray:
    """Pearson correlation of each window; NaN where one of the two did not move."""
    first, second = aligned(first, second)
    one, one_squares = _scatter(first, length)
    other, other_squares = _scatter(second, length)
    found: FloatArray = np.einsum("ij,ij->i", one, other) / np.sqrt(one_squares * other_squares)
    return found


def slope(values: FloatArray, length: int) -> FloatArray:
    """Slope per bar of the least-squares line through each window."""
    return weighted(values, _slope_weights(length))


def line_fit(values: FloatArray, length: int) -> FloatArray:
    """Share of the variance of each window that its least-squares line explains (R squared)."""
    steps = np.arange(length) - (length - 1) / 2
    explained: FloatArray = slope(values, length) ** 2 * (steps @ steps)
    return explained / _scatter(values, length)[1]


@cache
def _slope_weights(length: int) -> FloatArray:
    steps = np.arange(length) - (length - 1) / 2
    weights: FloatArray = steps / (steps @ steps)
    return weights


def _scatter(values: FloatArray, length: int) -> tuple[FloatArray, FloatArray]:
    """Each window less its mean, and the sum of its squares: NaN where that is only rounding."""
    residual = centred(values, length)
    squares = np.einsum("ij,ij->i", residual, residual)
    size = np.abs(windows(values, length)).max(axis=1)
    return residual, np.where(squares > (DEVIATION_FLOOR * size) ** 2, squares, np.nan)

"""The stationary bootstrap: intervals and paired differences of statistics of serially dependent series.

Politis & Romano (1994). Blocks have random (geometric) lengths and wrap around the end. A true coverage of about 0.9 is
what a nominal 95 % interval has on three months of daily returns: below six months, read it as indicative.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trading.stats.sample import BoolArray, FloatArray, IntArray, is_flat, why_unscored

Statistic = Callable[[FloatArray], FloatArray]
"""Reduces the last axis: (..., n) -> (...). NaN where a resample has no value."""

RESAMPLES = 1000
_CHUNK_VALUES = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """First minus second, with its 95 % interval and the two-sided p-value of no difference."""

    difference: float
    ci95: tuple[float, float]
    p_value: float


def optimal_block_length(values: FloatArray) -> float:
    """Mean block length for the stationary bootstrap of the mean of ``values`` (shape (n,)), at least 1.

    Politis & White (2004) with the correction of Patton, Politis & White (2009). 1 for a flat series.
    """
    n = values.size
    if n < 3 or is_flat(values):
        return 1.0
    run = max(5, int(math.log10(n)))
    longest = min(math.ceil(math.sqrt(n)) + run, n - 1)
    covariance = _autocovariance(values, min(2 * longest, n - 1))
    significant = np.abs(covariance[1 : longest + run + 1]) > 2.0 * math.sqrt(math.log10(n) / n) * covariance[0]
    lag = _first_quiet_lag(significant, run, longest)
    window = min(2 * max(lag, 1), longest)
    lags = np.arange(-window, window + 1)
    weight = np.minimum(1.0, 2.0 * (1.0 - np.abs(lags) / window))
    at = covariance[np.abs(lags)]
    spectrum = float(np.sum(weight * at))
    if spectrum <= 0.0:
        return 1.0
    slope = float(np.sum(weight * np.abs(lags) * at))
    best = (slope * slope / (spectrum * spectrum) * n) ** (1.0 / 3.0)
    return float(min(max(1.0, best), math.ceil(min(3.0 * math.sqrt(n), n / 3.0))))


def stationary_indices(length: int, resamples: int, *, block_length: float, rng: np.random.Generator) -> IntArray:
    """Positions that make ``resamples`` resamples of a series of ``length``, shape (resamples, length)."""
    at = np.arange(length)
    starts = rng.integers(0, length, size=(resamples, length))
    jumps = rng.random((resamples, length)) < 1.0 / max(1.0, block_length)
    jumps[:, 0] = True
    begun = np.maximum.accumulate(np.where(jumps, at, 0), axis=1)
    indices: IntArray = (np.take_along_axis(starts, begun, axis=1) + at - begun) % length
    return indices


def resampled(
    columns: FloatArray,
    statistic: Statistic,
    *,
    resamples: int = RESAMPLES,
    block_length: float | None = None,
    rng: np.random.Generator,
) -> FloatArray:
    """``statistic`` of every row of ``columns`` (series, n) on the same resamples of time, shape (resamples, series).

    One resampling for all series keeps what they have in common, so that rows of the answer may be subtracted.
    ``block_length`` defaults to the longest that any of the series asks for.
    """
    series, length = columns.shape
    if block_length is None:
        block_length = max(optimal_block_length(column) for column in columns)
    found = np.empty((resamples, series))
    chunk = max(1, _CHUNK_VALUES // max(1, length))
    for begin in range(0, resamples, chunk):
        end = min(resamples, begin + chunk)
        indices = stationary_indices(length, end - begin, block_length=block_length, rng=rng)
        for row in range(series):
            found[begin:end, row] = statistic(columns[row][indices])
    return found


def resampled_sums(rows: FloatArray, *, resamples: int, block_length: float, rng: np.random.Generator) -> FloatArray:
    """The sum of every row of ``rows`` (series, n) on the same resamples of time, shape (resamples, series).

    What :func:`resampled` gives for a sum, many times faster: how often each instant was drawn, times the rows.
    """
    series, length = rows.shape
    found = np.empty((resamples, series))
    chunk = max(1, _CHUNK_VALUES // max(1, length))
    for begin in range(0, resamples, chunk):
        count = min(chunk, resamples - begin)
        indices = stationary_indices(length, count, block_length=block_length, rng=rng)
        indices += length * np.arange(count)[:, np.newaxis]
        times = np.bincount(indices.ravel(), minlength=count * length).reshape(count, length)
        found[begin : begin + count] = times.astype(np.float64) @ rows.T
    return found


def percentile_interval(draws: FloatArray, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """The central ``confidence`` of ``draws``; None when more than one in twenty has no value."""
    known = draws[np.isfinite(draws)]
    if known.size < 0.95 * draws.size or not known.size:
        return None
    low, high = np.quantile(known, [0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
    return float(low), float(high)


def interval(
    values: FloatArray,
    statistic: Statistic,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    block_length: float | None = None,
    rng: np.random.Generator,
) -> tuple[float, float] | None:
    """Percentile interval of ``statistic`` of one series of shape (n,).

    None for fewer than 20 values, NaN among them, or no variation.
    """
    if why_unscored(values) is not None:
        return None
    draws = resampled(values[np.newaxis], statistic, resamples=resamples, block_length=block_length, rng=rng)
    return percentile_interval(draws[:, 0], confidence=confidence)


def paired_difference(
    first: FloatArray,
    second: FloatArray,
    statistic: Statistic,
    *,
    resamples: int = RESAMPLES,
    block_length: float | None = None,
    rng: np.random.Generator,
) -> PairedDifference | None:
    """How far the statistics of two aligned series differ, by resampling both at the same instants.

    The joint resampling of Ledoit & Wolf (2008) without their studentisation. ``block_length`` defaults to what the
    difference of the series asks for. None where either series is unscored or the statistic has no value.
    """
    if first.shape != second.shape:
        raise ValueError(f"series of shapes {first.shape} and {second.shape} are not aligned")
    if why_unscored(first, may_be_flat=True) is not None or why_unscored(second, may_be_flat=True) is not None:
        return None
    if block_length is None:
        block_length = optimal_block_length(first - second)
    pair = np.stack([first, second])
    observed = statistic(pair)
    draws = resampled(pair, statistic, resamples=resamples, block_length=block_length, rng=rng)
    spread = draws[:, 0] - draws[:, 1]
    difference = float(observed[0] - observed[1])
    ci95 = percentile_interval(spread)
    if ci95 is None or not math.isfinite(difference):
        return None
    return PairedDifference(difference=difference, ci95=ci95, p_value=float(p_values(difference, spread)))


def p_values(observed: float | FloatArray, draws: FloatArray) -> FloatArray:
    """Two-sided p-value of ``observed`` being zero, from bootstrap ``draws`` of it along the first axis.

    The draws are centred on what was observed; draws without a value count against a difference. The smallest p-value
    is 1 / (draws + 1); where the observed value is 0 it is 1.
    """
    size = np.abs(observed)
    as_far = np.abs(draws - observed) >= size - 1e-12 * np.maximum(size, 1e-300)
    return np.asarray((1.0 + np.count_nonzero(as_far | np.isnan(draws), axis=0)) / (draws.shape[0] + 1.0))


def _autocovariance(values: FloatArray, lags: int) -> FloatArray:
    centred = values - values.mean()
    n = centred.size
    return np.array([float(centred[: n - lag] @ centred[lag:]) / n for lag in range(lags + 1)])


def _first_quiet_lag(significant: BoolArray, run: int, longest: int) -> int:
    """The lag after which ``run`` correlations in a row are insignificant; else the last significant one."""
    for lag in range(longest + 1):
        if not significant[lag : lag + run].any():
            return lag
    return int(np.flatnonzero(significant)[-1]) + 1

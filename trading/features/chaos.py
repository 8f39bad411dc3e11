"""Measures of roughness, memory and disorder of a series: Hurst, fractal dimension, Lyapunov, sample entropy.

Every function takes series as rows, shape (m, n), and gives one value a row, shape (m,); NaN where a row holds too
little movement to measure.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from trading.marketdata import FloatArray, IntArray

_ROWS_AT_ONCE = 4
"""Rows whose pairwise distances stand in memory together: small enough to stay in a processor's cache."""


def hurst_dfa(paths: FloatArray) -> FloatArray:
    """Hurst exponent of paths by detrended fluctuation analysis (Peng et al. 1994), a line taken out of each box."""
    count = paths.shape[1]
    scales = _scales(8, count // 4)
    fluctuation = np.stack([_box_residual(paths, int(scale)) for scale in scales], axis=1)
    return _log_slope(np.log(scales), fluctuation)


def hurst_rs(paths: FloatArray) -> FloatArray:
    """Hurst exponent of paths by rescaled range of their increments, less its small-sample bias (Anis and Lloyd 1976).

    The statistic's own expectation for independent increments, at the same box lengths, is what 0.5 stands on.
    """
    moves = np.diff(paths, axis=1)
    scales = _scales(16, moves.shape[1] // 4)
    ranges = np.stack([_rescaled_range(moves, int(scale)) for scale in scales], axis=1)
    expected = np.array([_expected_range(int(scale)) for scale in scales])
    return 0.5 + _log_slope(np.log(scales), ranges / expected)


def higuchi(paths: FloatArray, longest: int = 8) -> FloatArray:
    """Fractal dimension of paths (Higuchi 1988): 1 for a smooth line, 1.5 for a random walk, 2 for noise."""
    count = paths.shape[1]
    lengths = np.empty((paths.shape[0], longest))
    for stride in range(1, longest + 1):
        curves = []
        for start in range(stride):
            steps = (count - 1 - start) // stride
            moved = np.abs(np.diff(paths[:, start::stride], axis=1)).sum(axis=1)
            curves.append(moved * (count - 1) / (steps * stride * stride))
        lengths[:, stride - 1] = np.mean(curves, axis=0)
    return -_log_slope(np.log(np.arange(1.0, longest + 1)), lengths)


def lyapunov(series: FloatArray, *, embedding: int = 2, apart: int = 8, steps: int = 5) -> FloatArray:
    """Largest Lyapunov exponent, in nats per step (Rosenstein, Collins and De Luca 1993).

    Each point of the embedded series and its nearest neighbour at least ``apart`` steps away are followed for ``steps``
    steps; the exponent is the slope of the mean log distance. Noise has none: there the slope says how fast neighbours
    by chance part.
    """
    return _by_rows(series, lambda rows: _divergence(rows, embedding, apart, steps))


def sample_entropy(series: FloatArray, *, tolerance: float = 0.2) -> FloatArray:
    """Sample entropy with patterns of 2 and a tolerance in standard deviations (Richman and Moorman 2000), in nats."""
    return _by_rows(series, lambda rows: _pattern_entropy(rows, tolerance))


def _by_rows(series: FloatArray, measure: Callable[[FloatArray], FloatArray]) -> FloatArray:
    parts = [measure(series[begin : begin + _ROWS_AT_ONCE]) for begin in range(0, len(series), _ROWS_AT_ONCE)]
    return np.concatenate(parts) if parts else np.empty(0)


@cache
def _scales(shortest: int, longest: int) -> IntArray:
    """Box lengths, about evenly spaced in their logarithm."""
    count = max(4, int(4 * math.log2(longest / shortest)) + 1)
    return np.unique(np.geomspace(shortest, longest, count).round().astype(np.int64))


def _log_slope(log_scales: FloatArray, values: FloatArray) -> FloatArray:
    """Slope of log ``values`` (m, k) over ``log_scales`` (k,)."""
    centred = log_scales - log_scales.mean()
    logs = np.log(np.where(values > 0, values, np.nan))
    slopes: FloatArray = logs @ centred / (centred @ centred)
    return slopes


def _box_residual(paths: FloatArray, scale: int) -> FloatArray:
    """Root mean square of paths around a line in each box of ``scale`` values, shape (m,)."""
    boxes = paths.shape[1] // scale
    split = paths[:, : boxes * scale].reshape(len(paths), boxes, scale)
    steps = np.arange(scale) - (scale - 1) / 2
    level = split - split.mean(axis=2, keepdims=True)
    tilt = level @ steps / (steps @ steps)
    rest = level - tilt[:, :, None] * steps
    root: FloatArray = np.sqrt((rest * rest).mean(axis=(1, 2)))
    return root


def _rescaled_range(moves: FloatArray, scale: int) -> FloatArray:
    """Mean over boxes of the range of the summed deviations over their standard deviation, shape (m,)."""
    boxes = moves.shape[1] // scale
    split = moves[:, : boxes * scale].reshape(len(moves), boxes, scale)
    level = split - split.mean(axis=2, keepdims=True)
    summed = np.cumsum(level, axis=2)
    spread = np.sqrt((level * level).mean(axis=2))
    span = summed.max(axis=2) - summed.min(axis=2)
    found: FloatArray = (span / np.where(spread > 0, spread, np.nan)).mean(axis=1)
    return found


@cache
def _expected_range(scale: int) -> float:
    """Expected rescaled range of ``scale`` independent normal values."""
    steps = np.arange(1, scale)
    front = math.exp(math.lgamma((scale - 1) / 2) - math.lgamma(scale / 2)) / math.sqrt(math.pi)
    return front * float(np.sqrt((scale - steps) / steps).sum())


def _divergence(series: FloatArray, embedding: int, apart: int, steps: int) -> FloatArray:
    count = series.shape[1]
    points = count - embedding + 1
    gaps = np.abs(series[:, :, None] - series[:, None, :])
    apart_at = gaps[:, :points, :points].copy()
    for shift in range(1, embedding):
        np.maximum(apart_at, gaps[:, shift : shift + points, shift : shift + points], out=apart_at)
    followed = points - steps
    near = np.where(_too_close(followed, apart), np.inf, apart_at[:, :followed, :followed])
    neighbour = near.argmin(axis=2)
    row, point = np.arange(len(series))[:, None], np.arange(followed)[None, :]
    logs = np.empty((len(series), steps + 1))
    for step in range(steps + 1):
        found = apart_at[row, point + step, neighbour + step]
        parted = found > 0
        total = np.log(np.where(parted, found, 1.0)).sum(axis=1)
        logs[:, step] = total / np.where(parted.any(axis=1), parted.sum(axis=1), np.nan)
    ahead = np.arange(steps + 1) - steps / 2
    slopes: FloatArray = logs @ ahead / (ahead @ ahead)
    return slopes


@cache
def _too_close(points: int, apart: int) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
    at = np.arange(points)
    found: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = np.abs(at[:, None] - at[None, :]) < apart
    return found


def _pattern_entropy(series: FloatArray, tolerance: float) -> FloatArray:
    """Minus the log of how often patterns that agree over two values agree over the third as well."""
    limit = tolerance * series.std(axis=1)
    alike = np.abs(series[:, :, None] - series[:, None, :]) <= limit[:, None, None]
    two = alike[:, :-2, :-2] & alike[:, 1:-1, 1:-1]
    three = two & alike[:, 2:, 2:]
    patterns = two.shape[1]
    pairs = np.count_nonzero(two, axis=(1, 2)) - patterns
    longer = np.count_nonzero(three, axis=(1, 2)) - patterns
    moved = limit > 0
    return np.where(moved & (longer > 0), -np.log(np.maximum(longer, 1) / np.maximum(pairs, 1)), np.nan)

"""What is sound and still odd in candles: spikes that come and go, bars without a trade, the longest gap.

Nothing here is refused. A spike may be a bad print or a real thin market; both are worth a look before a model is
fitted on them.
"""

from dataclasses import dataclass

import numpy as np

from trading.domain.instants import iso
from trading.marketdata.candles import CandleSeries
from trading.marketdata.naming import SeriesKind
from trading.marketdata.tape import FloatArray, IntArray

LISTED_ODDITIES = 20

SPIKE_SCORE = 25.0
"""Robust deviations from which a bar is a spike. Returns have heavy tails: at 10, quick markets are full of them."""

_NEIGHBOURS = 3
_SCALE_BARS = 501
_NORMAL = 1.4826
"""The median absolute deviation times this is the standard deviation of a normal law."""
_SMALLEST_SCALE = 1e-4
_SMALLEST_MOVE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A row worth a look; ``score`` is in robust deviations, None where it has no size."""

    row: int
    open_ms: int
    reason: str
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddities:
    """Counts over all rows, and the most striking ones: ``listed`` holds at most 20, the largest spikes first.

    ``largest_gap_bars`` is how many bars the longest gap lacks and ``largest_gap_ms`` where it begins, None without.
    """

    zero_volume: int
    spikes: int
    largest_gap_bars: int
    largest_gap_ms: int | None
    listed: tuple[Oddity, ...]


def find_oddities(series: CandleSeries) -> Oddities:
    """The oddities of a sound series of at least one row."""
    scores = spike_scores(series)
    rows = np.flatnonzero(scores >= SPIKE_SCORE)
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    empty = series.volume == 0 if series.kind is SeriesKind.CANDLES else np.zeros(len(series), np.bool_)
    missing = np.diff(series.open_ms) // series.step_ms - 1
    widest = int(np.argmax(missing)) if len(missing) else 0
    lacking = int(missing[widest]) if len(missing) else 0
    return Oddities(
        zero_volume=int(empty.sum()),
        spikes=len(rows),
        largest_gap_bars=lacking,
        largest_gap_ms=int(series.open_ms[widest]) + series.step_ms if lacking else None,
        listed=tuple(_spike(series, int(row), float(scores[row])) for row in rows[:LISTED_ODDITIES]),
    )


def spike_scores(series: CandleSeries) -> FloatArray:
    """For each bar, how far its worst price lies from the level around it, in robust deviations; shape (rows,).

    The level is the median close of the bar and three bars on each side (a Hampel filter), so that a price that stays
    where it jumped to is no spike. The deviation is 1.4826 times the running median of absolute one-bar log returns
    over 501 bars, and at least a basis point; what moves by less than a percent is never one.
    """
    from scipy.ndimage import median_filter

    prices = np.log(np.stack([series.low, series.high, series.close]))
    close = prices[2]
    level = median_filter(close, size=2 * _NEIGHBOURS + 1, mode="nearest")
    moves = np.abs(np.diff(close, prepend=close[:1]))
    scale = _NORMAL * _running_median(moves)
    away = np.abs(prices - level).max(axis=0)
    found: FloatArray = np.where(away >= _SMALLEST_MOVE, away / np.maximum(scale, _SMALLEST_SCALE), 0.0)
    return found


def _running_median(values: FloatArray) -> FloatArray:
    """The median of the block of 501 values that each stands in; the last block is filled up from before it."""
    count = len(values)
    if count <= _SCALE_BARS:
        return np.full(count, np.median(values))
    blocks = count // _SCALE_BARS
    medians = np.median(values[: blocks * _SCALE_BARS].reshape(blocks, _SCALE_BARS), axis=1)
    last = np.median(values[-_SCALE_BARS:])
    block: IntArray = np.arange(count) // _SCALE_BARS
    found: FloatArray = np.append(medians, last)[block]
    return found


def _spike(series: CandleSeries, row: int, score: float) -> Oddity:
    opened = int(series.open_ms[row])
    return Oddity(
        row=row,
        open_ms=opened,
        score=score,
        reason=(
            f"{iso(opened)}: low {series.low[row]:g}, high {series.high[row]:g}, close {series.close[row]:g} is "
            f"{score:.0f} robust deviations off the closes around it"
        ),
    )

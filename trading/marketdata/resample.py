"""Longer bars from shorter ones, equal to the exchange's own.

A bar of an hour is its sixty minutes: the first open, the highest high, the lowest low, the last close, the volumes
together. An hour that lacks a minute may lack its high, so by default it is not made at all; it is named as incomplete.
Weeks begin on Mondays, every other bar at a whole multiple of its length since 1970 (UTC), as exchanges have it.
"""

from dataclasses import dataclass, fields
from typing import Generic, Protocol, TypeVar

import numpy as np

from trading.domain.errors import RequestError
from trading.domain.instants import duration_ms, duration_text
from trading.marketdata.tape import FloatArray, IntArray

_WEEK_MS = duration_ms("1w")
_FIRST_MONDAY_MS = duration_ms("4d")  # 1970 began on a Thursday


class _Candles(Protocol):
    """Columns of candles: a file's, or those of a market view."""

    @property
    def step_ms(self) -> int: ...
    @property
    def open_ms(self) -> IntArray: ...
    @property
    def open(self) -> FloatArray: ...
    @property
    def high(self) -> FloatArray: ...
    @property
    def low(self) -> FloatArray: ...
    @property
    def close(self) -> FloatArray: ...
    @property
    def volume(self) -> FloatArray: ...


_UNITS = 1e8
_EXACT = 2.0**53
"""Whole numbers below this are exact in float64."""

_C = TypeVar("_C", bound=_Candles)
_COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled(Generic[_C]):
    """Longer bars, and which of them lack a part.

    ``incomplete_ms`` are the opens of the bars that lack at least one shorter bar, in order; ``missing`` says how many
    each of them lacks. They stand in ``bars`` only where incomplete ones were asked for. The last one may simply not be
    over yet.
    """

    bars: _C
    incomplete_ms: IntArray
    missing: IntArray


def resample(bars: _C, step_ms: int, *, keep_incomplete: bool = False) -> "Resampled[_C]":
    """``bars``, in order of time, as bars of ``step_ms`` milliseconds.

    ``keep_incomplete`` makes a bar from what there is of it: right for venues that print no bar for a minute without a
    trade, wrong where minutes were lost. Volumes of at most eight decimals, which exchanges print, are added exactly;
    others in float64. Raises RequestError for a length that is not a multiple of the bars' own.
    """
    if step_ms < bars.step_ms or step_ms % bars.step_ms:
        raise RequestError(
            f"bars of {duration_text(step_ms)} cannot be made of bars of {duration_text(bars.step_ms)}; "
            "expected a whole multiple"
        )
    bucket = open_of(bars.open_ms, step_ms)
    starts = np.flatnonzero(np.diff(bucket, prepend=bucket[:1] - 1)) if len(bucket) else np.empty(0, np.int64)
    ends = np.append(starts[1:], len(bucket))[: len(starts)]
    missing = step_ms // bars.step_ms - (ends - starts)
    lacking = missing > 0
    picked = np.ones(len(starts), np.bool_) if keep_incomplete else ~lacking
    columns = _columns(bars, bucket, starts, ends, picked)
    return Resampled(
        bars=_with(bars, step_ms, columns), incomplete_ms=bucket[starts][lacking], missing=missing[lacking]
    )


def open_of(instants_ms: IntArray, step_ms: int) -> IntArray:
    """When the bar of ``step_ms`` that holds each instant opened."""
    origin = _FIRST_MONDAY_MS if step_ms % _WEEK_MS == 0 else 0
    opened: IntArray = (instants_ms - origin) // step_ms * step_ms + origin
    return opened


def _columns(
    bars: _Candles, bucket: IntArray, starts: IntArray, ends: IntArray, picked: np.ndarray
) -> dict[str, IntArray | FloatArray]:
    if not len(starts):
        return {name: getattr(bars, name)[:0] for name in _COLUMNS}
    return {
        "open_ms": bucket[starts][picked],
        "open": bars.open[starts][picked],
        "high": np.maximum.reduceat(bars.high, starts)[picked],
        "low": np.minimum.reduceat(bars.low, starts)[picked],
        "close": bars.close[ends - 1][picked],
        "volume": _sums(bars.volume, starts)[picked],
    }


def _sums(volume: FloatArray, starts: IntArray) -> FloatArray:
    """Sums of the stretches that begin at ``starts``; of whole units of 1e-8 wherever all are such."""
    units = np.rint(volume * _UNITS)
    if np.array_equal(units / _UNITS, volume):
        whole: FloatArray = np.add.reduceat(units, starts)
        if whole.max() < _EXACT:
            return whole / _UNITS
    found: FloatArray = np.add.reduceat(volume, starts)
    return found


def _with(bars: _C, step_ms: int, columns: dict[str, IntArray | FloatArray]) -> _C:
    """Candles of the same kind with other columns."""
    kept = {each.name: getattr(bars, each.name) for each in fields(bars)}  # type: ignore[arg-type]  # both are dataclasses
    return type(bars)(**kept | {"step_ms": step_ms} | columns)

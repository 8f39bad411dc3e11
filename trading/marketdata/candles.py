"""The candles of one file, as they stand in it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trading.marketdata.columns import read_columns
from trading.marketdata.naming import SeriesKind, parse_candle_name
from trading.marketdata.tape import FloatArray, IntArray

_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleSeries:
    """Candles of one instrument and timeframe. Every array has shape (rows,) and the order of the file.

    ``open_ms`` is when a bar opened, milliseconds since 1970 (UTC). A mark series trades nothing: its ``volume`` is
    NaN throughout.
    """

    symbol: str
    step_ms: int
    kind: SeriesKind
    open_ms: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __len__(self) -> int:
        return len(self.open_ms)

    def between(self, begin_ms: int, end_ms: int) -> "CandleSeries":
        """The bars that open in [``begin_ms``, ``end_ms``) of a series in order of time."""
        first, last = np.searchsorted(self.open_ms, [begin_ms, end_ms])
        return self.picked(slice(int(first), int(last)))

    def picked(self, rows: slice | NDArray[np.bool_]) -> "CandleSeries":
        """The bars of some rows."""
        return CandleSeries(
            symbol=self.symbol,
            step_ms=self.step_ms,
            kind=self.kind,
            open_ms=self.open_ms[rows],
            open=self.open[rows],
            high=self.high[rows],
            low=self.low[rows],
            close=self.close[rows],
            volume=self.volume[rows],
        )


def read_candles(path: Path) -> CandleSeries:
    """The candles of a Parquet or CSV file with the columns ``ts, open, high, low, close, volume``.

    Instrument and timeframe come from the file's name; a mark series has no column ``volume``. What is read is not
    judged: see :func:`~trading.marketdata.quality.check_series`. Rules for the columns, and what is refused, are those
    of :func:`~trading.marketdata.columns.read_columns`.
    """
    name = parse_candle_name(path)
    traded = name.series is SeriesKind.CANDLES
    columns = read_columns(path, (*_PRICES, "volume") if traded else _PRICES)
    numbers = columns.numbers
    return CandleSeries(
        symbol=name.symbol,
        step_ms=name.step_ms,
        kind=name.series,
        open_ms=columns.ts_ms,
        open=numbers["open"],
        high=numbers["high"],
        low=numbers["low"],
        close=numbers["close"],
        volume=numbers["volume"] if traded else np.full(len(columns.ts_ms), np.nan),
    )

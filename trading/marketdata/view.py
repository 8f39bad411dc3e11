"""The market view: what can be known at an instant, and nothing later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trading.domain.errors import Unavailable
from trading.domain.instants import from_ms, iso
from trading.domain.market import Bar, Quote
from trading.marketdata.tape import FloatArray, FundingRates, IntArray, Tape

TEXTS_STAND_MS = 24 * 3_600_000
"""So long a text counts from when it was known: those who publish by the day are heard in every bar of the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Closed candles of one instrument, oldest first. Arrays have shape (n,). Missing bars are missing, not filled."""

    instrument: str
    step_ms: int
    open_ms: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __len__(self) -> int:
        return len(self.open_ms)


class MarketView(Protocol):
    """What is known at ``as_of_ms``. Every answer ends there: a bar counts from its close on."""

    @property
    def as_of_ms(self) -> int:
        """The instant of the view, milliseconds since 1970 (UTC)."""
        ...

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instruments of the market."""
        ...

    @property
    def step_ms(self) -> int:
        """Length of a bar."""
        ...

    @property
    def source(self) -> str:
        """Where the data comes from: ``"replay"``, ``"simulated"``, or a venue."""
        ...

    def quote(self, symbol: str) -> Quote:
        """The last known price and its age. Raises Unavailable when there is none yet or no such instrument."""
        ...

    def bars(self, symbol: str, count: int) -> Bars:
        """The last ``count`` closed bars, fewer when fewer are known. Raises Unavailable for an unknown instrument."""
        ...

    def funding(self, symbol: str, count: int) -> FundingRates:
        """The last ``count`` settled funding rates, empty where none is known."""
        ...


class TapeView:
    """A market view over a tape. It copies what it hands out, so nothing leads back to the tape's later bars."""

    def __init__(self, tape: Tape, as_of_ms: int) -> None:
        self._tape = tape
        self._as_of_ms = as_of_ms
        self._known = tape.bars_known_at(as_of_ms)

    @property
    def as_of_ms(self) -> int:
        """The instant of the view."""
        return self._as_of_ms

    @property
    def _end(self) -> int:
        return self._known

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instruments of the market."""
        return self._tape.symbols

    @property
    def step_ms(self) -> int:
        """Length of a bar."""
        return self._tape.step_ms

    @property
    def source(self) -> str:
        """``"replay"`` or ``"simulated"``."""
        return self._tape.source

    def quote(self, symbol: str) -> Quote:
        """The close of the last bar the instrument has, with the instant of that close."""
        row = self._row(symbol)
        at = int(self._tape.last_row[row, self._end - 1]) if self._end else -1
        if at < 0:
            raise Unavailable(f"{symbol} has no price yet at {iso(self.as_of_ms)}")
        printed = int(self._tape.open_ms[at]) + self._tape.step_ms
        return Quote(instrument=symbol, price=float(self._tape.close[row, at]), ts_ms=printed, as_of_ms=self.as_of_ms)

    def bars(self, symbol: str, count: int) -> Bars:
        """The last ``count`` closed bars the instrument has."""
        row = self._row(symbol)
        tape = self._tape
        pick: slice | IntArray
        if tape.gapless[row]:
            pick = slice(max(0, self._end - count), self._end)
        else:
            pick = self._present(row, count)
        return Bars(
            instrument=symbol,
            step_ms=tape.step_ms,
            open_ms=tape.open_ms[pick].copy(),
            open=tape.open[row, pick].copy(),
            high=tape.high[row, pick].copy(),
            low=tape.low[row, pick].copy(),
            close=tape.close[row, pick].copy(),
            volume=tape.volume[row, pick].copy(),
        )

    def _present(self, row: int, count: int) -> IntArray:
        """The last ``count`` bars of the grid that the instrument has; a tape is long and its gaps are few."""
        begin = max(0, self._end - 2 * count)
        present = begin + np.flatnonzero(~np.isnan(self._tape.close[row, begin : self._end]))
        if len(present) < count and begin:
            present = np.flatnonzero(~np.isnan(self._tape.close[row, : self._end]))
        return present[-count:] if count else present[:0]

    def funding(self, symbol: str, count: int) -> FundingRates:
        """The last ``count`` funding rates settled at or before the instant of the view."""
        self._row(symbol)
        rates = self._tape.funding.get(symbol)
        if rates is None:
            return FundingRates(ts_ms=np.empty(0, np.int64), rate=np.empty(0))
        end = int(np.searchsorted(rates.ts_ms, self.as_of_ms, side="right"))
        begin = max(0, end - count)
        return FundingRates(ts_ms=rates.ts_ms[begin:end].copy(), rate=rates.rate[begin:end].copy())

    def beside(self, symbol: str, open_ms: IntArray) -> Mapping[str, FloatArray]:
        """The mean score and the number of the texts of a day that were known at the close of each bar.

        Both are NaN where there is none; a tape without texts about the instrument knows no such column.
        """
        self._row(symbol)
        texts = self._tape.texts.get(symbol)
        if texts is None:
            return {}
        seen_ms = np.minimum(open_ms + self.step_ms, self.as_of_ms)
        end = np.searchsorted(texts.known_ms, seen_ms, side="right")
        begin = np.searchsorted(texts.known_ms, seen_ms - TEXTS_STAND_MS, side="right")
        total = np.concatenate([[0.0], np.cumsum(texts.score)])
        count = np.where(end > begin, end - begin, np.nan)
        return {"sentiment_score": (total[end] - total[begin]) / count, "sentiment_count": count}

    def _row(self, symbol: str) -> int:
        index: Mapping[str, int] = self._tape.index
        if symbol not in index:
            raise Unavailable(f"{symbol!r} is not traded here; the instruments are {', '.join(self.symbols)}")
        return index[symbol]

    def __repr__(self) -> str:
        return f"TapeView({self.source}, as_of={from_ms(self.as_of_ms).isoformat()})"


def last_bar(bars: Bars) -> Bar:
    """The newest candle of ``bars``. Raises Unavailable when there is none."""
    if not len(bars):
        raise Unavailable(f"{bars.instrument} has no closed bar yet")
    return Bar(
        open_ms=int(bars.open_ms[-1]),
        open=float(bars.open[-1]),
        high=float(bars.high[-1]),
        low=float(bars.low[-1]),
        close=float(bars.close[-1]),
        volume=float(bars.volume[-1]),
    )

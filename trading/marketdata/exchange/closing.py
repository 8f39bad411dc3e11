"""Which candles of a live stream have closed: each once, in order, none left out without saying so."""

from collections import deque
from typing import Any

from trading.domain.market import Bar
from trading.marketdata.candles import CandleSeries
from trading.marketdata.exchange.candles import read_page

KEPT_BARS = 5_000


class ClosingBars:
    """Takes candles as an exchange streams them, the forming one among them, and gives those that have closed.

    A candle has closed when one that opens later is seen, or when it comes from :meth:`settle`. The newest 5,000 bars
    are kept for the view.
    """

    def __init__(self, instrument: str, step_ms: int) -> None:
        self.instrument = instrument
        self.step_ms = step_ms
        self.bars: deque[Bar] = deque(maxlen=KEPT_BARS)
        self.refused = 0
        self._forming: Bar | None = None

    @property
    def next_ms(self) -> int | None:
        """When the next bar to close opens; None before the first."""
        return self.bars[-1].open_ms + self.step_ms if self.bars else None

    def offer(self, rows: Any) -> list[Bar]:
        """Take streamed rows; the bars that closed with them. A bar that would leave a gap waits: see ``gap``."""
        closed = []
        for bar in self._read(rows):
            forming = self._forming
            if forming is not None and bar.open_ms > forming.open_ms and self._follows(forming):
                self.bars.append(forming)
                closed.append(forming)
            if forming is None or bar.open_ms >= forming.open_ms:
                self._forming = bar
        return closed

    def gap(self, closed_before_ms: int) -> int | None:
        """Where bars are missing that closed by then: the open of the first, None where none is missing."""
        due = self.next_ms
        return due if due is not None and due + self.step_ms <= closed_before_ms else None

    def settle(self, rows: Any, closed_before_ms: int) -> list[Bar]:
        """Take rows asked for over REST: those that closed by then and are not yet given; it has no others."""
        closed = []
        for bar in self._read(rows):
            due = self.next_ms
            if bar.open_ms + self.step_ms <= closed_before_ms and (due is None or bar.open_ms >= due):
                self.bars.append(bar)
                closed.append(bar)
        return closed

    def _follows(self, bar: Bar) -> bool:
        return self.next_ms is None or bar.open_ms == self.next_ms

    def _read(self, rows: Any) -> list[Bar]:
        page = read_page(rows, self.instrument, self.step_ms, 0, 1 << 62)
        self.refused += page.refused
        return _bars(page.series)


def _bars(series: CandleSeries) -> list[Bar]:
    columns = (series.open_ms, series.open, series.high, series.low, series.close, series.volume)
    return [
        Bar(open_ms=at, open=opened, high=high, low=low, close=close, volume=volume)
        for at, opened, high, low, close, volume in zip(*(column.tolist() for column in columns), strict=True)
    ]

"""A market view of one series of bars: resampled ones, or those made of trades."""

import numpy as np

from trading.domain.errors import Unavailable
from trading.domain.instants import iso
from trading.domain.market import Quote
from trading.marketdata.tape import FundingRates
from trading.marketdata.view import Bars


class SeriesView:
    """What is known of one instrument at ``as_of_ms`` from its ``bars`` and settled ``funding``."""

    def __init__(self, bars: Bars, *, as_of_ms: int, source: str, funding: FundingRates | None = None) -> None:
        self.as_of_ms = as_of_ms
        self.source = source
        self.step_ms = bars.step_ms
        self.symbols = (bars.instrument,)
        self._bars = bars
        self._funding = funding or FundingRates(ts_ms=np.empty(0, np.int64), rate=np.empty(0))

    def quote(self, symbol: str) -> Quote:
        """The close of the last bar, with the instant of that close."""
        known = self.bars(symbol, 1)
        if not len(known):
            raise Unavailable(f"{symbol} has no price yet at {iso(self.as_of_ms)}")
        printed = int(known.open_ms[-1]) + self.step_ms
        return Quote(instrument=symbol, price=float(known.close[-1]), ts_ms=printed, as_of_ms=self.as_of_ms)

    def bars(self, symbol: str, count: int) -> Bars:
        """The last ``count`` bars that have closed."""
        self._know(symbol)
        end = int(np.searchsorted(self._bars.open_ms, self.as_of_ms - self.step_ms, side="right"))
        kept = slice(max(0, end - count), end)
        names = ("open_ms", "open", "high", "low", "close", "volume")
        columns = {name: getattr(self._bars, name)[kept].copy() for name in names}
        return Bars(instrument=symbol, step_ms=self.step_ms, **columns)

    def funding(self, symbol: str, count: int) -> FundingRates:
        """The last ``count`` rates settled by then."""
        self._know(symbol)
        end = int(np.searchsorted(self._funding.ts_ms, self.as_of_ms, side="right"))
        kept = slice(max(0, end - count), end)
        return FundingRates(ts_ms=self._funding.ts_ms[kept].copy(), rate=self._funding.rate[kept].copy())

    def _know(self, symbol: str) -> None:
        if symbol not in self.symbols:
            raise Unavailable(f"{symbol!r} is not traded here; the only instrument is {self.symbols[0]}")

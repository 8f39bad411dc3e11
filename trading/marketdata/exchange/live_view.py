"""What is known of live markets at an instant, in the form of every market view, with what is stale named."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trading.domain.errors import Unavailable
from trading.domain.instants import iso
from trading.domain.market import Bar, Quote
from trading.marketdata.books import Top
from trading.marketdata.tape import FloatArray, FundingRates, IntArray
from trading.marketdata.view import Bars

NO_RATES = FundingRates(ts_ms=np.empty(0, np.int64), rate=np.empty(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMarket:
    """One instrument at the instant of a view. ``quote_ms`` is when its price was last known to hold, by our clock.

    ``beside`` are columns of what ticks said of each of the ``bars``; ``settled`` the funding rates that were paid.
    ``stale`` says what of it is stale and since when; empty where all of it is fresh.
    """

    bars: tuple[Bar, ...]
    price: float | None
    quote_ms: int
    top: Top | None
    stale: tuple[str, ...]
    beside: Mapping[str, FloatArray] = field(default_factory=dict)
    settled: FundingRates = NO_RATES


class LiveView:
    """A market view of live data. It holds copies: what comes later does not change it."""

    def __init__(self, *, source: str, as_of_ms: int, step_ms: int, markets: Mapping[str, LiveMarket]) -> None:
        self.source = source
        self.as_of_ms = as_of_ms
        self.step_ms = step_ms
        self._markets = dict(markets)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instruments of the feed."""
        return tuple(self._markets)

    def quote(self, symbol: str) -> Quote:
        """The last known price with its age; bid and ask only from a book that is good now.

        An old price keeps its old instant. Raises Unavailable when there is none yet or no such instrument.
        """
        market = self._market(symbol)
        if market.price is None:
            raise Unavailable(f"{symbol} has no price yet at {iso(self.as_of_ms)}{_because(market)}")
        return Quote(
            instrument=symbol,
            price=market.price,
            ts_ms=min(market.quote_ms, self.as_of_ms),
            as_of_ms=self.as_of_ms,
            bid=market.top.bid if market.top else None,
            ask=market.top.ask if market.top else None,
        )

    def bars(self, symbol: str, count: int) -> Bars:
        """The last ``count`` closed bars."""
        market = self._market(symbol)
        known = [bar for bar in market.bars if bar.open_ms + self.step_ms <= self.as_of_ms]
        kept = known[max(0, len(known) - count) :]
        table = np.array(
            [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in kept], dtype=np.float64
        ).reshape(len(kept), 5)
        return Bars(
            instrument=symbol,
            step_ms=self.step_ms,
            open_ms=np.array([bar.open_ms for bar in kept], dtype=np.int64),
            open=table[:, 0],
            high=table[:, 1],
            low=table[:, 2],
            close=table[:, 3],
            volume=table[:, 4],
        )

    def funding(self, symbol: str, count: int) -> FundingRates:
        """The last ``count`` settled rates that the venue has told, where the feed follows funding."""
        rates = self._market(symbol).settled
        end = int(np.searchsorted(rates.ts_ms, self.as_of_ms, side="right"))
        kept = slice(max(0, end - count), end)
        return FundingRates(ts_ms=rates.ts_ms[kept].copy(), rate=rates.rate[kept].copy())

    def beside(self, symbol: str, open_ms: IntArray) -> Mapping[str, FloatArray]:
        """What ticks said of the bars that open at ``open_ms``: the book at their close, trades, open interest."""
        market = self._market(symbol)
        known = np.array([bar.open_ms for bar in market.bars], np.int64)
        row = np.searchsorted(known, open_ms)
        inside = row < len(known)
        inside[inside] = known[row[inside]] == open_ms[inside]
        found = {name: np.full(len(open_ms), np.nan) for name in market.beside}
        for name, column in market.beside.items():
            found[name][inside] = column[row[inside]]
        return found

    def book(self, symbol: str) -> Top:
        """The best levels of a good book. Raises Unavailable, saying since when, while it may not be trusted."""
        market = self._market(symbol)
        if market.top is None:
            raise Unavailable(f"{symbol} has no book that may be trusted at {iso(self.as_of_ms)}{_because(market)}")
        return market.top

    def staleness(self, symbol: str) -> tuple[str, ...]:
        """What of the instrument is stale, and since when, in words; empty where all of it is fresh."""
        return self._market(symbol).stale

    def _market(self, symbol: str) -> LiveMarket:
        if symbol not in self._markets:
            raise Unavailable(f"{symbol!r} is not followed here; the instruments are {', '.join(self._markets)}")
        return self._markets[symbol]


def _because(market: LiveMarket) -> str:
    return f": {'; '.join(market.stale)}" if market.stale else ""

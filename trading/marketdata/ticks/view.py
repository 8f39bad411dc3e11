"""A market view that knows the stored ticks of its instruments beside their bars."""

from collections.abc import Mapping

from trading.domain.market import Quote
from trading.marketdata.tape import FloatArray, FundingRates, IntArray
from trading.marketdata.ticks.bars import FUNDING_BACK_MS, StoredTicks
from trading.marketdata.view import Bars, MarketView


class TickedView:
    """``view`` with the ``ticks`` of its instruments; nothing of them is later than the view."""

    def __init__(self, view: MarketView, ticks: Mapping[str, StoredTicks]) -> None:
        self._view, self._ticks = view, dict(ticks)

    @property
    def as_of_ms(self) -> int:
        """The instant of the view."""
        return self._view.as_of_ms

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instruments of the market."""
        return self._view.symbols

    @property
    def step_ms(self) -> int:
        """Length of a bar."""
        return self._view.step_ms

    @property
    def source(self) -> str:
        """Where the bars come from."""
        return self._view.source

    def quote(self, symbol: str) -> Quote:
        """The last known price and its age."""
        return self._view.quote(symbol)

    def bars(self, symbol: str, count: int) -> Bars:
        """The last ``count`` closed bars."""
        return self._view.bars(symbol, count)

    def funding(self, symbol: str, count: int) -> FundingRates:
        """The last ``count`` settled rates: those of the view, or where it has none the stored ones."""
        known = self._view.funding(symbol, count)
        if len(known.ts_ms) or symbol not in self._ticks:
            return known
        begin_ms = self.as_of_ms - max(FUNDING_BACK_MS, count * self.step_ms)
        found = self._ticks[symbol].funding(begin_ms, self.as_of_ms)
        kept = slice(max(0, len(found.ts_ms) - count), None)
        return FundingRates(ts_ms=found.ts_ms[kept], rate=found.rate[kept])

    def beside(self, symbol: str, open_ms: IntArray) -> Mapping[str, FloatArray]:
        """What ticks say of the bars that open at ``open_ms``."""
        return self._ticks[symbol].columns(open_ms, self.step_ms) if symbol in self._ticks else {}

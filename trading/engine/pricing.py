"""What accounts are marked at: the last quote of every instrument at an instant, and the marks that come of it."""

from collections.abc import Mapping
from decimal import Decimal

from trading.domain.event import Event, EventKind
from trading.domain.instrument import Instrument
from trading.domain.market import Quote
from trading.domain.money import decimal_from_float
from trading.engine import records
from trading.ledger.ledger import Ledger
from trading.ledger.marking import mark_account
from trading.marketdata.tape import Tape
from trading.marketdata.view import TapeView


class Pricing:
    """The quotes that were looked up last, by instrument; one that has no price yet is not among them."""

    def __init__(self, tape: Tape, ledger: Ledger, instruments: Mapping[str, Instrument]) -> None:
        self._tape = tape
        self._ledger = ledger
        self._instruments = instruments
        self.quotes: Mapping[str, Quote] = {}

    def price(self, symbol: str) -> Decimal:
        """The price of the last look. KeyError where the instrument had none."""
        return decimal_from_float(self.quotes[symbol].price)

    def quotes_at(self, as_of_ms: int) -> dict[str, Quote]:
        """The quotes of an instant; nothing else is looked up by them."""
        view = TapeView(self._tape, as_of_ms)
        known = self._tape.bars_known_at(as_of_ms)
        return {
            symbol: view.quote(symbol)
            for row, symbol in enumerate(self._tape.symbols)
            if known and self._tape.last_row[row, known - 1] >= 0
        }

    def look_up(self, as_of_ms: int) -> dict[str, Decimal]:
        """Look at every instrument as it stood at ``as_of_ms``."""
        self.quotes = self.quotes_at(as_of_ms)
        return {symbol: decimal_from_float(quote.price) for symbol, quote in self.quotes.items()}

    def quiet(self, as_of_ms: int, bars: int) -> Event:
        """That bars passed without a decision, and the prices after them."""
        payload = {"bars": bars, "prices": records.price_row(self.look_up(as_of_ms))}
        return Event(ts_ms=as_of_ms, kind=EventKind.QUIET, payload=payload)

    def round_opened(self, index: int, as_of_ms: int, *, missed: str = "") -> Event:
        """That a round began at these prices; ``missed`` says why nobody could decide in it."""
        prices = self.look_up(as_of_ms)
        payload = {
            "round": index,
            "prices": records.price_row(prices),
            "printed_ms": {symbol: quote.ts_ms for symbol, quote in self.quotes.items()},
        }
        if missed:
            payload["missed"] = missed
        return Event(ts_ms=as_of_ms, kind=EventKind.ROUND_OPENED, payload=payload)

    def marked(self, index: int | None, as_of_ms: int) -> Event:
        """Every account at the prices of the last look."""
        prices = {symbol: self.price(symbol) for symbol in self.quotes}
        marks = {
            desk: records.mark_row(mark_account(account, prices, self._instruments))
            for desk, account in self._ledger.accounts.items()
        }
        return Event(ts_ms=as_of_ms, kind=EventKind.MARKED, payload={"round": index, "desks": marks})

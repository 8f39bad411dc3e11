"""What the gate weighs an intent against: an account, prices, limits, and what was already allowed this round."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.account import AccountView
from trading.domain.instrument import Instrument
from trading.domain.intent import Side, TradeIntent
from trading.domain.market import Quote
from trading.domain.money import ZERO, decimal_from_float
from trading.risk.limits import Limits


@dataclass(slots=True, kw_only=True)
class GateState:
    """What the gate weighs an intent against: one desk at one instant, and what it was already allowed this round.

    ``working`` is the signed quantity of orders that may still fill, by instrument: bought and sold apart, because
    either side may fill alone. Times are milliseconds, prices and amounts in the quote currency.
    """

    account: AccountView
    instruments: Mapping[str, Instrument]
    quotes: Mapping[str, Quote]
    step_ms: int
    taker_fee: Decimal
    limits: Limits
    halted: bool
    halt_reason: str | None
    orders_this_round: int = 0
    working_buys: dict[str, Decimal] = field(default_factory=dict)
    working_sells: dict[str, Decimal] = field(default_factory=dict)
    cash_committed: Decimal = ZERO

    def price(self, symbol: str) -> Decimal | None:
        """The last known price of an instrument as a Decimal, None when there is none."""
        quote = self.quotes.get(symbol)
        return None if quote is None else decimal_from_float(quote.price)

    def held(self, symbol: str) -> Decimal:
        """Signed quantity of the position."""
        position = self.account.positions.get(symbol)
        return ZERO if position is None else position.quantity

    def commit(self, intent: TradeIntent, quantity: Decimal) -> None:
        """Count an allowed intent at once, so that the next one is weighed against what this one may still do."""
        self.count_working(intent.side, intent.instrument, quantity, intent.limit_price)
        self.orders_this_round += 1

    def count_working(self, side: Side, symbol: str, quantity: Decimal, limit_price: Decimal | None) -> None:
        """Count an order that may still fill against exposure and, for spot, against cash."""
        working = self.working_buys if side is Side.BUY else self.working_sells
        working[symbol] = working.get(symbol, ZERO) + quantity
        price = limit_price or self.price(symbol)
        if price is not None and side is Side.BUY and not self.instruments[symbol].is_perp:
            self.cash_committed += quantity * price * (1 + self.taker_fee)

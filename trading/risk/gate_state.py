"""What the gate weighs an intent against: an account, prices, limits, and what was already allowed this round."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.account import AccountView
from trading.domain.instrument import Instrument
from trading.domain.intent import Side, TradeIntent
from trading.domain.market import Quote
from trading.domain.money import ZERO, decimal_from_float
from trading.domain.order import Order
from trading.risk.arena_book import ArenaBook
from trading.risk.limits import Limits
from trading.risk.market_condition import MarketCondition
from trading.risk.market_reference import MarketReference
from trading.risk.traffic import Traffic


@dataclass(slots=True, kw_only=True)
class GateState:
    """What the gate weighs an intent against: one desk at one instant, and what it was already allowed this round.

    ``working`` is the signed quantity of orders that may still fill, by instrument: bought and sold apart, because
    either side may fill alone. Times are milliseconds, prices and amounts in the quote currency.

    ``arena`` counts all desks, ``arena_orders`` are those that an order could meet. ``traffic`` and ``repeats`` are the
    desk's own. ``barred_instruments`` says of an instrument why it may only be reduced, ``barred_reason`` why the desk
    may only reduce. ``full_confidence`` is the mode's threshold, None where no stated confidence is judged;
    ``refuses_doubt`` says that below it nothing opens; ``ends_ms`` is the season's end. What is None was not given, and
    its control is silent.
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
    arena: ArenaBook | None = None
    arena_orders: tuple[Order, ...] = ()
    reference: MarketReference | None = None
    conditions: Mapping[str, MarketCondition] = field(default_factory=dict)
    traffic: Traffic | None = None
    repeats: Mapping[tuple[str, Side], int] = field(default_factory=dict)
    barred_instruments: Mapping[str, str] = field(default_factory=dict)
    barred_reason: str | None = None
    full_confidence: Decimal | None = None
    refuses_doubt: bool = False
    ends_ms: int | None = None

    def price(self, symbol: str) -> Decimal | None:
        """The last known price of an instrument as a Decimal, None when there is none."""
        quote = self.quotes.get(symbol)
        return None if quote is None else decimal_from_float(quote.price)

    def held(self, symbol: str) -> Decimal:
        """Signed quantity of the position."""
        position = self.account.positions.get(symbol)
        return ZERO if position is None else position.quantity

    def reach(self, symbol: str) -> tuple[Decimal, Decimal]:
        """The most short and the most long quantity that working orders may lead to."""
        held = self.held(symbol)
        return held - self.working_sells.get(symbol, ZERO), held + self.working_buys.get(symbol, ZERO)

    def touched(self) -> set[str]:
        """Every instrument with a position or a working order."""
        return {*self.account.positions, *self.working_buys, *self.working_sells}

    def value_price(self, symbol: str) -> Decimal:
        """The price at which what is held is valued: the last one, else the mark of the account, else 0."""
        price = self.price(symbol)
        return self.account.marks.get(symbol, ZERO) if price is None else price

    def commit(self, intent: TradeIntent, quantity: Decimal) -> None:
        """Count an allowed intent at once, so that the next one is weighed against what this one may still do."""
        self.count_working(intent.side, intent.instrument, quantity, intent.limit_price or intent.trigger_price)
        self.orders_this_round += 1
        self.repeats = {**self.repeats, (intent.instrument, intent.side): self._run(intent) + 1}
        if self.arena is not None:
            self.arena.work(self.account.desk, intent.instrument, intent.side, quantity)

    def _run(self, intent: TradeIntent) -> int:
        return self.repeats.get((intent.instrument, intent.side), 0)

    def count_working(self, side: Side, symbol: str, quantity: Decimal, limit_price: Decimal | None) -> None:
        """Count an order that may still fill against exposure and, for spot, against cash."""
        working = self.working_buys if side is Side.BUY else self.working_sells
        working[symbol] = working.get(symbol, ZERO) + quantity
        price = limit_price or self.price(symbol)
        if price is not None and side is Side.BUY and not self.instruments[symbol].is_perp:
            self.cash_committed += quantity * price * (1 + self.taker_fee)

"""The simulated exchange: it matches orders against a tape, settles funding and liquidates, one bar after the other."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np

from trading.domain.event import Event, EventKind
from trading.domain.instrument import Instrument
from trading.domain.intent import OrderType, Side, TimeInForce
from trading.domain.money import QUOTE_STEP, ZERO, decimal_from_float
from trading.domain.order import Order
from trading.domain.reject import RejectCode
from trading.ledger.account import DeskAccount
from trading.ledger.turnover import RecentTurnover
from trading.marketdata.depth import BookTape
from trading.marketdata.tape import Tape
from trading.stats.impact import square_root_impact
from trading.venues.simulated.book_matching import BARS, BOOK, BookMatcher, TakenDepth
from trading.venues.simulated.costs import Costs
from trading.venues.simulated.events import ended, filled, triggered
from trading.venues.simulated.liquidation import close_out
from trading.venues.simulated.margin import find_isolated_liquidation, find_liquidation, lacks_margin
from trading.venues.simulated.margin_rules import MarginRules
from trading.venues.simulated.matching import BarPrices, Ending, Execution, Triggered, as_stop, match
from trading.venues.simulated.settlement import charge_borrowing, price_at_open, settle_funding
from trading.venues.simulated.standing import StandingOrders
from trading.venues.simulated.trailing import best_before
from trading.venues.simulated.wake import account_due, borrow_due, order_due

LOOK_AHEAD_BARS = 4096
"""How many bars :meth:`SimulatedVenue.quiet_until` searches at once."""

IMPACT_BARS = 24
"""Volume and volatility of this many bars before the one of the fill stand in the square-root law."""


class SimulatedVenue:
    """Matches orders bar by bar. It reads accounts as the exchange's own books and answers with events.

    The caller applies every event before asking for the next one, so that each step sees what the last one changed.
    ``books`` are recorded or live order books: where one is known, orders meet its depth instead of the bar, and every
    fill says which of the two it met (``basis``: ``book`` or ``bars``).
    """

    def __init__(
        self,
        tape: Tape,
        instruments: Mapping[str, Instrument],
        costs: Costs,
        *,
        margin: MarginRules | None = None,
        turnover: RecentTurnover | None = None,
        books: Mapping[str, BookTape] | None = None,
    ) -> None:
        self._tape = tape
        self._instruments = instruments
        self._costs = costs
        self._margin = margin or MarginRules()
        self._turnover = turnover or RecentTurnover()
        self._taken = TakenDepth()
        self._books = {symbol: BookMatcher(book, self._taken) for symbol, book in (books or {}).items()}

    def apply(self, event: Event) -> None:
        """Take an event in: what was taken from books stays taken, and what was heard of them is put on their end."""
        if self._books:
            self._taken.apply(event)
        for book in self._books.values():
            book.apply(event)

    def process_bar(self, row: int, orders: StandingOrders, accounts: Mapping[str, DeskAccount]) -> Iterator[Event]:
        """What happens in bar ``row``, in time order as far as a bar tells: funding, fills, liquidations, expiries."""
        yield from settle_funding(self._tape, row, accounts)
        if self._costs.borrow_apr:
            yield from charge_borrowing(self._tape, row, accounts, self._costs.borrow_apr)
        seen: set[str] = set()
        # What a fill brings about (its bracket) may fill in the same bar, so it is looked for again.
        while waiting := [order for order in orders.all() if order.order_id not in seen]:
            for order in sorted(waiting, key=_precedence):
                seen.add(order.order_id)
                if orders.get(order.order_id) is not None:
                    yield from self._process(row, order, orders, accounts[order.desk])
        yield from self._liquidate(row, orders, accounts)

    def quiet_until(self, row: int, orders: StandingOrders, accounts: Mapping[str, DeskAccount]) -> int:
        """The first bar from ``row`` on that may need :meth:`process_bar`; every bar before it surely does not.

        It looks ahead on the tape to schedule work, at most ``LOOK_AHEAD_BARS``; no desk sees what it finds.
        """
        end = min(len(self._tape), row + LOOK_AHEAD_BARS)
        for order in orders.all():
            started = orders.parts(order) > 0 or order.instrument in self._books
            end = order_due(self._tape, order, row, end, triggered=orders.triggered(order), started=started)
            if end == row:
                return row
        for account in accounts.values():
            if account.positions:
                end = account_due(self._tape, account, row, end, self._instruments, self._margin.isolated_leverage)
            if self._costs.borrow_apr and account.cash < 0:
                end = borrow_due(self._tape, row, end)
        return end

    # -- orders ----------------------------------------------------------------------------------------------------

    def _process(self, row: int, order: Order, orders: StandingOrders, account: DeskAccount) -> Iterator[Event]:
        open_ms = int(self._tape.open_ms[row])
        if order.expires_ms is not None and order.expires_ms <= open_ms:
            yield ended(order, EventKind.ORDER_EXPIRED, order.expires_ms, "not filled in time")
            return
        if order.arrives_ms >= open_ms + self._tape.step_ms:
            return
        book = self._books.get(order.instrument)
        if book is not None and book.reaches(order, open_ms, open_ms + self._tape.step_ms):
            yield from self._match_on_book(row, book, order, orders, account)
        else:
            yield from self._match(row, order, orders, account)
        if order.oco_group and orders.get(order.order_id) is None:
            for other in orders.of(order.desk):
                if other.oco_group == order.oco_group:
                    yield ended(
                        other,
                        EventKind.ORDER_CANCELLED,
                        max(open_ms, order.arrives_ms),
                        "the other order of the pair has ended",
                    )

    def _match(self, row: int, order: Order, orders: StandingOrders, account: DeskAccount) -> Iterator[Event]:
        line = self._tape.index[order.instrument]
        opened = float(self._tape.open[line, row])
        if opened != opened:
            return
        bar = BarPrices(
            open_ms=int(self._tape.open_ms[row]),
            step_ms=self._tape.step_ms,
            open=opened,
            high=float(self._tape.high[line, row]),
            low=float(self._tape.low[line, row]),
        )
        instrument = self._instruments[order.instrument]
        shape = order
        if order.order_type is OrderType.TRAILING_STOP:
            shape = as_stop(order, best_before(self._tape, order, row), instrument)
        left = orders.left(order)
        slippage = self._costs.slippage + self._impact(row, line, left)
        outcome = match(shape, bar, instrument, slippage, triggered=orders.triggered(order))
        if isinstance(outcome, Ending):
            yield ended(order, outcome.kind, outcome.ts_ms, outcome.reason, outcome.code)
        elif isinstance(outcome, Triggered):
            yield triggered(order, outcome.price, outcome.ts_ms)
        elif outcome is not None:
            yield from self._execute(row, order, outcome, orders, account, most=self._most(row, line, instrument))

    def _execute(
        self,
        row: int,
        order: Order,
        execution: Execution,
        orders: StandingOrders,
        account: DeskAccount,
        *,
        most: Decimal | None,
        stepwise: bool = False,
    ) -> Iterator[Event]:
        """A fill of what the account can carry, and of no more than ``most``: its share of the bar, or one level of
        a book, after which more may follow (``stepwise``).
        """
        instrument = self._instruments[order.instrument]
        fee_rate = self._costs.fee(execution.liquidity, self._turnover.of(order.desk, execution.ts_ms))
        left = orders.left(order)
        quantity = fillable(order, left, account, instrument, execution.price * (1 + fee_rate))
        if quantity <= 0:
            kind = EventKind.ORDER_CANCELLED if orders.parts(order) else EventKind.ORDER_REJECTED
            code = RejectCode.NOTHING_TO_REDUCE if order.reduce_only else RejectCode.INSUFFICIENT_FUNDS
            yield ended(order, kind, execution.ts_ms, "nothing left to reduce or pay with", code)
            return
        if self._lacks_margin(row, order, quantity, execution.price, account):
            kind = EventKind.ORDER_CANCELLED if orders.parts(order) else EventKind.ORDER_REJECTED
            reason = "the account cannot put up the initial margin"
            yield ended(order, kind, execution.ts_ms, reason, RejectCode.INSUFFICIENT_FUNDS)
            return
        rest: Decimal | None = None
        if most is not None and quantity > most:
            if most <= 0 or (order.time_in_force is TimeInForce.FOK and not stepwise):
                if not stepwise:
                    yield from self._expire_at_once(order, execution.ts_ms)
                return
            quantity, rest = most, left - most
        yield filled(
            order,
            part=orders.parts(order),
            price=execution.price,
            arrival=execution.arrival,
            quantity=quantity,
            fee_rate=fee_rate,
            liquidity=execution.liquidity,
            ts_ms=execution.ts_ms,
            left=rest,
            basis=(BOOK if stepwise else BARS) if self._books else None,
        )
        if rest is not None and not stepwise:
            yield from self._expire_at_once(order, execution.ts_ms)

    def _lacks_margin(self, row: int, order: Order, quantity: Decimal, price: Decimal, account: DeskAccount) -> bool:
        prices = {symbol: price_at_open(self._tape, row, symbol) or ZERO for symbol in account.positions}
        return lacks_margin(
            order,
            quantity,
            account,
            prices | {order.instrument: price},
            self._instruments,
            isolated_leverage=self._margin.isolated_leverage,
        )

    def _expire_at_once(self, order: Order, ts_ms: int) -> Iterator[Event]:
        if order.time_in_force in (TimeInForce.FOK, TimeInForce.IOC):
            code = RejectCode.NOT_FILLABLE_AT_ONCE
            yield ended(order, EventKind.ORDER_EXPIRED, ts_ms, "the rest could not be filled at once", code)

    def _match_on_book(
        self, row: int, book: BookMatcher, order: Order, orders: StandingOrders, account: DeskAccount
    ) -> Iterator[Event]:
        open_ms = int(self._tape.open_ms[row])
        instrument = self._instruments[order.instrument]
        left = orders.left(order)
        found = book.match(
            order,
            left,
            instrument,
            open_ms=open_ms,
            close_ms=open_ms + self._tape.step_ms,
            triggered=orders.triggered(order),
        )
        if isinstance(found, Ending):
            yield ended(order, found.kind, found.ts_ms, found.reason, found.code)
            return
        for step in found:
            if isinstance(step, Triggered):
                yield triggered(order, step.price, step.ts_ms)
                continue
            yield from self._execute(row, order, step.execution, orders, account, most=step.quantity, stepwise=True)
            if orders.get(order.order_id) is None:
                return
        yield from self._expire_at_once(order, max(open_ms, order.arrives_ms))

    def _impact(self, row: int, line: int, quantity: Decimal) -> Decimal:
        if not self._costs.impact or row < 2:
            return ZERO
        closes = self._tape.close[line, max(0, row - IMPACT_BARS) : row]
        volumes = self._tape.volume[line, max(0, row - IMPACT_BARS) : row]
        moves = np.diff(np.log(closes[~np.isnan(closes)]))
        volume = float(np.nanmean(volumes)) if np.isfinite(volumes).any() else 0.0
        if not len(moves) or not volume > 0:
            return ZERO
        deviation = float(np.sqrt(np.mean(moves**2)))
        constant = float(self._costs.impact)
        moved = square_root_impact(float(quantity), volume=volume, volatility=deviation, constant=constant)
        return decimal_from_float(round(min(moved, 0.5), 8))

    def _most(self, row: int, line: int, instrument: Instrument) -> Decimal | None:
        if self._costs.participation is None:
            return None
        volume = float(self._tape.volume[line, row])
        return instrument.floor_quantity(decimal_from_float(volume if volume > 0 else 0.0) * self._costs.participation)

    # -- accounts --------------------------------------------------------------------------------------------------

    def _liquidate(self, row: int, orders: StandingOrders, accounts: Mapping[str, DeskAccount]) -> Iterator[Event]:
        ts_ms = int(self._tape.open_ms[row]) + self._tape.step_ms
        leverage = self._margin.isolated_leverage
        for account in accounts.values():
            perps = [symbol for symbol in account.positions if self._instruments[symbol].is_perp]
            if not perps:
                continue
            opens, lows, highs = self._path(row, account)
            if leverage is not None:
                for symbol in perps:
                    alone = find_isolated_liquidation(
                        account.position(symbol),
                        leverage,
                        opens[symbol],
                        lows[symbol],
                        highs[symbol],
                        self._instruments[symbol],
                    )
                    if alone is not None:
                        yield from close_out(account, alone, [symbol], orders, self._instruments, self._costs, ts_ms)
                continue
            found = find_liquidation(account, opens, lows, highs, self._instruments)
            if found is not None:
                yield from close_out(account, found, perps, orders, self._instruments, self._costs, ts_ms)

    def _path(
        self, row: int, account: DeskAccount
    ) -> tuple[dict[str, Decimal], dict[str, Decimal], dict[str, Decimal]]:
        opens: dict[str, Decimal] = {}
        lows: dict[str, Decimal] = {}
        highs: dict[str, Decimal] = {}
        for symbol in account.positions:
            line = self._tape.index[symbol]
            price = price_at_open(self._tape, row, symbol)
            assert price is not None, "a position was opened at a price"
            low, high = float(self._tape.low[line, row]), float(self._tape.high[line, row])
            opens[symbol] = price
            lows[symbol] = decimal_from_float(low) if low == low else price
            highs[symbol] = decimal_from_float(high) if high == high else price
        return opens, lows, highs


def _precedence(order: Order) -> tuple[int, bool]:
    """By arrival; of a pair that arrived together the stop goes first, for a bar does not say which came first."""
    return order.arrives_ms, order.order_type is OrderType.TAKE_PROFIT


def fillable(order: Order, left: Decimal, account: DeskAccount, instrument: Instrument, unit_cost: Decimal) -> Decimal:
    """The quantity the account can carry at the price of the moment, ``unit_cost`` with its fee: the gate saw another.

    A spot buy leaves one step of the quote for the fee, which is rounded up: cash never goes below zero.
    """
    held = account.position(order.instrument).quantity
    quantity = left
    if order.reduce_only or (not instrument.is_perp and order.side is Side.SELL):
        quantity = min(quantity, max(ZERO, -order.side.sign * held))
    if not instrument.is_perp and order.side is Side.BUY:
        affordable = max(ZERO, account.cash - QUOTE_STEP) / unit_cost
        quantity = min(quantity, instrument.floor_quantity(affordable))
    return quantity

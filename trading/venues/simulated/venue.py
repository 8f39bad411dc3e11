"""The simulated exchange: it matches orders against a tape, settles funding and liquidates, one bar after the other."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, Protocol

import numpy as np

from trading.domain import ids
from trading.domain.event import Event, EventKind
from trading.domain.fill import Liquidity
from trading.domain.instrument import Instrument
from trading.domain.intent import OrderType, Side
from trading.domain.money import EXACT, QUOTE_STEP, ZERO, decimal_from_float, money_text, round_nearest, round_up
from trading.domain.order import Order, order_payload
from trading.ledger.account import DeskAccount
from trading.marketdata.tape import Tape
from trading.venues.simulated.costs import Costs
from trading.venues.simulated.margin import find_liquidation, safe_move
from trading.venues.simulated.matching import BarPrices, match, slipped

LOOK_AHEAD_BARS = 4096
"""How many bars :meth:`SimulatedVenue.quiet_until` searches at once."""

LEAST_MOVE = 1e-9
"""An account that can bear less than this is below its margin already, as far as floats can tell, moving or not."""


class StandingOrders(Protocol):
    """The orders that stand at the moment of asking, oldest first."""

    def all(self) -> Sequence[Order]:
        """Of every desk."""
        ...

    def of(self, desk: str) -> Sequence[Order]:
        """Of one desk."""
        ...


class SimulatedVenue:
    """Matches orders bar by bar. It reads accounts as the exchange's own books and answers with events.

    The caller applies every event before asking for the next one, so that each step sees what the last one changed.
    """

    def __init__(self, tape: Tape, instruments: Mapping[str, Instrument], costs: Costs) -> None:
        self._tape = tape
        self._instruments = instruments
        self._costs = costs

    def process_bar(self, row: int, orders: StandingOrders, accounts: Mapping[str, DeskAccount]) -> Iterator[Event]:
        """What happens in bar ``row``, in time order as far as a bar tells: funding, fills, liquidations, expiries."""
        yield from self._settle_funding(row, accounts)
        open_ms = int(self._tape.open_ms[row])
        close_ms = open_ms + self._tape.step_ms
        for order in sorted(orders.all(), key=lambda order: order.arrives_ms):
            if order.expires_ms is not None and order.expires_ms <= open_ms:
                yield _ended(order, EventKind.ORDER_EXPIRED, order.expires_ms, "not filled in time")
            elif order.arrives_ms < close_ms:
                yield from self._match(row, order, accounts[order.desk])
        yield from self._liquidate(row, orders, accounts)

    def quiet_until(self, row: int, orders: StandingOrders, accounts: Mapping[str, DeskAccount]) -> int:
        """The first bar from ``row`` on that may need :meth:`process_bar`; every bar before it surely does not.

        It looks ahead on the tape to schedule work, at most ``LOOK_AHEAD_BARS``; no desk sees what it finds.
        """
        end = min(len(self._tape), row + LOOK_AHEAD_BARS)
        for order in orders.all():
            end = min(end, self._order_due(order, row, end))
            if end == row:
                return row
        for account in accounts.values():
            if account.positions:
                end = min(end, self._account_due(account, row, end))
        return end

    def _order_due(self, order: Order, row: int, end: int) -> int:
        tape = self._tape
        line = tape.index[order.instrument]
        arrives = max(row, int(np.searchsorted(tape.open_ms, order.arrives_ms - tape.step_ms, side="right")))
        if order.expires_ms is not None:
            end = min(end, max(row, int(np.searchsorted(tape.open_ms, order.expires_ms, side="left"))))
        if arrives >= end:
            return end
        if order.order_type is OrderType.MARKET or order.arrives_ms >= int(tape.open_ms[arrives]):
            return arrives
        assert order.limit_price is not None
        limit = float(order.limit_price)
        if order.side is Side.BUY:
            touched = tape.low[line, row:end] <= limit
        else:
            touched = tape.high[line, row:end] >= limit
        return row + int(np.argmax(touched)) if touched.any() else end

    def _account_due(self, account: DeskAccount, row: int, end: int) -> int:
        tape = self._tape
        due = end
        prices: dict[str, float] = {}
        for symbol in account.positions:
            line = tape.index[symbol]
            last = int(tape.last_row[line, row - 1]) if row else -1
            prices[symbol] = float(tape.close[line, last] if last >= 0 else tape.open[line, row])
            rates = tape.funding.get(symbol)
            if rates is not None and len(rates.ts_ms):
                after = int(tape.open_ms[row - 1]) + tape.step_ms if row else int(tape.open_ms[row])
                settled = int(np.searchsorted(rates.ts_ms, after, side="left"))
                if settled < len(rates.ts_ms):
                    next_ms = int(rates.ts_ms[settled])
                    due = min(due, max(row, int(np.searchsorted(tape.open_ms, next_ms - tape.step_ms, side="right"))))
        move = safe_move(account, prices, self._instruments)
        if move == float("inf"):
            return due
        if move < LEAST_MOVE:
            return row
        for symbol, price in prices.items():
            line = tape.index[symbol]
            left = (tape.low[line, row:due] < price * (1 - move)) | (tape.high[line, row:due] > price * (1 + move))
            if left.any():
                due = row + int(np.argmax(left))
        return due

    def _settle_funding(self, row: int, accounts: Mapping[str, DeskAccount]) -> Iterator[Event]:
        tape = self._tape
        open_ms = int(tape.open_ms[row])
        after = int(tape.open_ms[row - 1]) + tape.step_ms if row else open_ms
        for symbol in tape.funding:
            rates = tape.funding[symbol]
            first, last = np.searchsorted(rates.ts_ms, [after, open_ms + tape.step_ms], side="left")
            for at in range(int(first), int(last)):
                rate = decimal_from_float(float(rates.rate[at]))
                price = self._price_at_open(row, symbol)
                for account in accounts.values():
                    position = account.position(symbol)
                    if price is None or position.is_flat:
                        continue
                    paid = round_nearest(EXACT.multiply(position.value(price), rate), QUOTE_STEP)
                    yield Event(
                        ts_ms=int(rates.ts_ms[at]),
                        kind=EventKind.FUNDED,
                        payload={
                            "desk": account.desk,
                            "instrument": symbol,
                            "rate": money_text(rate),
                            "price": money_text(price),
                            "quantity": money_text(position.quantity),
                            "paid": money_text(paid),
                        },
                    )

    def _match(self, row: int, order: Order, account: DeskAccount) -> Iterator[Event]:
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
        execution = match(order, bar, instrument, self._costs.slippage)
        if execution is None:
            return
        fee_rate = self._costs.maker_fee if execution.liquidity is Liquidity.MAKER else self._costs.taker_fee
        quantity = _fillable(order, account, instrument, execution.price * (1 + fee_rate))
        if quantity <= 0:
            yield _ended(order, EventKind.ORDER_REJECTED, execution.ts_ms, "nothing left to reduce or pay with")
            return
        yield self._filled(order, execution.price, quantity, fee_rate, execution.liquidity, execution.ts_ms)

    def _liquidate(self, row: int, orders: StandingOrders, accounts: Mapping[str, DeskAccount]) -> Iterator[Event]:
        for account in accounts.values():
            perps = [symbol for symbol in account.positions if self._instruments[symbol].is_perp]
            if not perps:
                continue
            opens, lows, highs = self._path(row, account)
            found = find_liquidation(account, opens, lows, highs, self._instruments)
            if found is None:
                continue
            ts_ms = int(self._tape.open_ms[row]) + self._tape.step_ms
            yield Event(
                ts_ms=ts_ms,
                kind=EventKind.LIQUIDATED,
                payload={
                    "desk": account.desk,
                    "equity": money_text(round_nearest(found.equity, QUOTE_STEP)),
                    "maintenance": money_text(round_nearest(found.maintenance, QUOTE_STEP)),
                    "positions": {symbol: money_text(account.position(symbol).quantity) for symbol in perps},
                },
            )
            for order in orders.of(account.desk):
                yield _ended(order, EventKind.ORDER_CANCELLED, ts_ms, "account liquidated")
            for symbol in perps:
                yield from self._forced_close(account, symbol, found.prices[symbol], ts_ms)
            for symbol in tuple(account.positions) if account.cash < 0 else ():
                yield from self._forced_close(account, symbol, found.prices[symbol], ts_ms)
            if account.cash < 0:
                yield Event(
                    ts_ms=ts_ms,
                    kind=EventKind.INSURED,
                    payload={"desk": account.desk, "amount": money_text(-account.cash)},
                )

    def _forced_close(self, account: DeskAccount, symbol: str, price: Decimal, ts_ms: int) -> Iterator[Event]:
        held = account.position(symbol).quantity
        side = Side.SELL if held > 0 else Side.BUY
        order = Order(
            order_id=ids.order_id(f"liquidation:{account.desk}:{symbol}:{ts_ms}"),
            client_order_id="",
            intent_id="",
            desk=account.desk,
            instrument=symbol,
            side=side,
            order_type=OrderType.MARKET,
            quantity=abs(held),
            sent_ms=ts_ms,
            arrives_ms=ts_ms,
            reduce_only=True,
            origin="liquidation",
        )
        yield Event(ts_ms=ts_ms, kind=EventKind.ORDERED, payload=order_payload(order))
        worse = slipped(price, side, self._instruments[symbol], self._costs.slippage)
        fee_rate = self._costs.taker_fee + self._costs.liquidation_fee
        yield self._filled(order, worse, abs(held), fee_rate, Liquidity.TAKER, ts_ms)

    def _filled(
        self, order: Order, price: Decimal, quantity: Decimal, fee_rate: Decimal, liquidity: Liquidity, ts_ms: int
    ) -> Event:
        with localcontext(EXACT):
            fee = round_up(price * quantity * fee_rate, QUOTE_STEP)
        payload: dict[str, Any] = {
            "fill_id": ids.fill_id(order.order_id, 0),
            "order_id": order.order_id,
            "desk": order.desk,
            "instrument": order.instrument,
            "side": order.side.value,
            "price": money_text(price),
            "quantity": money_text(quantity),
            "ordered": money_text(order.quantity),
            "fee": money_text(fee),
            "liquidity": liquidity.value,
            "ts_ms": ts_ms,
        }
        return Event(ts_ms=ts_ms, kind=EventKind.FILLED, payload=payload)

    def _price_at_open(self, row: int, symbol: str) -> Decimal | None:
        line = self._tape.index[symbol]
        price = float(self._tape.open[line, row])
        if price != price:
            last = int(self._tape.last_row[line, row])
            if last < 0:
                return None
            price = float(self._tape.close[line, last])
        return decimal_from_float(price)

    def _path(
        self, row: int, account: DeskAccount
    ) -> tuple[dict[str, Decimal], dict[str, Decimal], dict[str, Decimal]]:
        opens: dict[str, Decimal] = {}
        lows: dict[str, Decimal] = {}
        highs: dict[str, Decimal] = {}
        for symbol in account.positions:
            line = self._tape.index[symbol]
            price = self._price_at_open(row, symbol)
            assert price is not None, "a position was opened at a price"
            low, high = float(self._tape.low[line, row]), float(self._tape.high[line, row])
            opens[symbol] = price
            lows[symbol] = decimal_from_float(low) if low == low else price
            highs[symbol] = decimal_from_float(high) if high == high else price
        return opens, lows, highs


def _fillable(order: Order, account: DeskAccount, instrument: Instrument, unit_cost: Decimal) -> Decimal:
    """The quantity the account can carry at the price of the moment, ``unit_cost`` with its fee: the gate saw another.

    A spot buy leaves one step of the quote for the fee, which is rounded up: cash never goes below zero.
    """
    held = account.position(order.instrument).quantity
    quantity = order.quantity
    if order.reduce_only or (not instrument.is_perp and order.side is Side.SELL):
        quantity = min(quantity, max(ZERO, -order.side.sign * held))
    if not instrument.is_perp and order.side is Side.BUY:
        affordable = max(ZERO, account.cash - QUOTE_STEP) / unit_cost
        quantity = min(quantity, instrument.floor_quantity(affordable))
    return quantity


def _ended(order: Order, kind: EventKind, ts_ms: int, reason: str) -> Event:
    return Event(ts_ms=ts_ms, kind=kind, payload={"order_id": order.order_id, "desk": order.desk, "reason": reason})

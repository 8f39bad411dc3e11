"""The simulated exchange behind the port of real ones: the same matching, reached by sending and asking.

It keeps books of its own, as an exchange does, and moves only when :meth:`PaperVenue.advance` lets market time pass.
Paper trading sends to it over live data; tests compare it with the kernel on one tape.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from trading.domain.errors import OrderRejected
from trading.domain.event import Event, EventKind
from trading.domain.fill import Liquidity
from trading.domain.instrument import Instrument
from trading.domain.intent import Side
from trading.domain.money import decimal_from_float, money_text
from trading.domain.order import Order, OrderStatus, order_payload
from trading.domain.reject import RejectCode
from trading.execution.orders import OpenOrders
from trading.ledger.ledger import Ledger, instrument_row
from trading.ledger.turnover import RecentTurnover
from trading.marketdata.depth import BookTape
from trading.marketdata.tape import Tape
from trading.venues.port import VenueFill, VenueOrder
from trading.venues.simulated.costs import Costs
from trading.venues.simulated.margin_rules import MarginRules
from trading.venues.simulated.venue import SimulatedVenue

FILLS_KEPT = 100_000
"""How many fills it can still tell."""


class PaperVenue:
    """One account of ``desk`` with ``capital`` on a simulated exchange over ``tape``."""

    def __init__(
        self,
        tape: Tape,
        instruments: Mapping[str, Instrument],
        costs: Costs,
        *,
        desk: str,
        capital: Decimal,
        seed: int = 0,
        margin: MarginRules | None = None,
        books: Mapping[str, BookTape] | None = None,
    ) -> None:
        self.name = "simulated"
        self._tape = tape
        self._instruments = instruments
        self._costs = costs
        self._desk = desk
        self._seed = seed
        turnover = RecentTurnover()
        self._venue = SimulatedVenue(tape, instruments, costs, margin=margin, turnover=turnover, books=books)
        self.orders = OpenOrders()
        self.ledger = Ledger()
        self._folds = (self.orders, self.ledger, turnover, self._venue)
        self._row = 0
        self.now_ms = int(tape.open_ms[0])
        self._by_client: dict[str, Order] = {}
        self._client_of: dict[str, str] = {}
        self._ends: dict[str, tuple[str, str]] = {}
        self._fills: deque[VenueFill] = deque(maxlen=FILLS_KEPT)
        quote = next(iter(instruments.values())).quote
        opening = {
            "quote": quote,
            "desks": [{"desk": desk}],
            "instruments": [instrument_row(instrument) for instrument in instruments.values()],
        }
        self._take(Event(ts_ms=self.now_ms, kind=EventKind.SEASON_OPENED, payload=opening))
        deposit = {"desk": desk, "amount": money_text(capital)}
        self._take(Event(ts_ms=self.now_ms, kind=EventKind.DEPOSITED, payload=deposit))

    def hear(self, event: Event) -> None:
        """Take in what was heard of a book that grows, before the bars in which orders are to meet it."""
        self._take(event)

    def advance(self, now_ms: int) -> None:
        """Let market time pass: every bar closed at ``now_ms`` is worked through."""
        end = self._tape.bars_known_at(now_ms)
        while self._row < end:
            for event in self._venue.process_bar(self._row, self.orders, self.ledger.accounts):
                self._take(event)
            self._row += 1
        self.now_ms = max(self.now_ms, now_ms)

    async def place(self, order: Order) -> VenueOrder:
        """See :class:`~trading.venues.port.Venue`. What only the market can tell is refused later, by status."""
        self._check(order)
        arrives_ms = self.now_ms + self._costs.latency_of(order.order_id, self._seed)
        taken = replace(order, desk=self._desk, sent_ms=self.now_ms, arrives_ms=arrives_ms)
        self._by_client[order.client_order_id] = taken
        self._client_of[order.order_id] = order.client_order_id
        self._take(Event(ts_ms=self.now_ms, kind=EventKind.ORDERED, payload=order_payload(taken)))
        return self._told(taken)

    async def cancel(self, client_order_id: str, instrument: str) -> VenueOrder:
        """See :class:`~trading.venues.port.Venue`."""
        order = self._by_client.get(client_order_id)
        if order is None:
            raise OrderRejected(f"no order {client_order_id} is known", code=RejectCode.OTHER.value)
        if self.orders.get(order.order_id) is not None:
            payload = {"order_id": order.order_id, "desk": order.desk, "reason": "cancelled as asked"}
            self._take(Event(ts_ms=self.now_ms, kind=EventKind.ORDER_CANCELLED, payload=payload))
        return self._told(order)

    async def order(self, client_order_id: str, instrument: str) -> VenueOrder | None:
        """See :class:`~trading.venues.port.Venue`."""
        order = self._by_client.get(client_order_id)
        return None if order is None else self._told(order)

    async def open_orders(self) -> Sequence[VenueOrder]:
        """See :class:`~trading.venues.port.Venue`."""
        return tuple(self._told(order) for order in self.orders.all())

    async def fills_since(self, ts_ms: int) -> Sequence[VenueFill]:
        """See :class:`~trading.venues.port.Venue`."""
        return tuple(fill for fill in self._fills if fill.ts_ms >= ts_ms)

    async def balances(self) -> Mapping[str, Decimal]:
        """See :class:`~trading.venues.port.Venue`."""
        account = self.ledger.accounts[self._desk]
        held = {account.quote: account.cash}
        for symbol, position in account.positions.items():
            instrument = self._instruments[symbol]
            if not instrument.is_perp:
                held[instrument.base] = held.get(instrument.base, Decimal(0)) + position.quantity
        return held

    async def positions(self) -> Mapping[str, Decimal]:
        """See :class:`~trading.venues.port.Venue`."""
        account = self.ledger.accounts[self._desk]
        return {symbol: position.quantity for symbol, position in account.positions.items()}

    # -- inside ----------------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        for fold in self._folds:
            fold.apply(event)
        payload = event.payload
        if event.kind is EventKind.FILLED:
            self._fills.append(
                VenueFill(
                    venue_fill_id=payload["fill_id"],
                    client_order_id=self._client_of.get(payload["order_id"], ""),
                    instrument=payload["instrument"],
                    side=Side(payload["side"]),
                    price=Decimal(payload["price"]),
                    quantity=Decimal(payload["quantity"]),
                    fee=Decimal(payload["fee"]),
                    liquidity=Liquidity(payload["liquidity"]),
                    ts_ms=event.ts_ms,
                    arrival=Decimal(payload["arrival"]),
                )
            )
        elif "reason" in payload and "order_id" in payload:
            self._ends[payload["order_id"]] = payload["reason"], payload.get("code", "")

    def _check(self, order: Order) -> None:
        if order.client_order_id in self._by_client:
            raise OrderRejected(f"client order id {order.client_order_id} was used", code=RejectCode.DUPLICATE_ID.value)
        instrument = self._instruments.get(order.instrument)
        if instrument is None:
            raise OrderRejected(f"{order.instrument} is not listed", code=RejectCode.UNKNOWN_INSTRUMENT.value)
        for name, price in (("limit price", order.limit_price), ("trigger price", order.trigger_price)):
            if price is not None and (price <= 0 or price % instrument.tick):
                raise OrderRejected(f"{name} {price}: not a step of {instrument.tick}", code=RejectCode.OFF_GRID.value)
        if order.quantity <= 0 or order.quantity % instrument.lot:
            raise OrderRejected(
                f"quantity {order.quantity}: not a step of {instrument.lot}", code=RejectCode.OFF_GRID.value
            )
        price = order.limit_price or order.trigger_price or self._last(order.instrument)
        if price is not None and not order.reduce_only and price * order.quantity < instrument.min_notional:
            raise OrderRejected(
                f"worth {price * order.quantity}: at least {instrument.min_notional} is needed",
                code=RejectCode.BELOW_MIN_NOTIONAL.value,
            )

    def _last(self, symbol: str) -> Decimal | None:
        line = self._tape.index[symbol]
        at = int(self._tape.last_row[line, self._row - 1]) if self._row else -1
        return decimal_from_float(float(self._tape.close[line, at])) if at >= 0 else None

    def _told(self, order: Order) -> VenueOrder:
        life = self.orders.life(order.order_id)
        assert life is not None, "an order that was placed is known"
        status = OrderStatus.OPEN if life.status is OrderStatus.SENT else life.status
        reason, code = self._ends.get(order.order_id, ("", ""))
        return VenueOrder(
            client_order_id=order.client_order_id,
            venue_order_id=order.order_id,
            instrument=order.instrument,
            status=status,
            quantity=order.quantity,
            filled=life.filled,
            reason=reason,
            code=code,
        )

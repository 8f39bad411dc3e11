"""Sending orders to a venue behind the port so that none goes twice and no fill is lost, whatever is heard of them.

The order is durable before it leaves. An answer that is not heard makes it unknown, and the venue is asked. Every step
is an event; where an order stands is a fold over them, so a restart goes on by :meth:`OrderSender.recover`.
"""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from trading.domain import ids
from trading.domain.clock import Clock
from trading.domain.errors import OrderRejected, UnknownOrderState
from trading.domain.event import Event, EventKind
from trading.domain.money import money_text
from trading.domain.order import Order, OrderStatus, order_payload, part_of
from trading.domain.reject import RejectCode
from trading.execution.orders import OpenOrders
from trading.execution.resolver import ResolvePolicy, Sleep, resolve
from trading.venues.port import Venue, VenueFill, VenueOrder

OVERLAP_MS = 60_000
"""Fills are asked for from so long before the last known one: venues tell some late, and a repeat does no harm."""


class OrderSender:
    """Places, cancels and follows the orders of one venue.

    ``record`` writes an event down and lets every fold, ``orders`` among them, take it in; ``commit`` makes what was
    recorded durable. ``gone`` are the orders that the venue said it does not know.
    """

    def __init__(
        self,
        venue: Venue,
        orders: OpenOrders,
        *,
        record: Callable[[Event], None],
        commit: Callable[[], None],
        clock: Clock,
        policy: ResolvePolicy | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._venue = venue
        self._orders = orders
        self._record = record
        self._commit = commit
        self._clock = clock
        self._policy = policy or ResolvePolicy()
        self._sleep = sleep
        self.gone: set[str] = set()

    def unknown(self) -> tuple[Order, ...]:
        """Orders whose fate is not known: their instruments are not to be traded until it is."""
        return tuple(order for order in self._orders.all() if self._status(order) is OrderStatus.UNKNOWN)

    async def send(self, order: Order, decision_id: str = "") -> OrderStatus:
        """Send an order once and say where it stands. One that was sent before is not sent again."""
        if self._orders.life(order.order_id) is not None:
            return self._status(order)
        self._record(
            Event(ts_ms=order.sent_ms, kind=EventKind.ORDERED, payload=order_payload(order), decision_id=decision_id)
        )
        return await self.place(order)

    async def place(self, order: Order) -> OrderStatus:
        """Send an order that is recorded and has not left, and say where it stands. It is durable before it leaves.

        To be called once an order, in the process that recorded it: after a restart :meth:`recover` asks instead.
        """
        self._commit()
        try:
            answered = await self._venue.place(order)
        except OrderRejected as refusal:
            if refusal.code == RejectCode.DUPLICATE_ID.value:
                return await self._ask(order)
            self._note(order, EventKind.ORDER_REJECTED, reason=str(refusal), code=refusal.code)
        except UnknownOrderState as doubt:
            self._note(order, EventKind.ORDER_UNKNOWN, reason=str(doubt))
            self._commit()
            return await self._ask(order)
        else:
            await self._take_state(order, answered)
        self._commit()
        return self._status(order)

    async def cancel(self, order: Order) -> OrderStatus:
        """Ask for a cancellation. What filled before it arrived is kept."""
        try:
            answered = await self._venue.cancel(order.client_order_id, order.instrument)
        except (OrderRejected, UnknownOrderState):
            return await self._ask(order)
        await self._take_state(order, answered)
        self._commit()
        return self._status(order)

    def drop(self, order: Order, refusal: OrderRejected) -> None:
        """End an order that is recorded and never leaves."""
        self._note(order, EventKind.ORDER_REJECTED, reason=str(refusal), code=refusal.code)
        self._commit()

    def withdraw(self, order: Order, reason: str) -> None:
        """End an order that is recorded, has not left, and is not wanted any more."""
        self._note(order, EventKind.ORDER_CANCELLED, reason=reason)
        self._commit()

    async def poll(self) -> None:
        """Take in new fills, and the end of whatever ended at the venue."""
        await self._take_fills()
        for order in self._orders.all():
            try:
                found = await self._venue.order(order.client_order_id, order.instrument)
            except UnknownOrderState:
                continue
            if found is not None:
                await self._take_state(order, found)
        self._commit()
        await self._end_pairs()

    async def hear(self, told: VenueOrder) -> None:
        """Take in what a stream of the venue says of an order; of one that was not sent here nothing."""
        order = self._orders.by_client_id(told.client_order_id)
        if order is not None:
            await self._take_state(order, told)
            self._commit()

    async def ask(self, order: Order) -> OrderStatus:
        """Ask the venue where an order stands, as often as it takes to be sure."""
        return await self._ask(order)

    async def recover(self) -> None:
        """After a restart: ask after every order that the record holds open. Nothing is sent."""
        for order in self._orders.all():
            await self._ask(order)

    async def expire(self, now_ms: int) -> Sequence[Order]:
        """Cancel what outlived its time; venues without expiry of their own need it. Answers what was cancelled."""
        late = [order for order in self._orders.all() if order.expires_ms is not None and order.expires_ms <= now_ms]
        for order in late:
            await self.cancel(order)
        return late

    # -- inside ----------------------------------------------------------------------------------------------------

    def _status(self, order: Order) -> OrderStatus:
        life = self._orders.life(order.order_id)
        assert life is not None, "asked of orders that were sent"
        return life.status

    def _note(self, order: Order, kind: EventKind, **more: Any) -> None:
        payload = {"order_id": order.order_id, "desk": order.desk, **part_of(order), **more}
        self._record(Event(ts_ms=self._clock.now_ms(), kind=kind, payload=payload))

    async def _ask(self, order: Order) -> OrderStatus:
        found = await resolve(self._venue, order, self._policy, sleep=self._sleep)
        if found.order is not None:
            await self._take_state(order, found.order)
        elif found.is_certain and not self._status(order).is_final:
            code = RejectCode.NEVER_ARRIVED.value
            self.gone.add(order.order_id)
            # Not a rejection: a request that was on its way for very long may yet arrive, and its fills must count.
            self._note(order, EventKind.ORDER_CANCELLED, reason="the venue does not know the order", code=code)
        elif self._status(order) is OrderStatus.SENT:
            self._note(order, EventKind.ORDER_UNKNOWN, reason="the venue cannot be asked")
        self._commit()
        return self._status(order)

    async def _take_state(self, order: Order, told: VenueOrder) -> None:
        """Take in where the venue says an order stands. Its fills come first, so that its end finds them counted."""
        if self._status(order) in (OrderStatus.SENT, OrderStatus.UNKNOWN) and told.status is not OrderStatus.REJECTED:
            self._note(order, EventKind.ORDER_ACKNOWLEDGED, venue_order_id=told.venue_order_id)
        life = self._orders.life(order.order_id)
        if life is not None and told.filled > life.filled:
            await self._take_fills()
            if self._filled(order) < told.filled:  # told late, from before what is known
                await self._take_fills(order.sent_ms)
            if self._filled(order) < told.filled:
                return  # its end waits for its fills, or they would not be asked for again
        kind = _ENDS.get(told.status)
        if kind is not None and not self._status(order).is_final:
            more = {"code": told.code} if told.code else {}
            self._note(order, kind, reason=told.reason or told.status.value, **more)

    def _filled(self, order: Order) -> Decimal:
        life = self._orders.life(order.order_id)
        return Decimal(0) if life is None else life.filled

    async def _end_pairs(self) -> None:
        """Of orders that cancel one another, cancel those whose partner has traded: few venues do it themselves."""
        traded = {
            order.oco_group
            for order in (*self._orders.recent(), *self._orders.all())
            if order.oco_group and self._filled(order) > 0
        }
        for order in self._orders.all():
            if order.oco_group in traded and not self._filled(order):
                await self.cancel(order)

    async def _take_fills(self, since_ms: int | None = None) -> None:
        begin_ms = self._orders.told_until_ms if since_ms is None else since_ms
        try:
            told = await self._venue.fills_since(max(0, begin_ms - OVERLAP_MS))
        except UnknownOrderState:
            return
        by_client = {order.client_order_id: order for order in (*self._orders.recent(), *self._orders.all())}
        for fill in told:
            order = by_client.get(fill.client_order_id)
            if order is not None:
                self._take_fill(order, fill)

    def _take_fill(self, order: Order, fill: VenueFill) -> None:
        life = self._orders.life(order.order_id)
        fill_id = ids.venue_fill_id(self._venue.name, fill.venue_fill_id)
        if life is None or fill_id in life.fill_ids:
            return
        left = life.left - fill.quantity
        payload: dict[str, Any] = {
            "fill_id": fill_id,
            "order_id": order.order_id,
            "desk": order.desk,
            "instrument": order.instrument,
            "side": fill.side.value,
            "price": money_text(fill.price),
            "quantity": money_text(fill.quantity),
            "ordered": money_text(order.quantity),
            "fee": money_text(fill.fee),
            "liquidity": fill.liquidity.value,
            "ts_ms": fill.ts_ms,
            "venue": self._venue.name,
            **part_of(order),
        }
        if fill.arrival is not None:
            payload["arrival"] = money_text(fill.arrival)
        if fill.charged is not None:
            payload |= {"charged": money_text(fill.charged), "charged_currency": fill.charged_currency}
        if fill.realised is not None:
            payload["realised"] = money_text(fill.realised)
        if left > Decimal(0):
            payload["left"] = money_text(left)
        self._record(Event(ts_ms=fill.ts_ms, kind=EventKind.FILLED, payload=payload))


_ENDS = {
    OrderStatus.CANCELLED: EventKind.ORDER_CANCELLED,
    OrderStatus.EXPIRED: EventKind.ORDER_EXPIRED,
    OrderStatus.REJECTED: EventKind.ORDER_REJECTED,
}

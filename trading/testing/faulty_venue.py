"""A venue that misbehaves on request: any venue behind the port, with faults put between it and who asks."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

from trading.domain.errors import UnknownOrderState
from trading.domain.order import Order
from trading.venues.port import Venue, VenueFill, VenueOrder


class Fault(StrEnum):
    """What may go wrong with one call."""

    REQUEST_LOST = "request_lost"
    REQUEST_LATE = "request_late"
    ANSWER_LOST = "answer_lost"
    FILLED_BEFORE_ANSWER = "filled_before_answer"
    SENT_TWICE = "sent_twice"
    FILLS_REPEATED = "fills_repeated"
    FORGOTTEN = "forgotten"


FaultPlan = Callable[[str, int], Fault | None]
"""Which fault strikes the n-th call (from 0) of ``place``, ``cancel``, ``order``, ``open_orders`` or ``fills``."""


def no_faults(call: str, number: int) -> Fault | None:
    """Nothing goes wrong."""
    return None


class FaultyVenue:
    """``inner`` behind a fault plan. ``placed`` counts what truly reached it, by client order id.

    ``let_fill`` moves the inner market on, for the fault in which a fill overtakes the acknowledgement.
    """

    def __init__(
        self, inner: Venue, plan: FaultPlan = no_faults, *, let_fill: Callable[[], None] | None = None
    ) -> None:
        self.name = inner.name
        self.placed: Counter[str] = Counter()
        self._inner = inner
        self._plan = plan
        self._let_fill = let_fill
        self._calls: Counter[str] = Counter()
        self._on_the_way: list[Order] = []

    async def place(self, order: Order) -> VenueOrder:
        """See :class:`~trading.venues.port.Venue`."""
        fault = self._next("place")
        if fault is Fault.REQUEST_LOST:
            raise UnknownOrderState("the connection was lost before the request left")
        if fault is Fault.REQUEST_LATE:
            self._on_the_way.append(order)
            raise UnknownOrderState("the connection was lost while the request was on its way")
        self.placed[order.client_order_id] += 1
        answer = await self._inner.place(order)
        if fault is Fault.ANSWER_LOST:
            raise UnknownOrderState("the connection was lost before the answer came")
        if fault is Fault.FILLED_BEFORE_ANSWER and self._let_fill is not None:
            self._let_fill()  # the answer in hand is older than what the venue knows now
        return answer

    async def arrive(self) -> None:
        """Let every late request arrive now."""
        late, self._on_the_way = self._on_the_way, []
        for order in late:
            self.placed[order.client_order_id] += 1
            await self._inner.place(order)

    async def cancel(self, client_order_id: str, instrument: str) -> VenueOrder:
        """See :class:`~trading.venues.port.Venue`."""
        fault = self._next("cancel")
        if fault is Fault.REQUEST_LOST:
            raise UnknownOrderState("the connection was lost before the request left")
        answer = await self._inner.cancel(client_order_id, instrument)
        if fault is Fault.SENT_TWICE:
            answer = await self._inner.cancel(client_order_id, instrument)
        if fault is Fault.ANSWER_LOST:
            raise UnknownOrderState("the connection was lost before the answer came")
        return answer

    async def order(self, client_order_id: str, instrument: str) -> VenueOrder | None:
        """See :class:`~trading.venues.port.Venue`."""
        fault = self._asked("order")
        return None if fault is Fault.FORGOTTEN else await self._inner.order(client_order_id, instrument)

    async def open_orders(self) -> Sequence[VenueOrder]:
        """See :class:`~trading.venues.port.Venue`."""
        fault = self._asked("open_orders")
        return () if fault is Fault.FORGOTTEN else await self._inner.open_orders()

    async def fills_since(self, ts_ms: int) -> Sequence[VenueFill]:
        """See :class:`~trading.venues.port.Venue`."""
        fault = self._asked("fills")
        fills = await self._inner.fills_since(ts_ms)
        return (*fills, *fills) if fault is Fault.FILLS_REPEATED else fills

    async def balances(self) -> Mapping[str, Decimal]:
        """See :class:`~trading.venues.port.Venue`."""
        return await self._inner.balances()

    async def positions(self) -> Mapping[str, Decimal]:
        """See :class:`~trading.venues.port.Venue`."""
        return await self._inner.positions()

    def _next(self, call: str) -> Fault | None:
        number = self._calls[call]
        self._calls[call] += 1
        return self._plan(call, number)

    def _asked(self, call: str) -> Fault | None:
        fault = self._next(call)
        if fault in (Fault.REQUEST_LOST, Fault.ANSWER_LOST):
            raise UnknownOrderState("the connection was lost")
        return fault

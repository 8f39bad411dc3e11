"""How orders reach a venue that is elsewhere: the kernel hands them over, and hears later what came of them."""

from collections.abc import Callable, Iterable
from typing import Protocol

from trading.domain.event import Event, EventKind
from trading.domain.order import Order, order_from_payload
from trading.execution.orders import OpenOrders


class Dispatch(Protocol):
    """Carries orders and cancellations to a venue. Both calls return at once; neither says that anything happened."""

    def place(self, order: Order) -> None:
        """Send an order that stands in the record."""
        ...

    def cancel(self, order: Order, reason: str) -> None:
        """Ask the venue to take an order back; asked again for the same one, it is one request."""
        ...


class Outlet:
    """Carries out what the house does: it is written down, and handed over where the venue is elsewhere."""

    def __init__(self, record: Callable[[Event], None], orders: OpenOrders, dispatch: Dispatch | None) -> None:
        self._record = record
        self._orders = orders
        self._dispatch = dispatch

    def carry_out(self, events: Iterable[Event]) -> None:
        """One event after the other; to a venue elsewhere an order leaves, and a cancellation is a request."""
        for event in events:
            if self._dispatch is None:
                self._record(event)
            elif event.kind is EventKind.ORDER_CANCELLED:
                standing = self._orders.get(event.payload["order_id"])
                if standing is not None:
                    self._dispatch.cancel(standing, event.payload["reason"])
            else:
                self._record(event)
                if event.kind is EventKind.ORDERED:
                    self._dispatch.place(order_from_payload(event.payload))

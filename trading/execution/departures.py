"""Which of the recorded orders have left for the venue: only of those can the venue be asked."""

from trading.domain.event import Event, EventKind
from trading.domain.order import ADOPTED
from trading.execution.orders import OpenOrders


class DepartedOrders(OpenOrders):
    """The orders that have left. While it :attr:`holds`, one that is recorded counts from :meth:`depart` on.

    An engine records an order before it is sent. Whoever compares record and venue in between must not ask after it:
    the venue would say that it does not know it, and the order would be given up before it left. What is folded from
    the events of an earlier process has left as far as anybody knows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.holds = False
        self._held: dict[str, Event] = {}

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if event.kind is EventKind.ORDERED and self.holds and event.payload["origin"] != ADOPTED:
            self._held[event.payload["order_id"]] = event
        else:
            super().apply(event)

    def depart(self, order_id: str) -> None:
        """The order leaves now, or is ended without leaving."""
        held = self._held.pop(order_id, None)
        if held is not None:
            super().apply(held)

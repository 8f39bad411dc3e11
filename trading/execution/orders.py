"""Which orders stand: a fold over the journal, so that a restart knows them again."""

from trading.domain.errors import JournalError
from trading.domain.event import Event, EventKind
from trading.domain.order import Order, order_from_payload

_ENDS = {EventKind.FILLED, EventKind.ORDER_EXPIRED, EventKind.ORDER_CANCELLED, EventKind.ORDER_REJECTED}


class OpenOrders:
    """Orders that may still fill, in the order they were sent. A fill ends an order: the venue fills whole orders."""

    def __init__(self) -> None:
        self._sent: set[str] = set()
        self._open: dict[str, Order] = {}
        self._by_desk: dict[str, dict[str, Order]] = {}

    def apply(self, event: Event) -> None:
        """Take an event in. Raises JournalError when an order is sent twice."""
        if event.kind is EventKind.ORDERED:
            order = order_from_payload(event.payload)
            if order.order_id in self._sent:
                raise JournalError(f"order {order.order_id} was sent twice")
            self._sent.add(order.order_id)
            self._open[order.order_id] = order
            self._by_desk.setdefault(order.desk, {})[order.order_id] = order
        elif event.kind in _ENDS:
            ended = self._open.pop(event.payload["order_id"], None)
            if ended is not None:
                del self._by_desk[ended.desk][ended.order_id]

    def __len__(self) -> int:
        return len(self._open)

    def all(self) -> tuple[Order, ...]:
        """Every open order, oldest first."""
        return tuple(self._open.values())

    def of(self, desk: str) -> tuple[Order, ...]:
        """The open orders of a desk, oldest first."""
        return tuple(self._by_desk.get(desk, {}).values())

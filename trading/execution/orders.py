"""Which orders stand: a fold over the journal, so that a restart knows them again."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.domain.errors import JournalError
from trading.domain.event import Event, EventKind
from trading.domain.intent import OrderType, Side
from trading.domain.money import money_text
from trading.domain.order import Order

_ENDS = {EventKind.FILLED, EventKind.ORDER_EXPIRED, EventKind.ORDER_CANCELLED, EventKind.ORDER_REJECTED}


class OpenOrders:
    """Orders that may still fill, in the order they were sent. The simulated venue fills an order whole or not at all."""

    def __init__(self) -> None:
        self._open: dict[str, Order] = {}
        self._by_desk: dict[str, dict[str, Order]] = {}

    def apply(self, event: Event) -> None:
        """Take an event in. Raises JournalError when an order is sent twice."""
        if event.kind is EventKind.ORDERED:
            order = order_from_payload(event.payload)
            if order.order_id in self._open:
                raise JournalError(f"order {order.order_id} was sent twice")
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


def order_payload(order: Order) -> dict[str, Any]:
    """An order as its event holds it."""
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "intent_id": order.intent_id,
        "desk": order.desk,
        "instrument": order.instrument,
        "side": order.side.value,
        "order_type": order.order_type.value,
        "quantity": money_text(order.quantity),
        "limit_price": None if order.limit_price is None else money_text(order.limit_price),
        "reduce_only": order.reduce_only,
        "sent_ms": order.sent_ms,
        "arrives_ms": order.arrives_ms,
        "expires_ms": order.expires_ms,
    }


def order_from_payload(payload: Mapping[str, Any]) -> Order:
    """The order that an event holds."""
    limit_price = payload["limit_price"]
    return Order(
        order_id=payload["order_id"],
        client_order_id=payload["client_order_id"],
        intent_id=payload["intent_id"],
        desk=payload["desk"],
        instrument=payload["instrument"],
        side=Side(payload["side"]),
        order_type=OrderType(payload["order_type"]),
        quantity=Decimal(payload["quantity"]),
        limit_price=None if limit_price is None else Decimal(limit_price),
        reduce_only=payload["reduce_only"],
        sent_ms=payload["sent_ms"],
        arrives_ms=payload["arrives_ms"],
        expires_ms=payload["expires_ms"],
    )

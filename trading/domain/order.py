"""An order as a venue knows it. Its ids derive from what it is for, so sending twice cannot trade twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trading.domain.intent import OrderType, Side
from trading.domain.money import money_text


class OrderStatus(StrEnum):
    """Where an order stands."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return self is not OrderStatus.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order that passed the gate. ``sent_ms`` is when it left the desk, ``arrives_ms`` when the venue has it.

    ``origin`` is ``"desk"``, or ``"liquidation"`` for a forced close, which answers to no intent.
    """

    order_id: str
    client_order_id: str
    intent_id: str
    desk: str
    instrument: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    sent_ms: int
    arrives_ms: int
    limit_price: Decimal | None = None
    reduce_only: bool = False
    expires_ms: int | None = None
    origin: str = "desk"


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
        "origin": order.origin,
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
        origin=payload["origin"],
    )

"""An order as a venue knows it. Its ids derive from what it is for, so sending twice cannot trade twice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trading.domain.intent import OrderType, Side, TimeInForce
from trading.domain.money import money_text


class OrderStatus(StrEnum):
    """Where an order stands. UNKNOWN: it was sent, and whether the venue has it must be asked."""

    PROPOSED = "proposed"
    GATED = "gated"
    SENT = "sent"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return self in _FINAL


_FINAL = frozenset((OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED))

DESK, LIQUIDATION, BRACKET, PROTECTION, FLATTEN = "desk", "liquidation", "bracket", "protection", "flatten"
RISK = "risk"
ADOPTED = "adopted"
"""Where an order comes from: a desk's intent, a forced close, a bracket, a standing stop, a close in its place, the
house, which gets back within a limit, or somebody else at the same account, from whom the house took it over."""

PROTECTIVE = frozenset((BRACKET, PROTECTION))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order that passed the gate. ``sent_ms`` is when it left the desk, ``arrives_ms`` when the venue has it.

    ``origin`` is ``"desk"``; ``"liquidation"`` for a forced close and ``"risk"`` for what the house sends to get back
    within a limit answer to no intent; protective orders come from ``"bracket"`` or ``"protection"``. Of the orders
    that share an ``oco_group``, one cancels the others. A part of an order that is worked names that order and its
    whole quantity: ``parent_id`` and ``parent_quantity``.
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
    origin: str = DESK
    time_in_force: TimeInForce = TimeInForce.GTD
    post_only: bool = False
    trigger_price: Decimal | None = None
    trail: Decimal | None = None
    oco_group: str = ""
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    parent_id: str = ""
    parent_quantity: Decimal | None = None

    @property
    def is_protective(self) -> bool:
        """Whether it only guards a position: it can close one and open none."""
        return self.origin in PROTECTIVE

    @property
    def rests(self) -> bool:
        """Whether it stays after it arrived, when nothing fills it at once."""
        return self.order_type is not OrderType.MARKET and self.time_in_force in (TimeInForce.GTD, TimeInForce.GTC)


_AMOUNTS = ("trigger_price", "trail", "stop_loss", "take_profit", "parent_quantity")


def part_of(order: Order) -> dict[str, str]:
    """What the events of an order say of the one that it is a part of; nothing for an order of its own."""
    return {"parent_id": order.parent_id} if order.parent_id else {}


def count_orders(orders: Iterable[Order]) -> int:
    """How many orders these are, the parts of one that is worked counted once."""
    return len({order.parent_id or order.order_id for order in orders})


def order_payload(order: Order) -> dict[str, Any]:
    """An order as its event holds it. What only some orders have is left out of the others."""
    return _plain(order) | _special(order)


def _special(order: Order) -> dict[str, Any]:
    special: dict[str, Any] = {}
    if order.time_in_force is not TimeInForce.GTD:
        special["time_in_force"] = order.time_in_force.value
    if order.post_only:
        special["post_only"] = True
    if order.oco_group:
        special["oco_group"] = order.oco_group
    special |= part_of(order)
    for name in _AMOUNTS:
        value = getattr(order, name)
        if value is not None:
            special[name] = money_text(value)
    return special


def _plain(order: Order) -> dict[str, Any]:
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
        time_in_force=TimeInForce(payload.get("time_in_force", TimeInForce.GTD)),
        post_only=payload.get("post_only", False),
        oco_group=payload.get("oco_group", ""),
        parent_id=payload.get("parent_id", ""),
        **{name: Decimal(payload[name]) for name in _AMOUNTS if name in payload},
    )

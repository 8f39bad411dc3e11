"""An order as a venue knows it. Its ids derive from what it is for, so sending twice cannot trade twice."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading.domain.intent import OrderType, Side


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
    """An order that passed the gate. ``sent_ms`` is when it left the desk, ``arrives_ms`` when the venue has it."""

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

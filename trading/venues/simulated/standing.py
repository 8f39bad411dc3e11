"""What the simulated venue asks of whoever keeps the orders: which stand, and how far each has come."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from trading.domain.order import Order


class StandingOrders(Protocol):
    """The orders that stand at the moment of asking, oldest first."""

    def all(self) -> Sequence[Order]:
        """Of every desk."""
        ...

    def of(self, desk: str) -> Sequence[Order]:
        """Of one desk."""
        ...

    def get(self, order_id: str) -> Order | None:
        """One of them, None when it stands no more."""
        ...

    def left(self, order: Order) -> Decimal:
        """What of it is not filled."""
        ...

    def parts(self, order: Order) -> int:
        """How many fills it has had."""
        ...

    def triggered(self, order: Order) -> bool:
        """Whether a stop-limit met its trigger and rests as a limit order."""
        ...

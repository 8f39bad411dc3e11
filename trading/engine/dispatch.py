"""How orders reach a venue that is elsewhere: the kernel hands them over, and hears later what came of them."""

from typing import Protocol

from trading.domain.order import Order


class Dispatch(Protocol):
    """Carries orders and cancellations to a venue. Both calls return at once; neither says that anything happened."""

    def place(self, order: Order) -> None:
        """Send an order that stands in the record."""
        ...

    def cancel(self, order: Order, reason: str) -> None:
        """Ask the venue to take an order back; asked again for the same one, it is one request."""
        ...

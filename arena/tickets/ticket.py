"""A ticket as it stands on the board: what was asked, by whom, and what became of it."""

from dataclasses import dataclass
from enum import StrEnum

from arena.tickets.order import OrderTicket


class TicketState(StrEnum):
    """Where a ticket stands. What is waiting or taken may still come to something; an open one rests at the venue."""

    WAITING = "waiting"
    TAKEN = "taken"
    OPEN = "open"
    FILLED = "filled"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self not in (TicketState.WAITING, TicketState.TAKEN, TicketState.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket of a desk of a run: an ``order``, or the cancel of the order ``cancels``.

    ``placed_ms`` and ``deadline_ms`` are wall clock, milliseconds since 1970 (UTC): no round takes it after its
    deadline. ``words`` say more of its ``state``, such as the price it filled at.
    """

    ticket_id: str
    run_id: str
    desk: str
    order: OrderTicket | None
    cancels: str
    who: str
    placed_ms: int
    deadline_ms: int
    state: TicketState
    words: str

    @property
    def what(self) -> str:
        """The ticket in a line."""
        return self.order.words() if self.order is not None else f"cancel {self.cancels}"

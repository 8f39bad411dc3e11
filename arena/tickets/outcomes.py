"""What became of the tickets of a run: a fold over its journal, so that a restart knows which were carried out."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from arena.tickets.ticket import TicketState
from trading.domain.event import Event, EventKind
from trading.domain.money import ZERO, money_text


@dataclass(slots=True, kw_only=True)
class _Outcome:
    """A ticket that was taken. ``filled`` and ``paid`` sum its fills."""

    state: TicketState
    words: str = ""
    filled: Decimal = ZERO
    paid: Decimal = ZERO


class TicketOutcomes:
    """The state of every ticket that a round has taken."""

    def __init__(self) -> None:
        self._tickets: dict[str, _Outcome] = {}
        self._by_intent: dict[str, str] = {}
        self._by_order: dict[str, str] = {}
        self._untold: set[str] = set()

    @property
    def taken(self) -> frozenset[str]:
        """The tickets that stand in the journal."""
        return frozenset(self._tickets)

    def untold(self) -> list[tuple[str, TicketState, str]]:
        """Id, state and words of each ticket that has changed since this was last asked."""
        changed = sorted(self._untold)
        self._untold.clear()
        return [(ticket, self._tickets[ticket].state, self._tickets[ticket].words) for ticket in changed]

    def apply(self, event: Event) -> None:
        """Take an event in."""
        payload = event.payload
        if event.kind is EventKind.TICKET_TAKEN:
            self._take(payload)
        elif event.kind is EventKind.RULED and payload["intent_id"] in self._by_intent:
            self._rule(self._by_intent[payload["intent_id"]], payload)
        elif event.kind is EventKind.ORDERED and payload["intent_id"] in self._by_intent:
            ticket = self._by_intent.pop(payload["intent_id"])
            self._by_order[payload["order_id"]] = ticket
            self._put(ticket, TicketState.OPEN)
        elif event.kind is EventKind.FILLED and payload["order_id"] in self._by_order:
            self._fill(payload)
        elif event.kind in _ENDS and payload["order_id"] in self._by_order:
            ticket = self._by_order.pop(payload["order_id"])
            partly = f"{self._fills(ticket)}; " if self._tickets[ticket].filled else ""
            self._put(ticket, _ENDS[event.kind], f"{partly}{payload['reason']}")

    def _take(self, payload: Mapping[str, Any]) -> None:
        state = TicketState.REFUSED if payload["refused"] else TicketState.DONE if payload["cancels"] else None
        self._tickets[payload["ticket"]] = _Outcome(state=state or TicketState.TAKEN)
        self._put(payload["ticket"], self._tickets[payload["ticket"]].state, payload["refused"])
        if state is None:
            self._by_intent[payload["intent_id"]] = payload["ticket"]

    def _rule(self, ticket: str, payload: Mapping[str, Any]) -> None:
        if payload["ruling"] == "refused":
            del self._by_intent[payload["intent_id"]]
            self._put(ticket, TicketState.REFUSED, f"{payload['rule']}: {payload['message']}")
        elif payload["ruling"] == "resized":
            before, after = payload["quantity_before"], payload["quantity_after"]
            self._put(ticket, TicketState.TAKEN, f"{before} became {after} by {payload['rule']}")

    def _fill(self, payload: Mapping[str, Any]) -> None:
        ticket = self._by_order[payload["order_id"]]
        outcome = self._tickets[ticket]
        quantity = Decimal(payload["quantity"])
        outcome.filled += quantity
        outcome.paid += quantity * Decimal(payload["price"])
        if "left" in payload:
            self._put(ticket, TicketState.OPEN, f"{self._fills(ticket)}, {payload['left']} left")
            return
        del self._by_order[payload["order_id"]]
        self._put(ticket, TicketState.FILLED, self._fills(ticket))

    def _fills(self, ticket: str) -> str:
        outcome = self._tickets[ticket]
        return f"{money_text(outcome.filled)} at {outcome.paid / outcome.filled:.8g}"

    def _put(self, ticket: str, state: TicketState, words: str | None = None) -> None:
        outcome = self._tickets[ticket]
        outcome.state = state
        outcome.words = outcome.words if words is None else words
        self._untold.add(ticket)


_ENDS = {
    EventKind.ORDER_CANCELLED: TicketState.CANCELLED,
    EventKind.ORDER_EXPIRED: TicketState.EXPIRED,
    EventKind.ORDER_REJECTED: TicketState.REFUSED,
}

"""The audit of fills against live books: walk the books on record again and compare what they give."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from trading.domain.errors import JournalError
from trading.domain.event import Event, EventKind
from trading.domain.fill import Liquidity
from trading.domain.instrument import Instrument
from trading.domain.money import money_text
from trading.execution.orders import OpenOrders
from trading.ledger.ledger import instrument_from_row
from trading.marketdata.growing_book import GrowingBook
from trading.storage.journal.reader import read_events
from trading.venues.simulated.book_matching import BOOK, BookMatcher, Step, TakenDepth

_KINDS = (
    EventKind.SEASON_OPENED, EventKind.DEPTH_GREW, EventKind.ORDERED, EventKind.ORDER_TRIGGERED, EventKind.FILLED,
    EventKind.ORDER_EXPIRED, EventKind.ORDER_CANCELLED, EventKind.ORDER_REJECTED,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BookAudit:
    """How many fills were walked again. ``problem`` names the first event that the books do not give, else None."""

    fills: int
    problem: str | None


@dataclass(slots=True)
class _Walk:
    """A walk over the levels of one instant: the fills that it still has to give."""

    key: tuple[str, int] = ("", 0)
    steps: list[Step] = field(default_factory=list)


def audit_book_fills(journal: Path) -> BookAudit:
    """Re-derive every fill that met a book which the journal holds.

    A fill that took stands on the next level of the walk, and is no larger; one that rested was hit by a public trade
    at its price or through it. Fills on books that the journal does not hold (recordings in files) are left out.
    """
    audit = _Audit()
    try:
        for stored in read_events(journal, kinds=[kind.value for kind in _KINDS]):
            problem = audit.take(stored.event())
            if problem is not None:
                return BookAudit(fills=audit.fills, problem=f"event {stored.seq} (filled): {problem}")
    except JournalError as error:
        return BookAudit(fills=audit.fills, problem=str(error))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        told = f"an event does not hold what it must: {type(error).__name__}: {error}"
        return BookAudit(fills=audit.fills, problem=told)
    return BookAudit(fills=audit.fills, problem=None)


class _Audit:
    def __init__(self) -> None:
        self.fills = 0
        self._orders = OpenOrders()
        self._taken = TakenDepth()
        self._instruments: dict[str, Instrument] = {}
        self._books: dict[str, BookMatcher] = {}
        self._walk = _Walk()

    def take(self, event: Event) -> str | None:
        """What is wrong with an event, which is taken in."""
        problem = None
        if event.kind is EventKind.SEASON_OPENED:
            self._instruments = {row["symbol"]: instrument_from_row(row) for row in event.payload["instruments"]}
        elif event.kind is EventKind.DEPTH_GREW:
            name = event.payload["instrument"]
            self._books.setdefault(name, BookMatcher(GrowingBook(name), self._taken)).apply(event)
        elif event.kind is EventKind.FILLED and event.payload.get("basis") == BOOK:
            problem = self._fill(event.payload)
        self._orders.apply(event)
        self._taken.apply(event)
        return problem

    def _fill(self, payload: Mapping[str, Any]) -> str | None:
        book = self._books.get(payload["instrument"])
        order = self._orders.get(payload["order_id"])
        if book is None:
            return None
        if order is None:
            return f"order {payload['order_id']} does not stand"
        self.fills += 1
        ts_ms, price, quantity = int(payload["ts_ms"]), Decimal(payload["price"]), Decimal(payload["quantity"])
        if payload["liquidity"] == Liquidity.MAKER.value:
            if price == order.limit_price and book.was_hit(order, ts_ms):
                return None
            return f"no public trade on record could fill it at {price}"
        if self._walk.key != (order.order_id, ts_ms):
            left = self._orders.left(order)
            steps = book.walked(order, left, self._instruments[order.instrument], ts_ms)
            self._walk = _Walk((order.order_id, ts_ms), list(steps))
        step = self._walk.steps.pop(0) if self._walk.steps else None
        if step is None or step.execution.price != price or quantity > step.quantity:
            shown = "nothing" if step is None else f"{money_text(step.quantity)} at {money_text(step.execution.price)}"
            return f"{quantity} at {price}, where the book on record gives {shown}"
        return None

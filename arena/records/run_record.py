"""One run as its journal tells it: decisions, orders, fills and accounts, an index that grows with the journal."""

import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic
from types import MappingProxyType
from typing import Any, TypeVar

from trading.domain.errors import JournalError, RequestError
from trading.domain.event import Event, EventKind
from trading.ledger import Ledger
from trading.ledger.export import ORDER_ENDS
from trading.ledger.marking import Mark, mark_account
from trading.storage.journal import StoredEvent, events_at, read_events
from trading.storage.runs import RunFolder

Known = TypeVar("Known")

FRESH_S = 0.2
"""A look at the journal counts for so long: it grows by whole rounds."""

_BULK = frozenset(
    {
        EventKind.MODEL_CALLED,
        EventKind.TOOL_CALLED,
        EventKind.STATE_NOTED,
        EventKind.TAPE_GREW,
        EventKind.DEPTH_GREW,
    }
)
_KINDS = tuple(kind.value for kind in EventKind if kind not in _BULK)


@dataclass(slots=True, kw_only=True)
class Decided:
    """Where a decision stands in the journal. ``instruments`` are those of its intents."""

    seq: int
    before: int
    decision_id: str
    ts_ms: int
    round_index: int
    desk: str
    status: str
    instruments: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Ordered:
    """An order as it left, and how it stands; ``ended_ms`` is None while it may still fill."""

    seq: int
    payload: Mapping[str, Any]
    decision_id: str
    status: str = "open"
    filled: Decimal = Decimal(0)
    ended_ms: int | None = None
    ended_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """An execution."""

    seq: int
    payload: Mapping[str, Any]


class RunRecord:
    """A run on record. Any thread may read it; :meth:`refresh` takes in what the journal has since.

    Raises JournalError where the journal cannot be read.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.opening: Mapping[str, Any] = MappingProxyType({})
        self.decisions: list[Decided] = []
        self.orders: list[Ordered] = []
        self.fills: list[Filled] = []
        self.prices: Mapping[str, Decimal] = MappingProxyType({})
        self.books: dict[str, tuple[int, Mapping[str, Any]]] = {}
        self.as_of_ms: int | None = None
        self.round_index: int | None = None
        self.is_closed = False
        self._ledger = Ledger()
        self._decided: dict[str, Decided] = {}
        self._orders: dict[str, Ordered] = {}
        self._fills: dict[str, list[Filled]] = {}
        self._seq = 0
        self._looked_s = float("-inf")
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Take in what was committed since the last look."""
        with self._lock:
            if self.folder.journal.is_file() and monotonic() - self._looked_s >= FRESH_S:
                for stored in read_events(self.folder.journal, after=self._seq, kinds=_KINDS):
                    self._take_in(stored)
                self._looked_s = monotonic()

    @property
    def desks(self) -> tuple[str, ...]:
        """Its desks, in the order they entered."""
        return tuple(row["desk"] for row in self.opening.get("desks", ()))

    @property
    def instruments(self) -> Mapping[str, Any]:
        """What it trades, by symbol."""
        return self._ledger.instruments

    def decision(self, decision_id: str) -> Decided:
        """One decision. Raises RequestError for a stranger."""
        return _known(self._decided, decision_id, "decision", self.folder.run_id)

    def order(self, order_id: str) -> Ordered:
        """One order. Raises RequestError for a stranger."""
        return _known(self._orders, order_id, "order", self.folder.run_id)

    def fills_of(self, order_id: str) -> tuple[Filled, ...]:
        """The executions of an order, oldest first."""
        return tuple(self._fills.get(order_id, ()))

    def account(self, desk: str) -> tuple[Any, Mark | None]:
        """A desk's account and its value at the last prices, None before there are any. Raises RequestError."""
        with self._lock:
            account = _known(self._ledger.accounts, desk, "desk", self.folder.run_id)
            held = all(symbol in self.prices for symbol in account.positions)
            return account, mark_account(account, self.prices, self._ledger.instruments) if held else None

    def payloads(self, decided: Sequence[Decided]) -> list[Mapping[str, Any]]:
        """What decisions say, in the order in which they are named."""
        places = [one.seq for one in decided]
        found = {stored.seq: stored.event().payload for stored in events_at(self.folder.journal, places)}
        return [found[place] for place in places]

    def events_of(self, decided: Decided) -> list[StoredEvent]:
        """Everything that is filed under a decision, in order: calls, the decision, its intents, rulings and orders."""
        found: list[StoredEvent] = []
        for stored in read_events(self.folder.journal, after=decided.before):
            if stored.decision_id == decided.decision_id:
                found.append(stored)
            elif stored.seq > decided.seq:
                return found
        return found

    def _take_in(self, stored: StoredEvent) -> None:
        event = stored.event()
        try:
            self._apply(stored.seq, event)
        except (KeyError, TypeError, ValueError) as error:
            raise JournalError(
                f"{self.folder.run_id}: event {stored.seq} ({stored.kind}) does not hold what it must: {error}"
            ) from error
        self._seq = stored.seq

    def _apply(self, seq: int, event: Event) -> None:
        self._ledger.apply(event)
        payload = event.payload
        match event.kind:
            case EventKind.SEASON_OPENED:
                self.opening = payload
            case EventKind.ROUND_OPENED | EventKind.QUIET:
                self.prices = {symbol: Decimal(price) for symbol, price in payload["prices"].items()}
                self.as_of_ms = event.ts_ms
                self.round_index = payload.get("round", self.round_index)
            case EventKind.DECIDED:
                self._decide(seq, event)
            case EventKind.INTENDED:
                if event.decision_id in self._decided:
                    self._decided[event.decision_id].instruments.add(payload["instrument"])
            case EventKind.ORDERED:
                ordered = Ordered(seq=seq, payload=payload, decision_id=event.decision_id)
                self.orders.append(ordered)
                self._orders[payload["order_id"]] = ordered
            case EventKind.BOOK_SEEN:
                self.books[payload["instrument"]] = event.ts_ms, payload
            case EventKind.SEASON_CLOSED:
                self.is_closed = True
            case _:
                self._follow(seq, event)

    def _decide(self, seq: int, event: Event) -> None:
        decided = Decided(
            seq=seq,
            before=self.decisions[-1].seq if self.decisions else 0,
            decision_id=event.decision_id,
            ts_ms=event.ts_ms,
            round_index=event.payload["round"],
            desk=event.payload["desk"],
            status=event.payload["status"],
        )
        self.decisions.append(decided)
        self._decided[decided.decision_id] = decided

    def _follow(self, seq: int, event: Event) -> None:
        """What becomes of an order."""
        if event.kind is EventKind.FILLED:
            filled = Filled(seq=seq, payload=event.payload)
            self.fills.append(filled)
            self._fills.setdefault(event.payload["order_id"], []).append(filled)
        ends = ORDER_ENDS.get(event.kind)
        ordered = self._orders.get(event.payload.get("order_id", "")) if ends is not None else None
        if ends is None or ordered is None:
            return
        if event.kind is EventKind.FILLED:
            ordered.filled += Decimal(event.payload["quantity"])
        if "left" in event.payload:
            ordered.status = "partially_filled"
        else:
            ordered.status = ends
            ordered.ended_ms, ordered.ended_reason = event.ts_ms, event.payload.get("reason")


def behind(rows: list[Any], after: int) -> Iterator[Any]:
    """The rows whose ``seq`` lies behind ``after``, oldest first. A list that grows meanwhile does not matter."""
    for place in range(bisect_right(rows, after, key=lambda row: row.seq), len(rows)):
        yield rows[place]


def _known(places: Mapping[str, Known], name: str, what: str, run_id: str) -> Known:
    found = places.get(name)
    if found is None:
        raise RequestError(f"{run_id} has no {what} {name[:100]!r}{_some(places) if what == 'desk' else ''}")
    return found


def _some(places: Iterable[str]) -> str:
    return f"; there are {', '.join(places) or 'none'}"

"""Taking in what a venue tells of cash: funding, deposits, withdrawals, rebates and fees, each movement once."""

from collections.abc import Callable, Iterator, Sequence

from trading.domain.clock import Clock
from trading.domain.errors import RequestError, UnknownOrderState
from trading.domain.event import Event, EventKind
from trading.domain.money import money_text
from trading.execution.reconciliation.books import ExpectedBooks
from trading.venues.port import CashHistory, CashKind, Venue, VenueCash

OVERLAP_MS = 3_600_000
"""Movements are asked for from so long before the last asking: venues tell some late, and a repeat does no harm."""


class CashIntake:
    """Records what ``venue`` tells of cash, where it tells anything.

    ``desk`` is whose account the venue's cash is: in its ``quote`` it gets the money events of the ledger beside;
    without one only the books move. ``unread`` says why the last asking brought nothing, empty where it did.
    """

    def __init__(
        self,
        venue: Venue,
        books: ExpectedBooks,
        *,
        record: Callable[[Event], None],
        clock: Clock,
        desk: str = "",
        quote: str = "",
    ) -> None:
        self._venue = venue
        self._books = books
        self._record = record
        self._clock = clock
        self._desk = desk
        self._quote = quote
        self._asked_ms = 0
        self.unread = ""

    async def told(self) -> Sequence[VenueCash]:
        """What the venue tells since it was last asked, with an overlap; nothing where it does not tell."""
        self.unread = ""
        if not isinstance(self._venue, CashHistory):
            return ()
        now_ms = self._clock.now_ms()
        since_ms = (self._asked_ms or self._books.cash_until_ms or now_ms) - OVERLAP_MS
        try:
            found = await self._venue.cash_since(max(0, since_ms))
        except (RequestError, UnknownOrderState) as silence:
            self.unread = str(silence)
            return ()
        self._asked_ms = now_ms
        return found

    async def take(self) -> int:
        """Record every movement that is new; answers how many there were."""
        new = [cash for cash in await self.told() if not self._books.knows_cash(cash.cash_id)]
        for cash in new:
            for event in cash_events(cash, self._venue.name, desk=self._desk, quote=self._quote):
                self._record(event)
        return len(new)


def cash_events(cash: VenueCash, venue: str, *, desk: str = "", quote: str = "") -> Iterator[Event]:
    """A movement as the journal holds it: what the venue's books take in, and where ``desk`` has accounts in that
    currency, what its ledger does.
    """
    payload = {
        "venue": venue,
        "cash_id": cash.cash_id,
        "kind": cash.kind.value,
        "currency": cash.currency,
        "amount": money_text(cash.amount),
        "instrument": cash.instrument,
        "ts_ms": cash.ts_ms,
    }
    yield Event(ts_ms=cash.ts_ms, kind=EventKind.CASH_MOVED, payload=payload)
    if not desk or cash.currency != quote:
        return
    of_desk = {"desk": desk, "venue": venue, "cash_id": cash.cash_id}
    if cash.instrument:
        of_desk["instrument"] = cash.instrument
    if cash.kind in (CashKind.DEPOSIT, CashKind.WITHDRAWAL):
        yield Event(ts_ms=cash.ts_ms, kind=EventKind.DEPOSITED, payload=of_desk | {"amount": money_text(cash.amount)})
    else:
        kind = EventKind.FUNDED if cash.kind is CashKind.FUNDING else EventKind.CHARGED
        yield Event(ts_ms=cash.ts_ms, kind=kind, payload=of_desk | {"paid": money_text(-cash.amount)})

"""The audit: re-derive every account from the journal alone and compare it with every mark that was written."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from trading.domain.errors import JournalError
from trading.domain.event import Event, EventKind
from trading.ledger.ledger import Ledger
from trading.ledger.marking import mark_account
from trading.storage.journal.chain import GENESIS
from trading.storage.journal.reader import check_link, check_seal, read_events

_COMPARED = ("equity", "cash", "spot_value", "unrealised", "gross", "net")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What an audit found. ``problem`` names the first event that does not hold, None when all do."""

    events: int
    marks: int
    head: str
    problem: str | None
    ledger: Ledger


def audit_journal(path: Path) -> AuditReport:
    """Check the hash chain of a journal and re-derive its accounts, event by event."""
    ledger = Ledger()
    prices: dict[str, Decimal] = {}
    head, count, marks = GENESIS, 0, 0
    problem: str | None = None
    try:
        for stored in read_events(path):
            problem = check_link(stored, seq=count + 1, prev_hash=head)
            if problem is not None:
                break
            event = stored.event()
            if event.kind in (EventKind.ROUND_OPENED, EventKind.QUIET):
                prices = {symbol: Decimal(price) for symbol, price in event.payload["prices"].items()}
            _fold(ledger, event, stored.seq)
            if event.kind is EventKind.MARKED:
                problem = _compare(ledger, event, prices, stored.seq)
                marks += len(event.payload["desks"])
                if problem is not None:
                    break
            head, count = stored.hash, stored.seq
    except JournalError as error:
        problem = str(error)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        problem = f"event {count + 1} does not hold what it must: {type(error).__name__}: {error}"
    if problem is None:
        imbalance = ledger.book.imbalance()
        problem = f"after event {count} the book does not balance: {imbalance}" if imbalance else None
    if problem is None:
        problem = check_seal(path, events=count, head=head)
    return AuditReport(events=count, marks=marks, head=head, problem=problem, ledger=ledger)


def _fold(ledger: Ledger, event: Event, seq: int) -> None:
    try:
        ledger.apply(event)
    except JournalError as error:
        raise JournalError(f"event {seq} ({event.kind.value}): {error}") from error


def _compare(ledger: Ledger, event: Event, prices: dict[str, Decimal], seq: int) -> str | None:
    for desk, written in event.payload["desks"].items():
        mark = mark_account(ledger.accounts[desk], prices, ledger.instruments)
        for name in _COMPARED:
            derived = getattr(mark, name)
            if Decimal(written[name]) != derived:
                return (
                    f"event {seq} (marked): {name} of desk {desk} is written as {written[name]}, "
                    f"the events before it give {derived}"
                )
    return None

"""Where record and venue disagree, and what may not be traded until they agree again."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trading.domain.errors import OrderRejected
from trading.domain.event import Event, EventKind
from trading.domain.instrument import parse_symbol
from trading.domain.order import Order


class BreakKind(StrEnum):
    """What does not agree."""

    BALANCE = "balance"
    POSITION = "position"
    FOREIGN_ORDER = "foreign_order"
    FOREIGN_FILL = "foreign_fill"
    LATE_ORDER = "late_order"
    VANISHED_ORDER = "vanished_order"
    UNKNOWN_ORDER = "unknown_order"
    NOT_FLAT = "not_flat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """``subject`` is the currency, instrument or order; ``instrument`` is empty where a currency is meant."""

    kind: BreakKind
    subject: str
    ours: str
    theirs: str
    instrument: str = ""

    @property
    def key(self) -> str:
        """What it is found again by."""
        return f"{self.kind.value}:{self.subject}"

    def text(self) -> str:
        """One line for a person."""
        return (
            f"{self.kind.value.replace('_', ' ')} {self.subject}: the record says {self.ours}, the venue {self.theirs}"
        )

    def payload(self) -> dict[str, Any]:
        """As its event holds it."""
        return {
            "break": self.key,
            "kind": self.kind.value,
            "subject": self.subject,
            "instrument": self.instrument,
            "ours": self.ours,
            "theirs": self.theirs,
        }


def break_from(payload: Mapping[str, Any]) -> Break:
    """The break that an event holds."""
    names = ("subject", "instrument", "ours", "theirs")
    return Break(kind=BreakKind(payload["kind"]), **{name: payload[name] for name in names})


class OpenBreaks:
    """The breaks that stand: a fold over the journal. What they touch is not traded."""

    def __init__(self) -> None:
        self._open: dict[str, Break] = {}

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if event.kind is EventKind.BREAK_FOUND:
            self._open[event.payload["break"]] = break_from(event.payload)
        elif event.kind is EventKind.BREAK_RESOLVED:
            self._open.pop(event.payload["break"], None)

    def all(self) -> tuple[Break, ...]:
        """Every break that stands, the oldest first."""
        return tuple(self._open.values())

    def get(self, key: str) -> Break | None:
        """The break of this key, where it stands."""
        return self._open.get(key)

    def bars(self, instrument: str) -> Break | None:
        """The break for which an instrument may not be traded: its own, or one of a currency that it is paid in."""
        base, quote, _ = parse_symbol(instrument)
        for found in self._open.values():
            if found.instrument == instrument or (not found.instrument and found.subject in (base, quote)):
                return found
        return None

    def check(self, order: Order) -> None:
        """Raise OrderRejected for an order in an instrument that a break bars. What only closes is barred too: how much
        there is to close is what is not known.
        """
        found = self.bars(order.instrument)
        if found is not None:
            raise OrderRejected(f"{order.instrument} is not traded until it is resolved: {found.text()}", code="break")

"""A round as it stands open, and what takes in events."""

from dataclasses import dataclass
from typing import Protocol

from trading.domain.event import Event
from trading.marketdata.view import TapeView


class Fold(Protocol):
    """State that is a function of the events so far."""

    def apply(self, event: Event) -> None:
        """Take an event in."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """An opened round: the one market view that every desk decides on."""

    index: int
    as_of_ms: int
    view: TapeView

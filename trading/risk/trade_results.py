"""What each desk's closes won or lost, from the fills alone."""

from decimal import Decimal, localcontext

from trading.domain.event import Event, EventKind
from trading.domain.money import EXACT
from trading.domain.position import Position
from trading.ledger.account import filled_position
from trading.ledger.ledger import fill_from_payload


class LossStreaks:
    """How many closes in a row each desk has ended with a loss after the fee of the fill that closed.

    A close is a fill that shrinks or turns a position; of an order that is worked, the first that does. A win ends the
    streak, so does :meth:`forget`.
    """

    def __init__(self) -> None:
        self._positions: dict[tuple[str, str], Position] = {}
        self._streaks: dict[str, int] = {}
        self._counted: set[str] = set()

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if event.kind is EventKind.FILLED:
            self.take(event)

    def take(self, event: Event) -> bool | None:
        """Take a fill in: whether it closed with a loss, None when it closed nothing."""
        fill = fill_from_payload(event.payload)
        key = (fill.desk, fill.instrument)
        before = self._positions.get(key, Position(instrument=fill.instrument))
        with localcontext(EXACT):
            self._positions[key], realised = filled_position(before, fill)
        parent = event.payload.get("parent_id")
        if before.quantity * fill.side.sign >= 0 or parent in self._counted:
            return None
        if parent is not None:
            self._counted.add(parent)
        lost = realised - fill.fee < 0
        self._streaks[fill.desk] = self._streaks.get(fill.desk, 0) + 1 if lost else 0
        return lost

    def of(self, desk: str) -> Decimal:
        """The streak of a desk."""
        return Decimal(self._streaks.get(desk, 0))

    def forget(self, desk: str) -> None:
        """Count anew from here."""
        self._streaks.pop(desk, None)

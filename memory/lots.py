"""Which decision a position belongs to: lots, first in first out, each with its share of fees and funding."""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from memory.episode import Episode
from trading.domain.money import ZERO


@dataclass(slots=True, kw_only=True)
class Lot:
    """What is left of one entry. ``quantity`` is unsigned; ``paid`` are fees and funding of what is left."""

    episode: Episode
    side: int
    quantity: Decimal
    price: Decimal
    paid: Decimal


@dataclass(slots=True, kw_only=True)
class Account:
    """What an episode's lots brought so far, and the value they were opened with."""

    entered: Decimal = ZERO
    result: Decimal = ZERO
    open_lots: int = 0


@dataclass(slots=True)
class Lots:
    """The open lots of one desk in one instrument, oldest first."""

    queue: deque[Lot] = field(default_factory=deque)
    accounts: dict[str, Account] = field(default_factory=dict)

    @property
    def side(self) -> int:
        """The side of the position, 0 where there is none."""
        return self.queue[0].side if self.queue else 0

    def fund(self, paid: Decimal) -> None:
        """Share a funding payment among the lots by size."""
        whole = sum((lot.quantity for lot in self.queue), ZERO)
        if whole:
            for lot in self.queue:
                lot.paid += paid * lot.quantity / whole

    def fill(
        self, episode: Episode | None, *, side: int, quantity: Decimal, price: Decimal, fee: Decimal
    ) -> list[tuple[Episode, Account]]:
        """Take a fill in; answers the episodes whose last lot it closed, with their accounts.

        What reduces comes off the oldest lots. What is left over opens a lot of ``episode``; without one (a forced
        close) it opens nothing.
        """
        ended = []
        rate = fee / quantity if quantity else ZERO
        while quantity > 0 and self.queue and self.queue[0].side != side:
            lot = self.queue[0]
            part = min(quantity, lot.quantity)
            account = self.accounts[lot.episode.episode_id]
            share = lot.paid * part / lot.quantity
            account.result += (price - lot.price) * part * lot.side - share - rate * part
            lot.quantity -= part
            lot.paid -= share
            quantity -= part
            if not lot.quantity:
                self.queue.popleft()
                account.open_lots -= 1
                if not account.open_lots:
                    ended.append((lot.episode, self.accounts.pop(lot.episode.episode_id)))
        if quantity > 0 and episode is not None:
            account = self.accounts.setdefault(episode.episode_id, Account())
            account.entered += quantity * price
            account.open_lots += 1
            self.queue.append(Lot(episode=episode, side=side, quantity=quantity, price=price, paid=rate * quantity))
        return ended

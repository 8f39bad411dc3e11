"""A position and what it cost. Cost is kept exactly, so that no cent is lost to an average price."""

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """``quantity`` of ``instrument`` (negative when short) and the signed quote amount it was opened for.

    A long of 2 opened at 50 has ``cost`` 100, a short of 2 opened at 50 has ``cost`` -100.
    """

    instrument: str
    quantity: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held."""
        return self.quantity == 0

    @property
    def average_price(self) -> Decimal | None:
        """Price the position was opened at on average, or None when flat."""
        return None if self.quantity == 0 else self.cost / self.quantity

    def value(self, price: Decimal) -> Decimal:
        """Signed value at ``price``."""
        return self.quantity * price

    def unrealised(self, price: Decimal) -> Decimal:
        """Result that closing at ``price`` would realise, before fees."""
        return self.quantity * price - self.cost

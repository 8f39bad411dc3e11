"""An execution: what was traded, at what price, for what fee."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading.domain.intent import Side


class Liquidity(StrEnum):
    """Whether a fill took liquidity or made it."""

    TAKER = "taker"
    MAKER = "maker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of an order. ``fee`` is in the quote currency and positive when paid."""

    fill_id: str
    order_id: str
    desk: str
    instrument: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    liquidity: Liquidity
    ts_ms: int

    @property
    def notional(self) -> Decimal:
        """Price times quantity, in the quote currency."""
        return self.price * self.quantity

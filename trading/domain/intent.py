"""What a desk wants. An intent is never an order: the gate stands between the two."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """The direction of an intent, an order or a fill."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """How an order wants to be filled."""

    MARKET = "market"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeIntent:
    """A wish to trade ``quantity`` (base units, positive) of ``instrument``.

    A limit intent names its ``limit_price`` and rests for ``good_for_rounds`` rounds. A ``reduce_only``
    intent can shrink a position, never open or turn it.
    """

    instrument: str
    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    reduce_only: bool = False
    good_for_rounds: int = 1
    reason: str = ""

"""A desk's account as it stands at an instant: what the gate, the tools and the pages read."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.order import Order
from trading.domain.position import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """A marked account. ``marks`` holds the price each position was valued at.

    ``equity`` = cash + value of spot positions + unrealised result of perpetuals, exactly.
    ``gross`` and ``net`` are sums of (absolute, signed) position values. ``drawdown`` is the fall from
    ``peak_equity`` as a fraction. ``settled`` orders no longer count; ``open_orders`` still do.
    """

    desk: str
    as_of_ms: int
    quote: str
    cash: Decimal
    positions: Mapping[str, Position]
    marks: Mapping[str, Decimal]
    equity: Decimal
    peak_equity: Decimal
    gross: Decimal
    net: Decimal
    open_orders: tuple[Order, ...] = ()
    reduce_only: bool = False
    halted: bool = False

    @property
    def drawdown(self) -> Decimal:
        """Fall from the peak as a fraction of it, 0 when there was no peak."""
        if self.peak_equity <= 0:
            return Decimal(0)
        return max(Decimal(0), (self.peak_equity - self.equity) / self.peak_equity)

    @property
    def leverage(self) -> Decimal | None:
        """Gross exposure over equity; None when there is no equity left."""
        return self.gross / self.equity if self.equity > 0 else None

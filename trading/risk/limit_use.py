"""How much of each limit a desk uses: what it is told when it asks, and what pages show."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.account import AccountView
from trading.domain.limit import LimitRow
from trading.domain.money import money_text
from trading.domain.order import count_orders
from trading.risk.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUse:
    """The limits of a desk beside its account."""

    limits: Limits
    account: AccountView

    def rows(self) -> Sequence[LimitRow]:
        """One row a rule, in the order in which the gate applies them."""
        limits, account = self.limits, self.account
        equity = account.equity
        sizes = [abs(position.value(account.marks[symbol])) for symbol, position in account.positions.items()]
        largest = max(sizes, default=Decimal(0))
        return (
            _row(
                "max_orders_per_round", limits.max_orders_per_round, None, "orders", "Orders a desk may send a round."
            ),
            _row(
                "max_open_orders",
                limits.max_open_orders,
                Decimal(count_orders(account.open_orders)),
                "orders",
                "Orders that may rest at once.",
            ),
            _row("price_collar", limits.price_collar, None, "fraction", "Limit price away from the last known price."),
            _row("max_order_value", limits.max_order_value, None, account.quote, "Value an order may open."),
            _row(
                "max_order_fraction", limits.max_order_fraction, None, "equity", "Value an order may open, over equity."
            ),
            _row("max_leverage", limits.max_leverage, _over(largest, equity), "equity", "One position over equity."),
            _row(
                "max_gross_exposure",
                limits.max_gross_exposure,
                _over(account.gross, equity),
                "equity",
                "Sum of absolute positions over equity.",
            ),
            _row(
                "max_net_exposure",
                limits.max_net_exposure,
                _over(abs(account.net), equity),
                "equity",
                "Absolute sum of signed positions over equity.",
            ),
            _row("max_spot_exposure", limits.max_spot_exposure, None, "equity", "Spot positions over equity."),
            _row("max_volume_share", limits.max_volume_share, None, "fraction", "An order over the daily volume."),
            _row(
                "daily_loss", limits.daily_loss, None, "fraction", "Loss of a day after which a desk may only reduce."
            ),
            _row(
                "desk_drawdown",
                limits.desk_drawdown,
                account.drawdown,
                "fraction",
                "Fall from the peak after which the desk may only reduce.",
            ),
        )


def _over(value: Decimal, equity: Decimal) -> Decimal | None:
    return value / equity if equity > 0 else None


def _row(rule: str, limit: Decimal | int, used: Decimal | None, unit: str, description: str) -> LimitRow:
    shown = None if used is None else money_text(round(used, 4))
    return LimitRow(rule=rule, limit=money_text(Decimal(limit)), used=shown, unit=unit, description=description)

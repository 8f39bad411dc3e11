"""Whether an order lies on the grid of its market, by the exchange's own rule, before it is sent."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.domain.errors import OrderRejected
from trading.domain.money import money_text
from trading.domain.order import Order
from trading.domain.reject import RejectCode


def check_grid(order: Order, market: Mapping[str, Any], exchange: Any, *, size: Decimal) -> None:
    """Raise OrderRejected for a price or quantity that the exchange would round, and for one below its least.

    ccxt rounds prices and cuts quantities without a word; an order is never another than the one that was ruled on.
    """
    import ccxt

    symbol = market["symbol"]
    for name, price in (("limit price", order.limit_price), ("trigger price", order.trigger_price)):
        if price is not None and (
            price <= 0 or Decimal(exchange.price_to_precision(symbol, money_text(price))) != price
        ):
            raise OrderRejected(f"{name} {price}: not on the grid of {market['id']}", code=RejectCode.OFF_GRID.value)
    amount = order.quantity / size
    try:
        cut = Decimal(exchange.amount_to_precision(symbol, money_text(amount))) if amount > 0 else Decimal(0)
    except ccxt.InvalidOrder:
        cut = Decimal(0)
    if cut <= 0 or cut != amount:
        raise OrderRejected(
            f"quantity {order.quantity}: not on the grid of {market['id']}", code=RejectCode.OFF_GRID.value
        )
    limits = market.get("limits") or {}
    least = (limits.get("amount") or {}).get("min")
    if least is not None and amount < Decimal(str(least)):
        raise OrderRejected(f"quantity {order.quantity}: at least {least}", code=RejectCode.BELOW_MIN_NOTIONAL.value)
    worth, price = (limits.get("cost") or {}).get("min"), order.limit_price or order.trigger_price
    if (
        worth is not None
        and price is not None
        and not order.reduce_only
        and price * order.quantity < Decimal(str(worth))
    ):
        raise OrderRejected(
            f"worth {money_text(price * order.quantity)}: at least {worth} is needed",
            code=RejectCode.BELOW_MIN_NOTIONAL.value,
        )

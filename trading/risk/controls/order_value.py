"""What one order may open, and what the account can pay for."""

from decimal import Decimal

from trading.domain.intent import Side, TradeIntent
from trading.domain.money import ZERO
from trading.risk.controls.control import Finding, Scope, control
from trading.risk.controls.opening import cut, reference, split
from trading.risk.gate_state import GateState

SPOT_PRICE_MARGIN = Decimal("0.005")
"""A market buy of spot may fill this much above the last price before it could overdraw the account."""


@control(
    "max_order_value",
    stage=140,
    scope=Scope.ORDER,
    unit="quote",
    limits=("max_order_value", "max_order_fraction"),
    also=("max_order_fraction",),
)
def order_value(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """The value of what an order opens, absolute and over equity. Getting out is never bounded."""
    limits, equity = state.limits, max(ZERO, state.account.equity)
    value = split(intent, quantity, state)[1] * reference(intent, state)
    by_equity = limits.max_order_fraction * equity
    rule, bound = min(
        (("max_order_value", limits.max_order_value), ("max_order_fraction", by_equity)), key=lambda x: x[1]
    )
    text = f"The order opens {value:.2f} {state.account.quote}; {bound:.2f} is allowed."
    return cut(rule, intent, quantity, state, bound, round(bound, 8), round(value, 8), "quote", text)


@control("buying_power", stage=220, scope=Scope.DESK, unit="quote")
def buying_power(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Spot is paid in full: cash, less what working orders may spend, must cover price, slippage and fee."""
    if state.instruments[intent.instrument].is_perp or intent.side is Side.SELL:
        return None
    free = state.account.cash - state.cash_committed
    margin = 1 + state.taker_fee + SPOT_PRICE_MARGIN
    value = quantity * reference(intent, state) * margin
    if value <= free:
        return None
    affordable = state.instruments[intent.instrument].floor_quantity(
        max(ZERO, free) / (reference(intent, state) * margin)
    )
    return Finding(
        rule="buying_power",
        quantity=min(quantity, affordable),
        message=f"The order needs up to {value:.2f} {state.account.quote}; {free:.2f} is free.",
        limit=round(free, 8),
        value=round(value, 8),
        unit="quote",
    )

"""No order may meet another of the arena: a trade with oneself moves no risk and paints the tape."""

from decimal import Decimal

from trading.domain.intent import Side, TradeIntent
from trading.risk.controls.control import Finding, Scope, control, refuse
from trading.risk.gate_state import GateState


@control("self_match", stage=64, scope=Scope.ARENA, unit="quote")
def self_match(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """An order that would meet a resting order of any desk of the arena is refused."""
    price = intent.limit_price or state.price(intent.instrument)
    assert price is not None, "fresh_price stands before"
    for order in state.arena_orders:
        if order.instrument != intent.instrument or order.side is intent.side or order.limit_price is None:
            continue
        meets = price >= order.limit_price if intent.side is Side.BUY else price <= order.limit_price
        if meets:
            whose = "your own" if order.desk == state.account.desk else "another desk's"
            return refuse(
                "self_match",
                f"The order would meet {whose} resting {order.side} at {order.limit_price}.",
                limit=order.limit_price,
                value=price,
                unit="quote",
            )
    return None

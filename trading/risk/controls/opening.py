"""The part of an order that closes and the part that opens, and cutting the second to what a bound leaves."""

from decimal import Decimal

from trading.domain.intent import Side, TradeIntent
from trading.domain.money import ZERO
from trading.risk.controls.control import Finding
from trading.risk.gate_state import GateState


def reducible(intent: TradeIntent, state: GateState) -> Decimal:
    """How much of the position the intent could close, counting orders that already work on it."""
    held = state.held(intent.instrument)
    if intent.side is Side.SELL:
        return max(ZERO, held - state.working_sells.get(intent.instrument, ZERO))
    return max(ZERO, -held - state.working_buys.get(intent.instrument, ZERO))


def split(intent: TradeIntent, quantity: Decimal, state: GateState) -> tuple[Decimal, Decimal]:
    """The part of the quantity that closes a position and the part that opens or adds to one."""
    closing = min(quantity, reducible(intent, state))
    return closing, quantity - closing


def reference(intent: TradeIntent, state: GateState) -> Decimal:
    """The price at which an order is weighed: the highest of the last one, its own limit and its trigger."""
    last = state.price(intent.instrument)
    assert last is not None, "fresh_price stands before every control that needs a price"
    return max(last, intent.limit_price or last, intent.trigger_price or last)


def cut(
    rule: str,
    intent: TradeIntent,
    quantity: Decimal,
    state: GateState,
    room: Decimal,
    limit: Decimal,
    value: Decimal,
    unit: str,
    text: str,
) -> Finding | None:
    """Leave the closing part and as much of the opening part as ``room`` (quote currency) allows."""
    closing, opening = split(intent, quantity, state)
    price = reference(intent, state)
    if opening <= 0 or opening * price <= room:
        return None
    instrument = state.instruments[intent.instrument]
    left = closing + instrument.floor_quantity(max(ZERO, room) / price)
    return Finding(rule=rule, quantity=min(quantity, left), message=text, limit=limit, value=value, unit=unit)

"""Whether anything may leave at all, and whether a position may still grow."""

from decimal import Decimal

from trading.domain.intent import TradeIntent
from trading.risk.controls.control import Finding, Scope, control, refuse
from trading.risk.controls.opening import reducible
from trading.risk.gate_state import GateState


@control("halted", stage=10, scope=Scope.ARENA, unit="state")
def not_halted(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """No order leaves while the arena, the desk or the venue is halted."""
    if not state.halted:
        return None
    return refuse("halted", f"Trading is halted: {state.halt_reason}. Only a person can resume it.")


@control("reduce_only", stage=100, scope=Scope.DESK, unit="base", limits=("desk_drawdown", "daily_loss"))
def only_reduces(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """Past a breaker, or where the intent says so itself, a position may only shrink."""
    instrument_bar = state.barred_instruments.get(intent.instrument)
    if not (intent.reduce_only or state.account.reduce_only or instrument_bar):
        return None
    room = reducible(intent, state)
    if quantity <= room:
        return None
    if state.account.reduce_only:
        why = f"The desk may only reduce ({state.barred_reason or _drawdown(state)})"
    elif instrument_bar:
        why = f"{intent.instrument} may only be reduced ({instrument_bar})"
    else:
        why = "The intent is reduce-only"
    return Finding(
        rule="reduce_only",
        quantity=room,
        message=f"{why}; {room} of {intent.instrument} can be closed.",
        limit=room,
        value=quantity,
        unit="base",
    )


def _drawdown(state: GateState) -> str:
    return f"{state.account.drawdown:.2%} below its peak, limit {state.limits.desk_drawdown:.2%}"

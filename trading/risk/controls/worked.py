"""Orders that are worked over a window: whether there is time for it, and volume to follow where they follow it."""

from decimal import Decimal

from trading.domain.intent import ExecutionStyle, TradeIntent
from trading.risk.controls.control import Finding, Scope, control, refuse
from trading.risk.gate_state import GateState

LEAST_BARS = 2
"""Parts leave a bar apart: a shorter window leaves nothing to work."""


@control("work_window", stage=59, scope=Scope.ORDER, unit="s", also=("usual_volume",))
def work_window(intent: TradeIntent, quantity: Decimal, state: GateState) -> Finding | None:
    """A window of two bars or more that ends with the season at the latest, and a known volume where it is followed."""
    if intent.window_s is None:
        return None
    asked, least = Decimal(intent.window_s), Decimal(LEAST_BARS * state.step_ms) / 1000
    if asked < least:
        text = f"A window of {asked} s has no room for parts; {least} s are the least here, less goes at once."
        return refuse("work_window", text, limit=least, value=asked, unit="s")
    if state.ends_ms is not None:
        left = Decimal(state.ends_ms - state.account.as_of_ms) / 1000
        if asked > left:
            text = f"A window of {asked} s outlasts the season, which ends in {left} s."
            return refuse("work_window", text, limit=left, value=asked, unit="s")
    if intent.style is ExecutionStyle.TWAP or state.reference is None:
        return None
    if state.reference.daily_volume(intent.instrument) is None:
        return refuse(
            "usual_volume", f"{intent.style} follows the volume of {intent.instrument}, which is not known: use twap."
        )
    return None

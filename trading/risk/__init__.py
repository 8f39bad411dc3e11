"""What no model can argue with: limits, the gate before every order, breakers, the kill switch, and risk measures.

Measures are pure functions under ``measures``; everything that refuses stands beside this file.
"""

from trading.risk.breakers import Breakers, TripReason
from trading.risk.gate import Gate
from trading.risk.gate_state import GateState
from trading.risk.kill_switch import EVERYTHING, Halt, KillSwitch
from trading.risk.limit_use import LimitUse
from trading.risk.limits import Limits

__all__ = ["EVERYTHING", "Breakers", "Gate", "GateState", "Halt", "KillSwitch", "LimitUse", "Limits", "TripReason"]

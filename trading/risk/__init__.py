"""What no model can argue with: limits, the gate before every order, breakers, the kill switch, and risk measures.

Measures are pure functions under ``measures``, the gate's controls stand one by one under ``controls``; everything else
that refuses stands beside this file.
"""

from trading.risk.breakers import Breakers
from trading.risk.gate import Gate
from trading.risk.gate_state import GateState
from trading.risk.kill_switch import EVERYTHING, Halt, KillSwitch
from trading.risk.limit_board import Actor, Change, LimitBoard
from trading.risk.limit_use import LimitUse
from trading.risk.limits import Limits
from trading.risk.market_condition import MarketCondition
from trading.risk.modes import Mode, load_modes
from trading.risk.trip import TripReason

__all__ = [
    "EVERYTHING",
    "Actor",
    "Breakers",
    "Change",
    "Gate",
    "GateState",
    "Halt",
    "KillSwitch",
    "LimitBoard",
    "LimitUse",
    "Limits",
    "MarketCondition",
    "Mode",
    "TripReason",
    "load_modes",
]

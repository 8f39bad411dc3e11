"""Working a large order in small ones: TWAP, VWAP, share of volume, iceberg, and one that reads the book.

An algorithm only says how much should be done by now and how eagerly; :mod:`trading.execution.algos.worker` turns
that into orders, through the same gate, sender and lifecycle as any other. :mod:`trading.execution.algos.plan` fixes
the children of an intent that asks to be worked, where no live book is followed.
"""

from trading.execution.algos.parent import MarketState, Parent, Progress
from trading.execution.algos.plan import Plan, PlanRules, UsualVolume, part_order, plan_children
from trading.execution.algos.shortfall import Shortfall, implementation_shortfall
from trading.execution.algos.styles import Adaptive, Iceberg, ShareOfVolume, Twap, Vwap
from trading.execution.algos.volume_curve import volume_curve
from trading.execution.algos.worker import Worker

__all__ = [
    "Adaptive",
    "Iceberg",
    "MarketState",
    "Parent",
    "Plan",
    "PlanRules",
    "Progress",
    "ShareOfVolume",
    "Shortfall",
    "Twap",
    "UsualVolume",
    "Vwap",
    "Worker",
    "implementation_shortfall",
    "part_order",
    "plan_children",
    "volume_curve",
]

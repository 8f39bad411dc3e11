"""How much to hold: fractional Kelly, volatility target, risk parity, the CVaR-constrained best, and what limits leave.

Sizes are signed fractions of equity. What they stand on is uncertain, so every one is made smaller, never larger. The
gate rules on orders whatever was sized here.
"""

from trading.risk.sizing.adjustment import Adjustment, AdjustmentRules, Reading, adjustment
from trading.risk.sizing.impact import affordable_quantity
from trading.risk.sizing.kelly import Edge, kelly_bet, kelly_weight
from trading.risk.sizing.optimum import CvarOptimum, cvar_optimum
from trading.risk.sizing.weights import (
    capped_weights,
    position_for_var,
    risk_parity_weights,
    volatility_target_scale,
)

__all__ = [
    "Adjustment",
    "AdjustmentRules",
    "CvarOptimum",
    "Edge",
    "Reading",
    "adjustment",
    "affordable_quantity",
    "capped_weights",
    "cvar_optimum",
    "kelly_bet",
    "kelly_weight",
    "position_for_var",
    "risk_parity_weights",
    "volatility_target_scale",
]

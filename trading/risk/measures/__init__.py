"""Measures of what a set of positions can lose, as pure functions on arrays of returns.

No limits and no rulings: those stand beside this folder.
"""

from trading.risk.measures.exposure import (
    HorizonReturns,
    horizon_returns,
    position_weights,
    returns_of_positions,
)
from trading.risk.measures.historical import (
    TailRisk,
    expected_shortfall,
    historical_tail_risk,
    lookback_bars,
    value_at_risk,
)

__all__ = [
    "HorizonReturns",
    "TailRisk",
    "expected_shortfall",
    "historical_tail_risk",
    "horizon_returns",
    "lookback_bars",
    "position_weights",
    "returns_of_positions",
    "value_at_risk",
]

"""Filtered historical VaR: past returns in units of the volatility expected then, times the volatility expected now.

Hull and White (1998); Barone-Adesi, Giannopoulos and Vosper (1999).
"""

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.historical import expected_shortfall, value_at_risk
from trading.risk.measures.series import checked_series


def filtered_returns(returns: FloatArray, volatility: FloatArray, now: float) -> FloatArray:
    """``returns`` (n,) as if each had come at today's volatility ``now``, shape (n,).

    ``volatility`` (n,) is what was expected of each return before it came. Returns expected not to move are left out.
    """
    series, expected = checked_series(returns, minimum=1), np.asarray(volatility, dtype=np.float64)
    if expected.shape != series.shape or not np.isfinite(expected).all() or not np.isfinite(now) or now < 0:
        raise ValueError(f"volatility of shape {expected.shape} and {now} now: expected one finite number a return")
    moving = expected > 0
    scaled: FloatArray = series[moving] / expected[moving] * now
    return scaled


def filtered_tail(returns: FloatArray, volatility: FloatArray, now: float, level: float) -> tuple[float, float]:
    """VaR and CVaR at ``level`` of the returns brought to today's volatility. Both positive for a loss."""
    scaled = filtered_returns(returns, volatility, now)
    return value_at_risk(scaled, level), expected_shortfall(scaled, level)

"""Filtered historical VaR: past returns in units of the volatility expected then, times the volatility expected now.

Hull and White (1998); Barone-Adesi, Giannopoulos and Vosper (1999).
"""

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.historical import expected_shortfall, value_at_risk
from trading.risk.measures.series import checked_level, checked_series


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


def rolling_historical_var(
    returns: FloatArray, *, level: float, first: int, window: int, refresh: int = 1
) -> FloatArray:
    """VaR of each return from ``first`` on, by the ``window`` returns before it. Shape (n - first,).

    The quantile is taken anew every ``refresh`` returns, from returns before that moment only.
    """
    series = checked_series(returns)
    _checked_window(len(series), first, window, refresh)
    checked_level(level)
    found = np.empty(len(series) - first)
    for begin in range(first, len(series), refresh):
        found[begin - first : begin - first + refresh] = value_at_risk(series[begin - window : begin], level)
    return found


def rolling_filtered_var(
    returns: FloatArray, volatility: FloatArray, *, level: float, first: int, window: int, refresh: int = 1
) -> FloatArray:
    """As :func:`rolling_historical_var`, of returns in units of ``volatility`` (n or more), times the newest one."""
    expected = np.asarray(volatility, dtype=np.float64)[: len(returns)]
    if len(expected) < len(returns) or not (expected > 0).all():
        raise ValueError(f"{len(expected)} volatilities for {len(returns)} returns: expected one above 0 for each")
    unit = rolling_historical_var(returns / expected, level=level, first=first, window=window, refresh=refresh)
    return unit * expected[first:]


def _checked_window(count: int, first: int, window: int, refresh: int) -> None:
    if not (0 < window <= first < count and refresh >= 1):
        raise ValueError(
            f"window {window}, first {first}, refresh {refresh} on {count} returns: "
            "expected 0 < window <= first < returns, and a refresh of 1 or more"
        )

"""VaR of each next return by the returns before it: what a back-test judges."""

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.historical import value_at_risk
from trading.risk.measures.parametric import normal_var
from trading.risk.measures.series import checked_level, checked_series


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


def rolling_normal_var(returns: FloatArray, *, level: float, first: int, window: int, refresh: int = 1) -> FloatArray:
    """As :func:`rolling_historical_var`, of a normal with the mean and deviation of the window."""
    series = checked_series(returns)
    _checked_window(len(series), first, window, refresh)
    found = np.empty(len(series) - first)
    for begin in range(first, len(series), refresh):
        past = series[begin - window : begin]
        var = normal_var(float(past.mean()), float(past.std()), level)
        found[begin - first : begin - first + refresh] = var
    return found


def _checked_window(count: int, first: int, window: int, refresh: int) -> None:
    if not (0 < window <= first < count and refresh >= 1):
        raise ValueError(
            f"window {window}, first {first}, refresh {refresh} on {count} returns: "
            "expected 0 < window <= first < returns, and a refresh of 1 or more"
        )

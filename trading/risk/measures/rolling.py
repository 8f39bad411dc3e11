"""VaR of each next return by the returns before it: what a back-test judges."""

import numpy as np

from trading.marketdata import FloatArray, IntArray
from trading.risk.measures.historical import value_at_risk
from trading.risk.measures.parametric import normal_var
from trading.risk.measures.series import checked_columns, checked_level, checked_series


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


def books_var(
    weights: FloatArray,
    returns: FloatArray,
    known: IntArray,
    *,
    level: float,
    window: int,
    volatility: FloatArray | None = None,
) -> FloatArray:
    """VaR of a different book at each of m instants, by the ``window`` returns known then. Shape (m,), NaN if too few.

    ``weights`` (m, assets) are the books, ``returns`` (n, assets) one past for all, ``known`` (m,) how many of its rows
    had happened. With ``volatility`` (n + 1, assets), where row i knows the returns before i, each asset's returns
    are brought to its volatility at the instant first (Barone-Adesi, Giannopoulos and Vosper 1999).
    """
    checked_level(level)
    books, table = np.asarray(weights, dtype=np.float64), checked_columns(returns)
    if books.ndim != 2 or books.shape != (len(known), table.shape[1]):
        raise ValueError(f"books of shape {books.shape}: expected ({len(known)}, {table.shape[1]})")
    if volatility is not None:
        if volatility.shape != (len(table) + 1, table.shape[1]):
            raise ValueError(f"volatility of shape {volatility.shape} for returns of {table.shape}")
        expected = volatility[:-1]
        table = np.divide(table, expected, out=np.zeros_like(table), where=expected > 0)
    found = np.full(len(books), np.nan)
    for at, (book, count) in enumerate(zip(books, known.tolist(), strict=True)):
        if count < window:
            continue
        scaled = book if volatility is None else book * volatility[count]
        found[at] = value_at_risk(table[count - window : count] @ scaled, level) if book.any() else 0.0
    return found


def _checked_window(count: int, first: int, window: int, refresh: int) -> None:
    if not (0 < window <= first < count and refresh >= 1):
        raise ValueError(
            f"window {window}, first {first}, refresh {refresh} on {count} returns: "
            "expected 0 < window <= first < returns, and a refresh of 1 or more"
        )

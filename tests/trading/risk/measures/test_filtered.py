"""Filtered historical VaR: by hand, on made clusters, and back-tested on years of real hourly candles."""

import os
from pathlib import Path

import numpy as np
import pytest

from trading.domain import parse_instant, to_ms
from trading.marketdata import FloatArray, read_candles
from trading.risk.measures import (
    Backtest,
    backtest,
    books_var,
    filtered_returns,
    filtered_tail,
    long_memory_variance,
    rolling_filtered_var,
    rolling_historical_var,
    rolling_normal_var,
    value_at_risk,
)

DATA = Path(os.environ.get("TRADEFLOOR_TEST_DATA", str(Path(__file__).parents[5] / "shared" / "data")))
YEAR = 8760


def test_returns_are_brought_to_todays_volatility() -> None:
    found = filtered_returns(np.array([0.01, -0.04, 0.5]), np.array([0.01, 0.02, 0.0]), 0.03)
    assert found == pytest.approx([0.03, -0.06])


def test_steady_volatility_changes_nothing() -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, 500)
    var, cvar = filtered_tail(returns, np.full(500, 0.01), 0.01, 0.95)
    assert var == pytest.approx(value_at_risk(returns, 0.95))
    assert cvar > var


def test_rolling_knows_only_what_came_before() -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, 400)
    found = rolling_historical_var(returns, level=0.95, first=200, window=100)
    assert found[50] == value_at_risk(returns[150:250], 0.95)
    changed = returns.copy()
    changed[300:] = -0.9
    assert (rolling_historical_var(changed, level=0.95, first=200, window=100)[:101] == found[:101]).all()


@pytest.mark.parametrize(("first", "window", "refresh"), [(10, 20, 1), (500, 20, 1), (30, 0, 1), (30, 20, 0)])
def test_no_such_window(first: int, window: int, refresh: int) -> None:
    with pytest.raises(ValueError, match="window"):
        rolling_historical_var(np.zeros(400) + 0.1, level=0.95, first=first, window=window, refresh=refresh)


def test_volatility_must_be_known_of_every_return() -> None:
    with pytest.raises(ValueError, match="volatilities"):
        rolling_filtered_var(np.ones(100), np.ones(50), level=0.95, first=50, window=20)


def hourly(symbol: str) -> tuple[FloatArray, int]:
    """Hourly returns up to 2025, and where those of 2021 begin."""
    candles = read_candles(DATA / "ohlcv" / "binance" / f"{symbol}-USDT-1h.parquet")
    begin, end = (to_ms(parse_instant(f"{year}-01-01T00:00:00Z")) for year in (2021, 2026))
    known = candles.between(0, end)
    first = int(np.searchsorted(known.open_ms[1:], begin))
    return known.close[1:] / known.close[:-1] - 1, first


def judged(symbol: str) -> tuple[Backtest, Backtest, Backtest]:
    """Back-tests of the 99 % VaR of the next hour, 2021 to 2025: filtered, plain historical, parametric."""
    returns, first = hourly(symbol)
    window = min(YEAR, first)
    volatility = np.sqrt(long_memory_variance(returns))
    filtered = rolling_filtered_var(returns, volatility, level=0.99, first=first, window=window, refresh=24)
    plain = rolling_historical_var(returns, level=0.99, first=first, window=window, refresh=24)
    normal = rolling_normal_var(returns, level=0.99, first=first, window=window, refresh=24)
    known = returns[first:]
    return backtest(known, filtered, 0.99), backtest(known, plain, 0.99), backtest(known, normal, 0.99)


@pytest.mark.parametrize("symbol", ["BTC", "ETH", "SOL"])
def test_on_real_hours_the_filtered_passes_and_the_others_fail(symbol: str) -> None:
    filtered, plain, normal = judged(symbol)
    assert filtered.observations > 43_000
    assert filtered.passes(0.05)
    # Losses come in clusters, which a year's quantile does not see.
    assert plain.independence is not None
    assert plain.independence.p_value < 1e-6
    # Tails are fatter than the normal's.
    assert normal.exceedances > 1.5 * normal.expected
    assert normal.coverage.p_value < 1e-6
    assert not normal.passes(0.05)


@pytest.mark.parametrize("symbol", ["ADA", "DOGE", "LTC"])
def test_coverage_holds_on_coins_that_had_no_part_in_choosing_the_filter(symbol: str) -> None:
    filtered, _, _ = judged(symbol)
    assert filtered.exceedances == pytest.approx(filtered.expected, rel=0.15)


def test_var_of_changing_books_by_hand() -> None:
    rng = np.random.default_rng(3)
    past = rng.normal(0, 0.01, (300, 2))
    books = np.array([[1.0, -0.5], [0.0, 0.0], [0.3, 0.3]])
    known = np.array([150, 200, 300])
    plain = books_var(books, past, known, level=0.95, window=100)
    assert plain[0] == value_at_risk(past[50:150] @ books[0], 0.95)
    assert plain[1] == 0
    changed = past.copy()
    changed[150:] = 9.0
    assert books_var(books, changed, known, level=0.95, window=100)[0] == plain[0]
    assert np.isnan(books_var(books, past, np.array([99, 100, 100]), level=0.95, window=100)[0])
    volatility = np.full((301, 2), 0.01)
    volatility[150] = [0.02, 0.01]
    filtered = books_var(books, past, known, level=0.95, window=100, volatility=volatility)
    assert filtered[0] == pytest.approx(value_at_risk(past[50:150] @ (books[0] * [2.0, 1.0]), 0.95))
    with pytest.raises(ValueError, match="books"):
        books_var(books[:, :1], past, known, level=0.95, window=100)
    with pytest.raises(ValueError, match="volatility"):
        books_var(books, past, known, level=0.95, window=100, volatility=volatility[1:])

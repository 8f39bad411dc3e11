"""What risk costs: drawing ten thousand paths, a report, and a year of a back-tested VaR."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from bench.figure import Figure
from trading.marketdata import Bars, FloatArray
from trading.risk.measures import backtest, fit_garch, long_memory_variance, rolling_filtered_var
from trading.risk.report import Book, risk_report
from trading.risk.simulation import SCENARIOS, PathModel, fit_model, model_names, outcomes, wealth_paths

PATHS, DAYS, ASSETS = 10_000, 30, 10
YEAR = 8760
HOUR_MS = 3_600_000
SYMBOLS = tuple(f"A{at}-USDT" for at in range(ASSETS))


def measure() -> list[Figure]:
    """Invented hourly returns of ten assets over a year; seconds of one core's processor."""
    rng = np.random.default_rng(7)
    past = 0.006 * (0.8 * rng.standard_normal((YEAR, 1)) + 0.6 * rng.standard_normal((YEAR, ASSETS)))
    figures = []
    for name in model_names():
        spent = _seconds(partial(_simulated, fit_model(name, past[:1000])))
        figures.append(_figure(f"{PATHS:,} paths x {DAYS} days x {ASSETS} assets, {name}", spent, "< 2"))
    figures.append(_figure("GARCH(1,1) fitted to a year of hours", _seconds(lambda: fit_garch(past[:, 0]))))
    figures.append(_figure("filtered 99 % VaR of a year of hours, back-tested", _seconds(lambda: _judged(past[:, 0]))))
    figures.append(_figure(f"risk report, {ASSETS} positions, a year of hours", _seconds(lambda: _reported(past))))
    return figures


def _simulated(model: PathModel) -> None:
    rng = np.random.default_rng(1)
    draws = model.draw(paths=PATHS, steps=DAYS, rng=rng)
    outcomes(wealth_paths(np.full(ASSETS, 0.1), SCENARIOS["crash"].apply(draws, SYMBOLS, 24 * HOUR_MS, rng=rng)))


def _judged(returns: FloatArray) -> None:
    volatility = np.sqrt(long_memory_variance(returns))
    var = rolling_filtered_var(returns, volatility, level=0.99, first=2000, window=2000, refresh=24)
    backtest(returns[2000:], var, 0.99)


def _reported(past: FloatArray) -> None:
    close = 100.0 * np.exp(np.cumsum(past, axis=0))
    opened = np.arange(YEAR, dtype=np.int64) * HOUR_MS
    bars = {
        symbol: Bars(
            instrument=symbol,
            step_ms=HOUR_MS,
            open_ms=opened,
            open=close[:, at],
            high=close[:, at],
            low=close[:, at],
            close=close[:, at],
            volume=np.ones(YEAR),
        )
        for at, symbol in enumerate(SYMBOLS)
    }
    book = Book(weights=dict.fromkeys(SYMBOLS, 0.1), quantities=dict.fromkeys(SYMBOLS, 1.0), maintenance={})
    risk_report(book, bars, horizon_ms=24 * HOUR_MS, rng=np.random.default_rng(1))


def _seconds(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun


def _figure(name: str, seconds: float, target: str = "") -> Figure:
    return Figure(name=name, value=seconds, unit="s", target=target)

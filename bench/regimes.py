"""What regimes, anomalies and correlations cost: a series, one new bar, and a round's tools."""

import statistics
import time
from collections.abc import Callable

import numpy as np

from bench.figure import Figure
from trading.features.alarm import recent_scan
from trading.features.anomalies import scan
from trading.features.correlation import correlation_breakdown, shrunk_correlation
from trading.features.frame import FeatureFrame
from trading.features.regimes import RegimeSettings, RegimeTracker, regime_series
from trading.features.regimes.series import latest_regime

HOUR_MS = 3_600_000
YEAR = 8760
NEW_BARS = 336


def measure() -> list[Figure]:
    """One instrument over a year of hourly bars, then bar by bar, then as desks ask for it in a round."""
    frame = _frame(np.random.default_rng(0))
    history = RegimeSettings().history_bars
    series_s = _seconds(lambda: regime_series(frame))
    bars_ms = _bar_ms(_frame(np.random.default_rng(3)))
    rounds = [frame.rows(end - history, end) for end in range(YEAR - 48, YEAR)]
    returns = np.random.default_rng(1).normal(size=(168, 9))
    rng = np.random.default_rng(2)
    return [
        Figure(name="regimes, a year of hourly bars", value=series_s, unit="s CPU"),
        Figure(name="regime of one new bar, median", value=statistics.median(bars_ms), unit="ms"),
        Figure(name="  at its slowest, all methods fitted", value=max(bars_ms), unit="ms"),
        Figure(name="anomalies, a year of hourly bars", value=_seconds(lambda: scan(frame)), unit="s CPU"),
        Figure(name="regime of a round, one instrument, median", value=_median_ms(latest_regime, rounds), unit="ms"),
        Figure(name="anomalies of a round, one instrument, median", value=_median_ms(recent_scan, rounds), unit="ms"),
        Figure(
            name="correlations of a round, nine instruments",
            value=1000 * _seconds(lambda: (shrunk_correlation(returns), _breakdown(returns, rng))),
            unit="ms CPU",
            note="199 permutations",
        ),
    ]


def _breakdown(returns: np.ndarray[tuple[int, int], np.dtype[np.float64]], rng: np.random.Generator) -> object:
    return correlation_breakdown(returns[:112], returns[112:], rng=rng, permutations=199)


def _seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def _median_ms(call: Callable[[FeatureFrame], object], frames: list[FeatureFrame]) -> float:
    return statistics.median(1000 * _seconds(lambda each=frame: call(each)) for frame in frames)  # type: ignore[misc]


def _bar_ms(frame: FeatureFrame) -> list[float]:
    tracker = RegimeTracker(frame.step_ms)
    columns = [frame.columns[name].tolist() for name in ("high", "low", "close")]
    spent = []
    for open_ms, *prices in zip(frame.open_ms.tolist(), *columns, strict=True):
        started = time.perf_counter()
        tracker.push(open_ms, *prices)
        spent.append(1000 * (time.perf_counter() - started))
    return spent[-NEW_BARS:]


def _frame(rng: np.random.Generator) -> FeatureFrame:
    """A year by chance, with a reference that moves along."""
    moves = 0.005 * rng.standard_t(4, YEAR)
    close = 100 * np.exp(np.cumsum(moves))
    reach = 1 + 0.003 * rng.random(YEAR)
    open_ms = HOUR_MS * np.arange(YEAR, dtype=np.int64)
    return FeatureFrame(
        instrument="X-USDT",
        step_ms=HOUR_MS,
        open_ms=open_ms,
        columns={
            "open": close,
            "high": close * reach,
            "low": close / reach,
            "close": close,
            "volume": rng.lognormal(3, 0.5, YEAR),
            "reference_close": 50 * np.exp(np.cumsum(0.7 * moves + 0.003 * rng.normal(size=YEAR))),
        },
    )

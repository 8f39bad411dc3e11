"""What keeping candles costs: resampling, taking in, reading back."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.figure import Figure
from trading.marketdata import CandleSeries, SeriesKind, find_oddities, resample
from trading.marketdata.store import CandleStore, SeriesKey

MINUTE_MS = 60_000
BARS = 525_600
PAGE = 1000


def measure() -> list[Figure]:
    """A year of minutes of one instrument."""
    series = _series()
    key = SeriesKey(venue="binance", symbol=series.symbol, step_ms=MINUTE_MS)
    now_ms = int(series.open_ms[-1]) + 10 * MINUTE_MS
    with tempfile.TemporaryDirectory() as folder:
        store = CandleStore(Path(folder))
        head, page = series.picked(slice(0, BARS - PAGE)), series.picked(slice(BARS - PAGE, BARS))
        taken = _seconds(lambda: store.add(key, head, source="bench", now_ms=now_ms))
        grown = _seconds(lambda: store.add(key, page, source="bench", now_ms=now_ms))
        read = _seconds(lambda: store.read(key))
        size = store.path_of(key).stat().st_size
    return [
        Figure(
            name="a year of minutes as hours",
            value=1000 * _seconds(lambda: resample(series, 60 * MINUTE_MS)),
            unit="ms CPU",
        ),
        Figure(name="a year of minutes taken into the store", value=1000 * taken, unit="ms CPU", note=f"{BARS} bars"),
        Figure(name="a page of 1,000 bars added to it", value=1000 * grown, unit="ms CPU"),
        Figure(name="read back", value=1000 * read, unit="ms CPU", note=f"{size / 1e6:.1f} MB"),
        Figure(name="searched for spikes", value=1000 * _seconds(lambda: find_oddities(series)), unit="ms CPU"),
    ]


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _series() -> CandleSeries:
    rng = np.random.default_rng(7)
    close = np.round(60_000 * np.exp(np.cumsum(rng.normal(0, 0.0005, BARS))), 2)
    opened = np.concatenate([close[:1], close[:-1]])
    return CandleSeries(
        symbol="BTC-USDT",
        step_ms=MINUTE_MS,
        kind=SeriesKind.CANDLES,
        open_ms=1_704_067_200_000 + MINUTE_MS * np.arange(BARS, dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close) + 1,
        low=np.minimum(opened, close) - 1,
        close=close,
        volume=np.round(rng.lognormal(2, 1, BARS), 5),
    )

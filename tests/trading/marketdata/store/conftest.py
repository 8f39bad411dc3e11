"""A store in a folder of its own, and sound bars to put into it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trading.marketdata import CandleSeries, SeriesKind
from trading.marketdata.store import CandleStore, SeriesKey

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000  # 2025-10-17T00:00:00Z
NOW_MS = START_MS + 10_000 * HOUR_MS
KEY = SeriesKey(venue="binance", symbol="BTC-USDT", step_ms=HOUR_MS)


def bars(first: int, end: int, **columns: object) -> CandleSeries:
    """Hourly bars ``first`` to ``end`` (without it) of one walk: the same bar wherever it is asked for."""
    number = np.arange(first, end)
    close = 100 + np.sin(number / 5.0)
    made = CandleSeries(
        symbol="BTC-USDT",
        step_ms=HOUR_MS,
        kind=SeriesKind.CANDLES,
        open_ms=START_MS + HOUR_MS * number.astype(np.int64),
        open=100 + np.sin((number - 1) / 5.0),
        high=np.full(len(number), 102.0),
        low=np.full(len(number), 98.0),
        close=close,
        volume=1.0 + number % 7,
    )
    return replace(made, **columns)  # type: ignore[arg-type]  # tests name the columns they replace


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path / "data")

"""Hourly closes of real perpetuals."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from trading.domain import to_ms
from trading.marketdata import Bars, FloatArray

HOUR_MS = 3_600_000
DATA = Path(os.environ.get("TRADEFLOOR_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))


def bars_of(close: FloatArray, step_ms: int = HOUR_MS) -> Bars:
    return Bars(
        instrument="BTC-USDT-PERP",
        step_ms=step_ms,
        open_ms=np.arange(len(close), dtype=np.int64) * step_ms,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.ones(len(close)),
    )


@pytest.fixture(scope="session")
def make_bars() -> Callable[..., Bars]:
    """Bars from closes: ``make_bars(close, step_ms)``."""
    return bars_of


@pytest.fixture(scope="session")
def hourly_closes() -> Callable[[str, datetime], FloatArray]:
    """Closes of a coin's perpetual from an instant on."""

    def load(coin: str, since: datetime) -> FloatArray:
        table = pq.read_table(DATA / "ohlcv" / "binance-perp" / f"{coin}-USDT-PERP-1h.parquet", columns=["ts", "close"])
        opened = table["ts"].to_numpy().astype("datetime64[ms]").astype(np.int64)
        return table["close"].to_numpy()[opened >= to_ms(since)].astype(np.float64)

    return load

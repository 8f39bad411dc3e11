"""Frames by chance, with every input there is: markets that move, markets that stand still, and holes in both."""

from collections.abc import Callable

import numpy as np
import pytest

from trading.features.feature import COLUMNS
from trading.features.frame import FeatureFrame

HOUR_MS = 3_600_000
START_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z

MakeFrame = Callable[..., FeatureFrame]


@pytest.fixture(scope="session")
def make_frame() -> MakeFrame:
    """``still`` is the share of the bars in which nothing moves, ``missing`` of those that are not there at all."""

    def make(bars: int, *, seed: int = 0, still: float = 0.0, missing: float = 0.0, digits: int = 6) -> FeatureFrame:
        rng = np.random.default_rng(seed)
        quiet = np.repeat(rng.random(bars // 60 + 1) < still, 60)[:bars]
        moves = np.where(quiet, 0.0, 0.01 * rng.standard_t(4, bars))
        close = np.round(100 * np.exp(np.cumsum(moves)), digits)
        open_ = np.concatenate([close[:1], close[:-1]])
        reach = np.where(quiet, 0.0, 0.005)
        columns = {
            "open": open_,
            "high": np.maximum(open_, close) * (1 + reach * rng.random(bars)),
            "low": np.minimum(open_, close) * (1 - reach * rng.random(bars)),
            "close": close,
            "volume": np.where(quiet, 0.0, rng.lognormal(3, 1, bars)),
            "reference_close": 50 * np.exp(np.cumsum(0.7 * moves + 0.005 * rng.normal(size=bars))),
            "peers_return": 0.01 * rng.normal(size=bars),
            "peers_rising": rng.integers(0, 9, bars) / 8,
            "peers_dispersion": 0.01 * rng.random(bars),
            "funding_rate": np.repeat(1e-4 * rng.normal(size=bars // 8 + 1), 8)[:bars],
            "open_interest": 1000 * np.exp(np.cumsum(0.01 * rng.normal(size=bars))),
            "bid": close * (1 - 1e-4 * rng.random(bars)),
            "ask": close * (1 + 1e-4 * rng.random(bars)),
            "order_flow": rng.normal(size=bars),
            "buy_volume": rng.lognormal(3, 1, bars),
            "sell_volume": rng.lognormal(3, 1, bars),
            "trade_count": rng.integers(1, 100, bars).astype(float),
            "sentiment_score": rng.uniform(-1, 1, bars),
            "sentiment_count": rng.integers(1, 20, bars).astype(float),
        }
        for levels in (1, 5, 10, 20):
            for side in ("bid", "ask"):
                columns[f"{side}_size_{levels}"] = levels * rng.lognormal(0, 1, bars)
        open_ms = START_MS + HOUR_MS * np.arange(bars, dtype=np.int64)
        columns["open_s"] = open_ms / 1000
        assert set(columns) == {name for names in COLUMNS.values() for name in names}
        there = rng.random(bars) >= missing
        return FeatureFrame(
            instrument="X-USDT",
            step_ms=HOUR_MS,
            open_ms=open_ms[there],
            columns={name: column[there] for name, column in columns.items()},
        )

    return make

"""The snapshot says what TA-Lib says over whole bars, and nothing where it cannot know."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.features.snapshot import HISTORY_BARS, TIMEFRAMES, Snapshot, snapshot
from trading.marketdata import Bars, SimulationSpec, Tape, TapeView, load_tape, read_candles, resample, simulate

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000
SYMBOL = "BTC-USDT"
COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")
NOT_OF_BARS = {"symbol", "timestamp", "timeframe", "current_price", "priced_at"}
OF_BARS = [name for name in Snapshot.model_fields if name not in NOT_OF_BARS]


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real market data; TRADEFLOOR_TEST_DATA names another one."""
    root = Path(os.environ.get("TRADEFLOOR_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
    assert root.is_dir(), f"{root} is missing: set TRADEFLOOR_TEST_DATA to the folder of market data"
    return root


@pytest.fixture(scope="module")
def tape() -> Tape:
    end_ms = START_MS + 6000 * MINUTE_MS
    return simulate(SimulationSpec(symbols=(SYMBOL,), start_ms=START_MS, end_ms=end_ms, step_ms=MINUTE_MS, seed=3))


def at(tape: Tape, bar: int) -> tuple[Bars, int]:
    as_of_ms = START_MS + bar * tape.step_ms
    return TapeView(tape, as_of_ms).bars(SYMBOL, HISTORY_BARS), as_of_ms


def without(bars: Bars, *rows: int) -> Bars:
    return replace(bars, **{name: np.delete(getattr(bars, name), rows) for name in COLUMNS})


@pytest.mark.parametrize("bar", [4000, 4007, 5999])
def test_every_timeframe_is_that_of_talib_over_whole_bars(tape: Tape, bar: int) -> None:
    found = snapshot(*at(tape, bar))
    for name, step_ms in TIMEFRAMES.items():
        ratio = step_ms // MINUTE_MS
        whole = bar // ratio
        close = tape.close[0, ratio - 1 : whole * ratio : ratio]  # the last minute of each whole bar
        assert getattr(found, f"rsi_{name}") == pytest.approx(talib.RSI(close, 14)[-1], rel=1e-6)
        assert getattr(found, f"macd_{name}") == pytest.approx(talib.MACD(close)[0][-1], rel=1e-6, abs=1e-9)
        assert getattr(found, f"price_change_{name}") == pytest.approx(
            100 * (tape.close[0, bar - 1] / tape.close[0, bar - 1 - ratio] - 1)
        )
    high, low, close, volume = (getattr(tape, name)[0, :bar] for name in ("high", "low", "close", "volume"))
    assert (found.rsi, found.macd) == (found.rsi_1m, found.macd_1m)
    assert found.stoch_k == pytest.approx(talib.STOCH(high, low, close, 14, 3, 0, 3, 0)[0][-1])
    assert found.williams_r == pytest.approx(talib.WILLR(high, low, close, 14)[-1])
    assert found.avg_volume == pytest.approx((close * volume)[-60:].mean())
    assert found.trend_strength == pytest.approx(talib.ADX(high, low, close, 14)[-1] / 100, rel=1e-6)
    assert (found.symbol, found.timeframe, found.current_price) == (SYMBOL, "1m", close[-1])
    assert found.priced_at == found.timestamp


def test_longer_bars_are_those_of_resampling(tape: Tape) -> None:
    bars, as_of_ms = at(tape, 5000)
    five = resample(bars, 5 * MINUTE_MS).bars
    assert snapshot(five, as_of_ms).rsi_5m == pytest.approx(snapshot(bars, as_of_ms).rsi_5m, rel=1e-6)
    assert snapshot(five, as_of_ms).rsi_1m is None
    assert snapshot(five, as_of_ms).rsi_3m is None
    assert snapshot(five, as_of_ms).price_change_1m is None
    assert snapshot(five, as_of_ms).timeframe == "5m"


@pytest.mark.parametrize(("slope", "trend"), [(0.002, "uptrend"), (-0.002, "downtrend"), (0.0, "sideways")])
def test_trend_is_the_one_that_was_planted(slope: float, trend: str) -> None:
    rows = np.arange(300)
    close = 100 * np.exp(slope * rows + 0.0005 * np.sin(rows * 2.4))
    bars = Bars(
        instrument=SYMBOL,
        step_ms=MINUTE_MS,
        open_ms=START_MS + MINUTE_MS * rows.astype(np.int64),
        open=close,
        high=close * 1.001,
        low=close * 0.999,
        close=close,
        volume=np.ones(300),
    )
    found = snapshot(bars, START_MS + 300 * MINUTE_MS)
    assert found.trend == trend
    assert found.trend_strength is not None
    assert (found.trend_strength >= 0.2) == (trend != "sideways")


@settings(max_examples=20, deadline=None)
@given(bar=st.integers(0, 5900), factor=st.floats(0.2, 5))
def test_the_future_changes_nothing(tape: Tape, bar: int, factor: float) -> None:
    changed = {}
    for name in ("open", "high", "low", "close", "volume"):
        values = getattr(tape, name).copy()
        values[:, bar:] *= factor
        changed[name] = values
    assert snapshot(*at(replace(tape, **changed), bar)) == snapshot(*at(tape, bar))


def test_old_prices_are_not_passed_off_as_new(tape: Tape) -> None:
    bars, as_of_ms = at(tape, 5000)
    stale = snapshot(bars, as_of_ms + MINUTE_MS)
    assert stale.current_price == bars.close[-1]
    assert stale.priced_at != stale.timestamp
    assert [getattr(stale, name) for name in OF_BARS] == [None] * len(OF_BARS)


def test_nothing_reaches_over_a_gap(tape: Tape) -> None:
    bars, as_of_ms = at(tape, 5000)
    found = snapshot(without(bars, len(bars) - 40), as_of_ms)
    assert found.rsi_1m is not None
    assert found.rsi_5m is None
    assert found.avg_volume is None
    assert found.price_change_15m is not None
    assert snapshot(without(bars, len(bars) - 10), as_of_ms).price_change_15m is None


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_bars_give_few_values(tape: Tape, count: int) -> None:
    bars, as_of_ms = at(tape, count)
    found = snapshot(bars, as_of_ms)
    assert (found.current_price is None) == (count == 0)
    assert found.rsi is None
    assert found.trend is None


def test_a_recorded_minute_by_minute_snapshot_agrees_with_the_hourly_recording(recordings: Path) -> None:
    as_of_ms = 1_724_000_400_000  # 2024-08-18T17:00:00Z
    path = recordings / "ohlcv/binance/BTC-USDT-1m-202408.parquet"
    tape = load_tape([path], (), (SYMBOL,), as_of_ms - MINUTE_MS, as_of_ms, history_bars=HISTORY_BARS)
    found = snapshot(TapeView(tape, as_of_ms).bars(SYMBOL, HISTORY_BARS), as_of_ms)
    hours = read_candles(recordings / "ohlcv/binance/BTC-USDT-1h.parquet")
    assert found.current_price == hours.between(as_of_ms - HOUR_MS, as_of_ms).close[0]
    assert None not in found.model_dump().values()

"""Longer bars from shorter ones are those that the exchange prints."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.domain.errors import RequestError
from trading.domain.instants import duration_ms
from trading.marketdata import CandleSeries, SeriesKind, TapeView, read_candles, resample, simulate
from trading.marketdata.simulated import SimulationSpec

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000
COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")


def minutes(count: int, seed: int = 1, start_ms: int = START_MS) -> CandleSeries:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.001, count)))
    opened = np.concatenate([[100.0], close[:-1]])[:count]
    return CandleSeries(
        symbol="BTC-USDT",
        step_ms=MINUTE_MS,
        kind=SeriesKind.CANDLES,
        open_ms=start_ms + MINUTE_MS * np.arange(count, dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close) * 1.001,
        low=np.minimum(opened, close) * 0.999,
        close=close,
        volume=rng.lognormal(size=count),
    )


def without(series: CandleSeries, *rows: int) -> CandleSeries:
    return replace(series, **{name: np.delete(getattr(series, name), rows) for name in COLUMNS})


@pytest.mark.parametrize("symbol", ["BTC-USDT", "ETH-USDT"])
def test_minutes_of_july_and_august_2024_are_the_hours_of_the_exchange(recordings, symbol: str) -> None:
    found = resample(read_candles(recordings / f"ohlcv/binance/{symbol}-1m-202408.parquet"), HOUR_MS)
    hours = read_candles(recordings / f"ohlcv/binance/{symbol}-1h.parquet")
    expected = hours.between(int(found.bars.open_ms[0]), int(found.bars.open_ms[-1]) + 1)
    assert len(found.bars) == len(expected) == 719
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found.bars, name), getattr(expected, name), err_msg=name)
    assert len(found.incomplete_ms) == 2  # the first and the last hour are cut off in the recording


@pytest.mark.parametrize("timeframe", ["3m", "5m", "15m", "1h", "4h", "1d"])
def test_each_bar_is_its_minutes(timeframe: str) -> None:
    step_ms = duration_ms(timeframe)
    series = minutes(3000)
    found = resample(series, step_ms)
    bars = found.bars
    assert (bars.symbol, bars.step_ms, bars.kind) == ("BTC-USDT", step_ms, SeriesKind.CANDLES)
    assert len(bars) == 3000 * MINUTE_MS // step_ms
    for row, open_ms in enumerate(bars.open_ms.tolist()):
        part = series.between(open_ms, open_ms + step_ms)
        assert open_ms % step_ms == 0
        assert (bars.open[row], bars.close[row]) == (part.open[0], part.close[-1])
        assert (bars.high[row], bars.low[row]) == (part.high.max(), part.low.min())
        assert bars.volume[row] == pytest.approx(part.volume.sum(), rel=1e-12)


def test_a_bar_that_lacks_a_minute_is_named_and_not_made() -> None:
    series = without(minutes(240), 61, 62, 200)
    found = resample(series, HOUR_MS)
    assert found.bars.open_ms.tolist() == [START_MS, START_MS + 2 * HOUR_MS]
    assert found.incomplete_ms.tolist() == [START_MS + HOUR_MS, START_MS + 3 * HOUR_MS]
    assert found.missing.tolist() == [2, 1]
    kept = resample(series, HOUR_MS, keep_incomplete=True)
    assert len(kept.bars) == 4
    assert kept.missing.tolist() == [2, 1]
    assert kept.bars.high[1] == series.between(START_MS + HOUR_MS, START_MS + 2 * HOUR_MS).high.max()


def test_the_bar_that_is_not_over_is_incomplete() -> None:
    found = resample(minutes(90), HOUR_MS)
    assert found.bars.open_ms.tolist() == [START_MS]
    assert (found.incomplete_ms.tolist(), found.missing.tolist()) == ([START_MS + HOUR_MS], [30])


def test_weeks_begin_on_mondays() -> None:
    monday_ms = 1_760_918_400_000  # 2025-10-20
    hours = replace(minutes(24 * 14, start_ms=0), step_ms=HOUR_MS, open_ms=monday_ms + HOUR_MS * np.arange(24 * 14))
    assert resample(hours, duration_ms("1w")).bars.open_ms.tolist() == [monday_ms, monday_ms + duration_ms("7d")]


@pytest.mark.parametrize("count", [0, 1, 59])
def test_too_few_make_no_bar(count: int) -> None:
    assert len(resample(minutes(count), HOUR_MS).bars) == 0


@pytest.mark.parametrize("step_ms", [90_000, 30_000])
def test_a_length_that_does_not_divide_is_refused(step_ms: int) -> None:
    with pytest.raises(RequestError, match="whole multiple"):
        resample(minutes(10), step_ms)


def test_the_bars_of_a_view_are_resampled_alike() -> None:
    end_ms = START_MS + 300 * MINUTE_MS
    tape = simulate(SimulationSpec(symbols=("BTC-USDT",), start_ms=START_MS, end_ms=end_ms, step_ms=MINUTE_MS, seed=7))
    found = resample(TapeView(tape, end_ms).bars("BTC-USDT", 300), HOUR_MS).bars
    assert (found.instrument, len(found)) == ("BTC-USDT", 5)
    assert found.close[-1] == tape.close[0, -1]


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), dropped=st.sets(st.integers(0, 359), max_size=40))
def test_by_way_of_quarters_of_an_hour_gives_the_same(seed: int, dropped: set[int]) -> None:
    series = without(minutes(360, seed), *dropped)
    if not len(series):
        return
    direct, stepwise = resample(series, HOUR_MS).bars, resample(resample(series, 15 * MINUTE_MS).bars, HOUR_MS).bars
    for name in COLUMNS[:-1]:
        np.testing.assert_array_equal(getattr(direct, name), getattr(stepwise, name))
    np.testing.assert_allclose(direct.volume, stepwise.volume, rtol=1e-12)

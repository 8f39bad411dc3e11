"""What is odd is found where it was planted, and not in a market that merely moves."""

from dataclasses import replace

import numpy as np
import pytest

from trading.marketdata import CandleSeries, SeriesKind, find_oddities, read_candles
from trading.marketdata.oddities import SPIKE_SCORE, spike_scores

MINUTE_MS = 60_000


def walk(count: int = 3000, seed: int = 3, freedom: float = 4) -> CandleSeries:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.001 * rng.standard_t(freedom, count)))
    opened = np.concatenate([[100.0], close[:-1]])
    return CandleSeries(
        symbol="BTC-USDT",
        step_ms=MINUTE_MS,
        kind=SeriesKind.CANDLES,
        open_ms=MINUTE_MS * np.arange(count, dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close) * 1.0005,
        low=np.minimum(opened, close) * 0.9995,
        close=close,
        volume=np.ones(count),
    )


@pytest.mark.parametrize("seed", range(5))
def test_heavy_tails_alone_are_no_spikes(seed: int) -> None:
    assert find_oddities(walk(seed=seed)).spikes == 0


@pytest.mark.parametrize("row", [0, 1, 1500, 2998, 2999])
@pytest.mark.parametrize("column", ["low", "high"])
def test_a_planted_wick_is_found_and_described(row: int, column: str) -> None:
    series = walk()
    prices = getattr(series, column).copy()
    prices[row] *= 0.9 if column == "low" else 1.1
    found = find_oddities(replace(series, **{column: prices}))
    assert [each.row for each in found.listed] == [row]
    assert found.listed[0].score > SPIKE_SCORE
    assert column in found.listed[0].reason


def test_a_price_that_stays_where_it_jumped_to_is_no_spike() -> None:
    series = walk()
    factor = np.where(np.arange(len(series)) >= 1000, 1.1, 1.0)
    moved = {name: getattr(series, name) * factor for name in ("open", "high", "low", "close")}
    assert find_oddities(replace(series, **moved)).spikes == 0


def test_the_largest_come_first_and_twenty_are_listed() -> None:
    series = walk()
    low = series.low.copy()
    rows = np.arange(50, 2950, 100)
    low[rows] *= 1 - np.linspace(0.3, 0.6, len(rows))
    found = find_oddities(replace(series, low=low))
    assert found.spikes == len(rows)
    assert len(found.listed) == 20
    scores = [each.score for each in found.listed]
    assert scores == sorted(scores, reverse=True)


def test_bars_without_a_trade_and_the_longest_gap_are_counted() -> None:
    series = walk(100)
    volume = series.volume.copy()
    volume[[3, 9]] = 0
    kept = np.ones(100, bool)
    kept[[20, 40, 41, 42]] = False
    found = find_oddities(replace(series, volume=volume).picked(kept))
    assert (found.zero_volume, found.largest_gap_bars, found.largest_gap_ms) == (2, 3, 40 * MINUTE_MS)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_bars_are_no_error(count: int) -> None:
    found = find_oddities(walk(count))
    assert (found.spikes, found.largest_gap_ms) == (0, None)


def test_a_price_that_stands_still_has_no_spike() -> None:
    flat = {name: np.full(3000, 7.0) for name in ("open", "high", "low", "close")}
    assert not spike_scores(replace(walk(), **flat)).any()


def test_known_crashes_of_real_recordings_are_found(recordings) -> None:
    link = find_oddities(read_candles(recordings / "ohlcv/binance/LINK-USDT-1h.parquet"))
    assert "2020-03-12T10:00:00Z: low 0.0001" in link.listed[0].reason  # a print of a hundredth of a cent
    ada = find_oddities(read_candles(recordings / "ohlcv/binance/ADA-USDT-1h.parquet"))
    assert "2025-10-10T21:00:00Z" in ada.listed[0].reason

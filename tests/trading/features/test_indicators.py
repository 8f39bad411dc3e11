"""Indicators against TA-Lib and against their definitions, at the edge of history, and blind to the future."""

import math
from dataclasses import replace

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.features.indicators import WINDOW, Indicators, indicators
from trading.marketdata import Bars, FloatArray, FundingRates, Tape, TapeView

HOUR_MS = 3_600_000
NO_FUNDING = FundingRates(ts_ms=np.empty(0, np.int64), rate=np.empty(0))
FIRST_KNOWN = {
    "close": 1,
    "return_1": 2,
    "williams_r_14": 14,
    "rsi_14": 15,
    "atr_14_fraction": 15,
    "ema_12": 12,
    "stochastic_k": 18,
    "sma_20": 20,
    "bollinger_position_20": 20,
    "return_24": 25,
    "volatility_24": 25,
    "adx_14": 28,
    "macd": 34,
    "macd_signal": 34,
    "macd_histogram": 34,
    "zscore_48": 48,
    "donchian_high_48": 49,
    "donchian_low_48": 49,
    "sma_50": 50,
    "return_72": 73,
}


def make_bars(count: int = WINDOW, seed: int = 3) -> Bars:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.standard_t(4, count) * 0.01))
    return Bars(
        instrument="BTC-USDT",
        step_ms=HOUR_MS,
        open_ms=np.arange(count, dtype=np.int64) * HOUR_MS,
        open=close,
        high=close * (1 + rng.uniform(0, 0.01, count)),
        low=close * (1 - rng.uniform(0, 0.01, count)),
        close=close,
        volume=np.ones(count),
    )


def newest(bars: Bars, count: int) -> Bars:
    cut = {name: getattr(bars, name)[-count:] for name in ("open_ms", "open", "high", "low", "close", "volume")}
    return replace(bars, **cut)


def of(bars: Bars) -> Indicators:
    return indicators(bars, NO_FUNDING)


def test_values_are_those_of_talib() -> None:
    bars = make_bars()
    high, low, close = bars.high, bars.low, bars.close
    macd, signal, histogram = talib.MACD(close)
    upper, _, lower = talib.BBANDS(close, timeperiod=20)
    expected = {
        "rsi_14": talib.RSI(close, 14)[-1],
        "macd": macd[-1],
        "macd_signal": signal[-1],
        "macd_histogram": histogram[-1],
        "stochastic_k": talib.STOCH(high, low, close, fastk_period=14)[0][-1],
        "williams_r_14": talib.WILLR(high, low, close, 14)[-1],
        "bollinger_position_20": (close[-1] - lower[-1]) / (upper[-1] - lower[-1]),
        "atr_14_fraction": talib.NATR(high, low, close, 14)[-1] / 100,
        "adx_14": talib.ADX(high, low, close, 14)[-1],
        "sma_20": talib.SMA(close, 20)[-1],
        "sma_50": talib.SMA(close, 50)[-1],
        "ema_12": talib.EMA(close, 12)[-1],
    }
    found = of(bars)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_values_follow_their_definitions() -> None:
    bars = make_bars()
    close = bars.close
    found = of(bars)
    assert found["close"] == close[-1]
    assert found["return_24"] == pytest.approx(close[-1] / close[-25] - 1, rel=1e-12)
    assert found["volatility_24"] == pytest.approx(np.std(np.diff(np.log(close))[-24:], ddof=1), rel=1e-12)
    assert found["zscore_48"] == pytest.approx((close[-1] - close[-48:].mean()) / close[-48:].std(ddof=1), rel=1e-12)
    assert found["donchian_high_48"] == bars.high[-49:-1].max()
    assert found["donchian_low_48"] == bars.low[-49:-1].min()
    top, bottom = bars.high[-14:].max(), bars.low[-14:].min()
    assert found["williams_r_14"] == pytest.approx(-100 * (top - close[-1]) / (top - bottom), rel=1e-9)


def test_rsi_is_that_of_wilder() -> None:
    close = make_bars().close
    moves = np.diff(close)
    gain, loss = moves[:14].clip(min=0).mean(), -moves[:14].clip(max=0).mean()
    for move in moves[14:]:
        gain, loss = (13 * gain + max(move, 0.0)) / 14, (13 * loss + max(-move, 0.0)) / 14
    assert of(make_bars())["rsi_14"] == pytest.approx(100 * gain / (gain + loss), rel=1e-9)


@pytest.mark.parametrize(("name", "first"), FIRST_KNOWN.items())
def test_each_is_unknown_until_it_has_its_bars(name: str, first: int) -> None:
    bars = make_bars(100)
    assert of(newest(bars, first))[name] is not None
    if first > 1:
        assert of(newest(bars, first - 1))[name] is None


def test_names_do_not_depend_on_the_history() -> None:
    assert list(of(newest(make_bars(), 1))) == list(of(make_bars()))
    assert set(of(make_bars())) == {*FIRST_KNOWN, "funding_rate"}


def test_no_bars_at_all_give_no_values() -> None:
    empty = make_bars(0)
    assert set(of(empty).values()) == {None}


def test_funding_is_the_last_settled() -> None:
    rates = FundingRates(ts_ms=np.array([0, HOUR_MS]), rate=np.array([1e-4, -2e-4]))
    assert indicators(make_bars(5), rates)["funding_rate"] == -2e-4


def test_a_price_that_stands_still_has_no_deviation_to_measure_in() -> None:
    still = make_bars()
    flat = np.full(len(still), 42.1)
    found = of(replace(still, open=flat, high=flat, low=flat, close=flat))
    assert found["zscore_48"] is None
    assert found["bollinger_position_20"] is None
    assert found["volatility_24"] == 0.0
    assert all(value is None or math.isfinite(value) for value in found.values())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), older=st.integers(0, 400))
def test_only_the_window_counts(seed: int, older: int) -> None:
    bars = make_bars(WINDOW + older, seed)
    assert of(bars) == of(newest(bars, WINDOW))


@settings(max_examples=30, deadline=None)
@given(bar=st.integers(1, 399), factor=st.floats(0.2, 5), gaps=st.booleans())
def test_the_future_changes_nothing(bar: int, factor: float, gaps: bool) -> None:
    bars = make_bars(400)
    holes = np.zeros(400, bool)
    holes[5::7] = gaps

    def column(values: FloatArray, scale: float) -> FloatArray:
        changed = np.where(holes, np.nan, values)
        changed[bar:] *= scale
        return changed[None, :]

    def known(scale: float) -> Indicators:
        tape = Tape(
            symbols=("X-USDT",),
            step_ms=HOUR_MS,
            open_ms=bars.open_ms,
            open=column(bars.open, scale),
            high=column(bars.high, scale),
            low=column(bars.low, scale),
            close=column(bars.close, scale),
            volume=column(bars.volume, scale),
            source="replay",
        )
        view = TapeView(tape, bar * HOUR_MS)
        return indicators(view.bars("X-USDT", WINDOW), view.funding("X-USDT", 1))

    assert known(1.0) == known(factor)

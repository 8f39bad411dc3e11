"""Features against TA-Lib over the same bars, and against the indicators that the desks see."""

import numpy as np
import pytest
import talib

from trading.features.indicators import WINDOW, indicators
from trading.features.registry import by_name, chosen
from trading.features.vector import compute
from trading.marketdata import Bars, FloatArray, FundingRates

Columns = dict[str, FloatArray]


def ohlc(x: Columns) -> tuple[FloatArray, FloatArray, FloatArray]:
    return x["high"], x["low"], x["close"]


def stochastic(x: Columns) -> tuple[FloatArray, FloatArray]:
    return talib.STOCH(*ohlc(x), fastk_period=14, slowk_period=3, slowd_period=3)


def bollinger_position(x: Columns) -> FloatArray:
    upper, _, lower = talib.BBANDS(x["close"], 20, 2.0, 2.0)
    return (x["close"] - lower) / (upper - lower)


def middle(x: Columns, length: int) -> FloatArray:
    return (talib.MAX(x["high"], length) + talib.MIN(x["low"], length)) / 2


def cloud_thickness(x: Columns) -> FloatArray:
    spans = (middle(x, 9) + middle(x, 26)) / 2 - middle(x, 52)
    return np.concatenate([np.full(26, np.nan), spans[:-26]]) / x["close"]


def vwap_distance(x: Columns) -> FloatArray:
    value = talib.SUM(talib.TYPPRICE(*ohlc(x)) * x["volume"], 24) / talib.SUM(x["volume"], 24)
    return x["close"] / value - 1


EXPECTED = {
    "rsi_7": lambda x: talib.RSI(x["close"], 7),
    "rsi_14": lambda x: talib.RSI(x["close"], 14),
    "rsi_28": lambda x: talib.RSI(x["close"], 28),
    "stochastic_k": lambda x: stochastic(x)[0],
    "stochastic_d": lambda x: stochastic(x)[1],
    "williams_r_14": lambda x: talib.WILLR(*ohlc(x), 14),
    "macd_fraction": lambda x: talib.MACD(x["close"])[0] / x["close"],
    "macd_signal_fraction": lambda x: talib.MACD(x["close"])[1] / x["close"],
    "macd_histogram_fraction": lambda x: talib.MACD(x["close"])[2] / x["close"],
    "cci_20": lambda x: talib.CCI(*ohlc(x), 20),
    "ultimate_oscillator": lambda x: talib.ULTOSC(*ohlc(x)),
    "aroon_25": lambda x: talib.AROONOSC(x["high"], x["low"], 25),
    "money_flow_index_14": lambda x: talib.MFI(*ohlc(x), x["volume"], 14),
    "bollinger_position_20": bollinger_position,
    "atr_14_fraction": lambda x: talib.ATR(*ohlc(x), 14) / x["close"],
    "adx_14": lambda x: talib.ADX(*ohlc(x), 14),
    "plus_di_14": lambda x: talib.PLUS_DI(*ohlc(x), 14),
    "minus_di_14": lambda x: talib.MINUS_DI(*ohlc(x), 14),
    "sma_20_distance": lambda x: x["close"] / talib.SMA(x["close"], 20) - 1,
    "sma_200_distance": lambda x: x["close"] / talib.SMA(x["close"], 200) - 1,
    "ema_12_distance": lambda x: x["close"] / talib.EMA(x["close"], 12) - 1,
    "ema_50_distance": lambda x: x["close"] / talib.EMA(x["close"], 50) - 1,
    "wma_20_distance": lambda x: x["close"] / talib.WMA(x["close"], 20) - 1,
    "dema_20_distance": lambda x: x["close"] / talib.DEMA(x["close"], 20) - 1,
    "tema_20_distance": lambda x: x["close"] / talib.TEMA(x["close"], 20) - 1,
    "trima_20_distance": lambda x: x["close"] / talib.TRIMA(x["close"], 20) - 1,
    "slope_24": lambda x: talib.LINEARREG_SLOPE(np.log(x["close"]), 24),
    "ichimoku_conversion_distance": lambda x: x["close"] / middle(x, 9) - 1,
    "ichimoku_base_distance": lambda x: x["close"] / middle(x, 26) - 1,
    "ichimoku_cloud_thickness": cloud_thickness,
    "vwap_24_distance": vwap_distance,
    "reference_correlation_72": lambda x: talib.CORREL(
        np.diff(np.log(x["close"])), np.diff(np.log(x["reference_close"])), 72
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_values_are_those_of_talib_over_the_same_bars(make_frame, name: str) -> None:
    frame = make_frame(WINDOW + 40, seed=11)
    found = compute(frame, chosen((name,)))[name]
    for end in (WINDOW, WINDOW + 7, WINDOW + 40):
        window = {column: values[end - WINDOW : end] for column, values in frame.columns.items()}
        assert found[end - 1] == pytest.approx(EXPECTED[name](window)[-1], rel=1e-9, abs=1e-10), end


def test_trix_is_that_of_talib_once_its_start_is_forgotten(make_frame) -> None:
    close = make_frame(WINDOW + 40, seed=12).columns["close"]
    found = compute(make_frame(WINDOW + 40, seed=12), chosen(("trix_15",)))["trix_15"][-1]
    assert 100 * found == pytest.approx(talib.TRIX(close, 15)[-1], abs=1e-8)


def test_what_the_desks_see_under_a_name_is_what_the_vector_has(make_frame) -> None:
    frame = make_frame(400, seed=13)
    bars = Bars(
        instrument="X-USDT",
        step_ms=frame.step_ms,
        open_ms=frame.open_ms,
        **{name: frame.columns[name] for name in ("open", "high", "low", "close", "volume")},
    )
    rates = FundingRates(ts_ms=frame.open_ms, rate=frame.columns["funding_rate"])
    shown = indicators(bars, rates)
    both = tuple(name for name in shown if name in by_name())
    assert len(both) >= 10
    table = compute(frame, chosen(both))
    assert {name: table[name][-1] for name in both} == pytest.approx({name: shown[name] for name in both}, rel=1e-9)

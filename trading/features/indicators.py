"""Technical indicators of one instrument at its last closed bar.

Every value follows from the last ``WINDOW`` bars and nothing else, so it is the same wherever the recording begins
and ends. Recursive indicators (Wilder's and exponential averages) have forgotten their start by then: what lies before
the window weighs less than 1e-6 of what lies inside.
"""

import math

import numpy as np
import talib

from trading.marketdata import Bars, FloatArray, FundingRates

WINDOW = 256
"""Bars that :func:`indicators` reads; more than these are ignored."""

Indicators = dict[str, float | None]

_DEVIATION_FLOOR = 1e-12
"""Relative spread of prices below which a range or a deviation is rounding noise, and a ratio to it is not known."""


def indicators(bars: Bars, funding: FundingRates) -> Indicators:
    """The indicators of ``bars`` at the last one; None where the history is too short or the value is undefined.

    Names end in their length in bars. Fractions are fractions of the price, oscillators keep their usual scale: RSI,
    stochastic and ADX 0 to 100, Williams %R -100 to 0; Bollinger position is 0 at the lower and 1 at the upper band.
    The Donchian channel is that of the 48 bars before the last, so that a close outside of it is a breakout.
    ``funding_rate`` is the last settled one.
    """
    close, high, low = bars.close[-WINDOW:], bars.high[-WINDOW:], bars.low[-WINDOW:]
    values: Indicators = {"close": _last(close)}
    for length in (1, 24, 72):
        values[f"return_{length}"] = _return_over(close, length)
    values |= _oscillators(close, high, low)
    values |= _averages(close)
    values["volatility_24"] = _volatility(close, 24)
    values["zscore_48"] = _zscore(close, 48)
    channel = slice(-49, -1)
    known = len(close) > 48
    values["donchian_high_48"] = float(high[channel].max()) if known else None
    values["donchian_low_48"] = float(low[channel].min()) if known else None
    values["funding_rate"] = _last(funding.rate)
    return values


def _oscillators(close: FloatArray, high: FloatArray, low: FloatArray) -> Indicators:
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    slow_k, _ = talib.STOCH(high, low, close, fastk_period=14, slowk_period=3, slowd_period=3)
    upper, _, lower = talib.BBANDS(close, timeperiod=20, nbdevup=2.0, nbdevdn=2.0)
    true_range = _last(talib.ATR(high, low, close, 14))
    return {
        "rsi_14": _last(talib.RSI(close, 14)),
        "macd": _last(macd),
        "macd_signal": _last(signal),
        "macd_histogram": _last(histogram),
        "stochastic_k": _last(slow_k),
        "williams_r_14": _last(talib.WILLR(high, low, close, 14)),
        "bollinger_position_20": _position(_last(close), _last(lower), _last(upper)),
        "atr_14_fraction": None if true_range is None else true_range / float(close[-1]),
        "adx_14": _last(talib.ADX(high, low, close, 14)),
    }


def _averages(close: FloatArray) -> Indicators:
    return {
        "sma_20": _last(talib.SMA(close, 20)),
        "sma_50": _last(talib.SMA(close, 50)),
        "ema_12": _last(talib.EMA(close, 12)),
    }


def _last(values: FloatArray) -> float | None:
    if not len(values):
        return None
    found = float(values[-1])
    return found if math.isfinite(found) else None


def _return_over(close: FloatArray, length: int) -> float | None:
    """Simple return over the last ``length`` bars."""
    return float(close[-1] / close[-1 - length]) - 1.0 if len(close) > length else None


def _position(value: float | None, lower: float | None, upper: float | None) -> float | None:
    if value is None or lower is None or upper is None or upper - lower <= _DEVIATION_FLOOR * abs(upper):
        return None
    return (value - lower) / (upper - lower)


def _volatility(close: FloatArray, length: int) -> float | None:
    """Sample standard deviation of the last ``length`` log returns, per bar."""
    if len(close) <= length:
        return None
    return float(np.diff(np.log(close[-1 - length :])).std(ddof=1))


def _zscore(close: FloatArray, length: int) -> float | None:
    """How many sample standard deviations the last close lies from the mean of the last ``length`` closes."""
    if len(close) < length:
        return None
    window = close[-length:]
    mean, deviation = float(window.mean()), float(window.std(ddof=1))
    return (float(close[-1]) - mean) / deviation if deviation > _DEVIATION_FLOOR * abs(mean) else None

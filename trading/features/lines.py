"""The lines that charts draw around candles, bar by bar: Bollinger bands, RSI and MACD at their usual lengths."""

from dataclasses import dataclass

import numpy as np
import talib

from trading.marketdata import FloatArray

LEAD_BARS = 256
"""Bars before the first one shown that make the lines the same wherever the history begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """All of shape (bars,); NaN before a line's first full window. RSI is 0 to 100, the rest in units of the price."""

    upper: FloatArray
    middle: FloatArray
    lower: FloatArray
    rsi: FloatArray
    macd: FloatArray
    signal: FloatArray
    histogram: FloatArray


def lines(close: FloatArray) -> Lines:
    """Bollinger bands (20 bars, 2 deviations), RSI (14) and MACD (12, 26, 9) of closes, oldest first."""
    if len(close) < 2:
        nothing = np.full(len(close), np.nan)
        return Lines(
            upper=nothing, middle=nothing, lower=nothing, rsi=nothing, macd=nothing, signal=nothing, histogram=nothing
        )
    upper, middle, lower = talib.BBANDS(close, timeperiod=20, nbdevup=2.0, nbdevdn=2.0)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    return Lines(
        upper=upper,
        middle=middle,
        lower=lower,
        rsi=talib.RSI(close, 14),
        macd=macd,
        signal=signal,
        histogram=histogram,
    )

"""TA-Lib's recursive averages over the last ``WINDOW`` bars, for every bar at once.

An exponential or Wilder average never forgets its start, so its value depends on where a recording begins. Here each
bar's average starts ``WINDOW`` bars back, wherever that is. Most such averages are linear in their input: their weights
are TA-Lib's own answers to a series that is 1 at one bar and 0 elsewhere, and what was a recursion is a weighted sum.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import talib

from trading.features.indicators import WINDOW
from trading.features.rolling import ratio, weighted
from trading.marketdata import FloatArray

Linear = Callable[[FloatArray], FloatArray]


def answers(indicator: Linear, length: int) -> FloatArray:
    """Weights that ``indicator``, linear in its input, gives to the last ``length`` values, oldest first."""
    return np.array([indicator(impulse)[-1] for impulse in np.eye(length)])


@cache
def _ema_weights(span: int, times: int) -> FloatArray:
    def repeated(values: FloatArray) -> FloatArray:
        for done in range(times):
            values = talib.EMA(values[done and span - 1 :], span)
        return values

    return answers(repeated, WINDOW)


@cache
def _named_weights(name: str, span: int, length: int) -> FloatArray:
    return answers(lambda values: getattr(talib, name)(values, span), length)


@cache
def _macd_weights() -> tuple[FloatArray, FloatArray]:
    line = answers(lambda values: talib.MACD(values)[0], WINDOW)
    return line, answers(lambda values: talib.MACD(values)[1], WINDOW)


@cache
def _wilder_weights(span: int) -> FloatArray:
    """Wilder's average of ``WINDOW - 1`` changes: the mean of the first ``span``, then 1/span of each new one."""
    count = WINDOW - 1
    kept = 1 - 1 / span
    weights = kept ** np.arange(count - 1, -1, -1.0) / span
    weights[:span] = kept ** (count - span) / span
    return weights


@cache
def _wilder_sum_weights(span: int) -> FloatArray:
    """Wilder's sum as the directional indicators take it: the first ``span - 1`` whole, then decaying."""
    count = WINDOW - 1
    kept = 1 - 1 / span
    weights = kept ** np.arange(count - 1, -1, -1.0)
    weights[: span - 1] = kept ** (count - span + 1)
    return weights


def ema(values: FloatArray, span: int, times: int = 1) -> FloatArray:
    """TA-Lib's EMA over ``WINDOW`` values, smoothed ``times`` over."""
    return weighted(values, _ema_weights(span, times))


def average(values: FloatArray, name: str, span: int, length: int = WINDOW) -> FloatArray:
    """A linear moving average of TA-Lib over ``length`` values, by its name there: DEMA, TEMA, WMA, TRIMA ..."""
    return weighted(values, _named_weights(name, span, length))


def macd(close: FloatArray) -> tuple[FloatArray, FloatArray]:
    """MACD line (12, 26) and its signal (9), in price."""
    line, signal = _macd_weights()
    return weighted(close, line), weighted(close, signal)


def rsi(close: FloatArray, span: int) -> FloatArray:
    """Relative strength index, 0 to 100."""
    moves = np.diff(close)
    weights = _wilder_weights(span)
    gain = weighted(np.maximum(moves, 0.0), weights)
    loss = weighted(np.maximum(-moves, 0.0), weights)
    return 100.0 * gain / (gain + loss)


def true_range(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    """Range of each bar but the first, the close before it included."""
    before = close[:-1]
    return np.maximum(high[1:], before) - np.minimum(low[1:], before)


def atr(high: FloatArray, low: FloatArray, close: FloatArray, span: int) -> FloatArray:
    """Average true range, in price."""
    return weighted(true_range(high, low, close), _wilder_weights(span))


def directional(high: FloatArray, low: FloatArray, close: FloatArray, span: int) -> tuple[FloatArray, FloatArray]:
    """Plus and minus directional indicator, 0 to 100."""
    up, down = np.diff(high), -np.diff(low)
    weights = _wilder_sum_weights(span)
    span_range = weighted(true_range(high, low, close), weights)
    plus = weighted(np.where((up > down) & (up > 0), up, 0.0), weights)
    minus = weighted(np.where((down > up) & (down > 0), down, 0.0), weights)
    return 100.0 * ratio(plus, span_range), 100.0 * ratio(minus, span_range)


def adx(high: FloatArray, low: FloatArray, close: FloatArray, span: int) -> FloatArray:
    """Average directional index, 0 to 100. It is not linear in anything, so TA-Lib runs once for each bar."""
    count = len(close) - WINDOW + 1
    values = np.empty(count)
    for begin in range(count):
        part = slice(begin, begin + WINDOW)
        values[begin] = talib.ADX(high[part], low[part], close[part], span)[-1]
    return values

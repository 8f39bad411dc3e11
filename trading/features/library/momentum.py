"""Momentum: oscillators of TA-Lib over the last ``WINDOW`` bars, and speed of the price."""

from functools import partial

import numpy as np

from trading.features import smoothing
from trading.features.feature import Block, Feature, Group, Input, count_of_bars
from trading.features.indicators import WINDOW
from trading.features.rolling import (
    correlation,
    deviation,
    difference,
    highest,
    log_returns,
    lowest,
    mean,
    position,
    ratio,
    total,
    windows,
    zscore,
)
from trading.marketdata import FloatArray

_feature = partial(Feature, group=Group.MOMENTUM, inputs=(Input.BARS,))


def _rsi(span: int) -> Feature:
    return _feature(
        name=f"rsi_{span}",
        warmup=WINDOW,
        unit="0 to 100",
        description=f"Relative strength index of {span} bars (Wilder).",
        formula=lambda x: smoothing.rsi(x["close"], span),
    )


def _williams(length: int) -> Feature:
    return _feature(
        name=f"williams_r_{length}",
        warmup=length,
        unit="-100 to 0",
        description=f"Williams %R of {length} bars.",
        formula=lambda x: 100.0 * (_fast_k(x, length) - 1.0),
    )


def _trend_to_noise(length: int) -> Feature:
    return _feature(
        name=f"return_to_risk_{length}",
        warmup=length + 1,
        unit="ratio per bar",
        description=f"Mean over standard deviation of the last {length} log returns.",
        formula=lambda x: _mean_to_deviation(log_returns(x["close"]), length),
    )


def _autocorrelation(lag: int) -> Feature:
    return _feature(
        name=f"autocorrelation_{lag}_72",
        warmup=72 + lag + 1,
        unit="-1 to 1",
        description=f"Correlation of 72 log returns with those {count_of_bars(lag)} before.",
        formula=lambda x: correlation(log_returns(x["close"])[lag:], log_returns(x["close"])[:-lag], 72),
    )


def _fast_k(x: Block, length: int) -> FloatArray:
    return position(x["close"], lowest(x["low"], length), highest(x["high"], length))


def _mean_to_deviation(moves: FloatArray, length: int) -> FloatArray:
    spread = deviation(moves, length)
    return mean(moves, length) / np.where(spread > 1e-12, spread, np.nan)


def _macd_histogram(x: Block) -> FloatArray:
    line, signal = smoothing.macd(x["close"])
    return ratio(line - signal, x["close"])


def _commodity_channel(x: Block) -> FloatArray:
    typical = (x["high"] + x["low"] + x["close"]) / 3.0
    view = windows(typical, 20)
    residual = view - (view.sum(axis=1) / 20)[:, None]
    spread = np.abs(residual).sum(axis=1) / 20
    found: FloatArray = residual[:, -1] / (0.015 * np.where(spread > 1e-9 * view[:, -1], spread, np.nan))
    return found


def _trix(x: Block) -> FloatArray:
    smooth = smoothing.ema(x["close"], 15, times=3)
    before = smoothing.ema(x["close"][:-1], 15, times=3)
    return difference(ratio(smooth, before), np.ones(len(before)))


def _true_strength(x: Block) -> FloatArray:
    moves = np.diff(x["close"])
    return 100.0 * smoothing.ema(moves, 13, times=2) / smoothing.ema(np.abs(moves), 13, times=2)


def _ultimate(x: Block) -> FloatArray:
    close = x["close"]
    pressure = close[1:] - np.minimum(x["low"][1:], close[:-1])
    reach = smoothing.true_range(x["high"], x["low"], close)
    short, middle, long = (ratio(total(pressure, length), total(reach, length)) for length in (7, 14, 28))
    return 100.0 * (4.0 * short[-len(long) :] + 2.0 * middle[-len(long) :] + long) / 7.0


def _aroon(x: Block) -> FloatArray:
    since_high = windows(x["high"], 26)[:, ::-1].argmax(axis=1)
    since_low = windows(x["low"], 26)[:, ::-1].argmin(axis=1)
    found: FloatArray = 4.0 * (since_low - since_high)
    return found


FEATURES = (
    *map(_rsi, (7, 14, 28)),
    _feature(
        name="stochastic_k",
        warmup=16,
        unit="0 to 100",
        description="Slow stochastic: close within the range of 14 bars, mean of 3.",
        formula=lambda x: 100.0 * mean(_fast_k(x, 14), 3),
    ),
    _feature(
        name="stochastic_d",
        warmup=18,
        unit="0 to 100",
        description="Mean of the last 3 values of the slow stochastic.",
        formula=lambda x: 100.0 * mean(mean(_fast_k(x, 14), 3), 3),
    ),
    *map(_williams, (14, 48)),
    _feature(
        name="macd_fraction",
        warmup=WINDOW,
        unit="fraction",
        description="MACD line (12, 26) over the close.",
        formula=lambda x: ratio(smoothing.macd(x["close"])[0], x["close"]),
    ),
    _feature(
        name="macd_signal_fraction",
        warmup=WINDOW,
        unit="fraction",
        description="MACD signal (9) over the close.",
        formula=lambda x: ratio(smoothing.macd(x["close"])[1], x["close"]),
    ),
    _feature(
        name="macd_histogram_fraction",
        warmup=WINDOW,
        unit="fraction",
        description="MACD line less its signal, over the close.",
        formula=_macd_histogram,
    ),
    _feature(
        name="cci_20",
        warmup=20,
        unit="deviations / 0.015",
        description="Commodity channel index: typical price from its mean of 20 bars in mean deviations.",
        formula=_commodity_channel,
    ),
    _feature(
        name="trix_15",
        warmup=WINDOW + 1,
        unit="fraction per bar",
        description="Change of the triple exponential average of 15 bars.",
        formula=_trix,
    ),
    _feature(
        name="true_strength_13",
        warmup=WINDOW + 1,
        unit="-100 to 100",
        description="Twice smoothed change (13, 13) over the twice smoothed size of the change.",
        formula=_true_strength,
    ),
    _feature(
        name="ultimate_oscillator",
        warmup=29,
        unit="0 to 100",
        description="Buying pressure over true range, over 7, 14 and 28 bars, weighted 4, 2, 1.",
        formula=_ultimate,
    ),
    _feature(
        name="aroon_25",
        warmup=26,
        unit="-100 to 100",
        description="Aroon oscillator: how much newer the high of 26 bars is than their low.",
        formula=_aroon,
    ),
    _feature(
        name="acceleration_12",
        warmup=25,
        unit="log fraction",
        description="Log return over 12 bars less that over the 12 before.",
        formula=lambda x: total(log_returns(x["close"])[12:], 12) - total(log_returns(x["close"])[:-12], 12),
    ),
    _feature(
        name="return_zscore_72",
        warmup=73,
        unit="deviations",
        description="The last log return in standard deviations of the last 72, from their mean.",
        formula=lambda x: zscore(log_returns(x["close"]), 72),
    ),
    *map(_trend_to_noise, (24, 72, 168)),
    *map(_autocorrelation, (1, 2, 24)),
)
"""The group, in the order of the vector."""

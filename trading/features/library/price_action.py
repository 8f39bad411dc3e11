"""Price action: what the last bars did, without any smoothing."""

from functools import partial

import numpy as np

from trading.features.feature import Block, Feature, Group, Input, count_of_bars
from trading.features.rolling import distance, highest, lowest, mean, position, ratio, windows
from trading.marketdata import FloatArray

_feature = partial(Feature, group=Group.PRICE_ACTION, inputs=(Input.BARS,))


def _return(length: int) -> Feature:
    return _feature(
        name=f"return_{length}",
        warmup=length + 1,
        unit="fraction",
        description=f"Return of the close over {count_of_bars(length)}.",
        formula=lambda x: x["close"][length:] / x["close"][:-length] - 1.0,
    )


def _drawdown(length: int) -> Feature:
    return _feature(
        name=f"drawdown_{length}",
        warmup=length,
        unit="fraction",
        description=f"Close below the highest high of {length} bars; 0 or negative.",
        formula=lambda x: distance(x["close"], highest(x["high"], length)),
    )


def _rally(length: int) -> Feature:
    return _feature(
        name=f"rally_{length}",
        warmup=length,
        unit="fraction",
        description=f"Close above the lowest low of {length} bars; 0 or positive.",
        formula=lambda x: distance(x["close"], lowest(x["low"], length)),
    )


def _channel_position(length: int) -> Feature:
    return _feature(
        name=f"channel_position_{length}",
        warmup=length + 1,
        unit="0 to 1 inside",
        description=f"Close within the range of the {length} bars before it; outside of 0 to 1 it is a breakout.",
        formula=lambda x: position(x["close"], lowest(x["low"][:-1], length), highest(x["high"][:-1], length)),
    )


def _streak(x: Block) -> FloatArray:
    signs = windows(np.sign(np.diff(x["close"])), 12)[:, ::-1]
    same = np.logical_and.accumulate(signs == signs[:, :1], axis=1)
    found: FloatArray = same.sum(axis=1) * signs[:, 0]
    return found


FEATURES = (
    *map(_return, (1, 3, 6, 12, 24, 72, 168)),
    *map(_drawdown, (24, 168)),
    *map(_rally, (24, 168)),
    *map(_channel_position, (24, 48, 168)),
    _feature(
        name="body",
        warmup=1,
        unit="-1 to 1",
        description="Close less open as a share of the bar's range.",
        formula=lambda x: (x["close"] - x["open"]) / (x["high"] - x["low"]),
    ),
    _feature(
        name="upper_shadow",
        warmup=1,
        unit="0 to 1",
        description="Range above open and close as a share of the bar's range.",
        formula=lambda x: (x["high"] - np.maximum(x["open"], x["close"])) / (x["high"] - x["low"]),
    ),
    _feature(
        name="lower_shadow",
        warmup=1,
        unit="0 to 1",
        description="Range below open and close as a share of the bar's range.",
        formula=lambda x: (np.minimum(x["open"], x["close"]) - x["low"]) / (x["high"] - x["low"]),
    ),
    _feature(
        name="close_location",
        warmup=1,
        unit="0 to 1",
        description="Where the close lies between the bar's low and its high.",
        formula=lambda x: (x["close"] - x["low"]) / (x["high"] - x["low"]),
    ),
    _feature(
        name="range",
        warmup=1,
        unit="fraction",
        description="High less low as a fraction of the close.",
        formula=lambda x: (x["high"] - x["low"]) / x["close"],
    ),
    _feature(
        name="range_ratio_24",
        warmup=24,
        unit="ratio",
        description="The bar's range over the mean range of 24 bars.",
        formula=lambda x: ratio(x["high"] - x["low"], mean(x["high"] - x["low"], 24)),
    ),
    _feature(
        name="gap",
        warmup=2,
        unit="fraction",
        description="Open against the close before it.",
        formula=lambda x: x["open"][1:] / x["close"][:-1] - 1.0,
    ),
    _feature(
        name="rising_share_24",
        warmup=25,
        unit="0 to 1",
        description="Share of the last 24 bars that closed above the bar before.",
        formula=lambda x: mean((np.diff(x["close"]) > 0).astype(np.float64), 24),
    ),
    _feature(
        name="streak",
        warmup=13,
        unit="bars, -12 to 12",
        description="Bars in a row that closed in the direction of the last, signed by it; counts to 12.",
        formula=_streak,
    ),
    _feature(
        name="bars_since_high_48",
        warmup=48,
        unit="bars, 0 to 47",
        description="Bars since the highest high of 48; the newest counts where there are several.",
        formula=lambda x: windows(x["high"], 48)[:, ::-1].argmax(axis=1).astype(np.float64),
    ),
    _feature(
        name="bars_since_low_48",
        warmup=48,
        unit="bars, 0 to 47",
        description="Bars since the lowest low of 48; the newest counts where there are several.",
        formula=lambda x: windows(x["low"], 48)[:, ::-1].argmin(axis=1).astype(np.float64),
    ),
)
"""The group, in the order of the vector."""

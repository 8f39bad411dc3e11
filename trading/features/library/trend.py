"""Trend: where the price stands against its averages, and how straight its way was."""

from functools import partial

import numpy as np

from trading.features import smoothing
from trading.features.feature import Block, Feature, Group, Input
from trading.features.indicators import WINDOW
from trading.features.rolling import (
    aligned,
    difference,
    distance,
    highest,
    line_fit,
    log_returns,
    lowest,
    mean,
    ratio,
    slope,
    total,
)
from trading.marketdata import FloatArray

_feature = partial(Feature, group=Group.TREND, inputs=(Input.BARS,))


def _simple(length: int) -> Feature:
    return _feature(
        name=f"sma_{length}_distance",
        warmup=length,
        unit="fraction",
        description=f"Close above the mean close of {length} bars.",
        formula=lambda x: distance(x["close"], mean(x["close"], length)),
    )


def _exponential(span: int) -> Feature:
    return _feature(
        name=f"ema_{span}_distance",
        warmup=WINDOW,
        unit="fraction",
        description=f"Close above the exponential average of {span} bars.",
        formula=lambda x: distance(x["close"], smoothing.ema(x["close"], span)),
    )


def _named(name: str, words: str, warmup: int) -> Feature:
    return _feature(
        name=f"{name.lower()}_20_distance",
        warmup=warmup,
        unit="fraction",
        description=f"Close above the {words} average of 20 bars.",
        formula=lambda x: distance(x["close"], smoothing.average(x["close"], name, 20, warmup)),
    )


def _slope(length: int) -> Feature:
    return _feature(
        name=f"slope_{length}",
        warmup=length,
        unit="log fraction per bar",
        description=f"Slope of the least-squares line through the log close of {length} bars.",
        formula=lambda x: slope(np.log(x["close"]), length),
    )


def _straightness(length: int) -> Feature:
    return _feature(
        name=f"line_fit_{length}",
        warmup=length,
        unit="0 to 1",
        description=f"Share of the variance of the log close of {length} bars that their line explains.",
        formula=lambda x: line_fit(np.log(x["close"]), length),
    )


def _efficiency(length: int) -> Feature:
    return _feature(
        name=f"efficiency_{length}",
        warmup=length + 1,
        unit="0 to 1",
        description=f"Distance covered in {length} bars over the way walked (Kaufman).",
        formula=lambda x: (
            np.abs(x["close"][length:] - x["close"][:-length]) / total(np.abs(np.diff(x["close"])), length)
        ),
    )


def _variance_ratio(span: int) -> Feature:
    return _feature(
        name=f"variance_ratio_{span}",
        warmup=169,
        unit="ratio",
        description=f"Variance of {span}-bar log returns over {span} times that of one bar, over 168 bars "
        "(Lo and MacKinlay 1988); 1 for a random walk, above it for a trend.",
        formula=lambda x: _spread_growth(x, span),
    )


def _spread_growth(x: Block, span: int) -> FloatArray:
    moves = log_returns(x["close"])
    longer = total(moves, span)
    single = mean(moves * moves, 168)
    return ratio(mean(longer * longer, 168 - span + 1), span * np.where(single > 1e-20, single, np.nan))


def _midpoint(x: Block, length: int) -> FloatArray:
    return (highest(x["high"], length) + lowest(x["low"], length)) / 2.0


def _cloud(x: Block) -> tuple[FloatArray, FloatArray]:
    """The two edges of the Ichimoku cloud at the last bar: drawn 26 bars ago, so 26 bars are left out."""
    fast, slow = aligned(_midpoint(x, 9), _midpoint(x, 26))
    return ((fast + slow) / 2.0)[:-26], _midpoint(x, 52)[:-26]


def _cloud_position(x: Block) -> FloatArray:
    first, second = aligned(*_cloud(x))
    close = x["close"][-len(first) :]
    upper, lower = np.maximum(first, second), np.minimum(first, second)
    return (np.maximum(close - upper, 0.0) - np.maximum(lower - close, 0.0)) / close


def _cloud_thickness(x: Block) -> FloatArray:
    return ratio(difference(*_cloud(x)), x["close"])


def _choppiness(x: Block) -> FloatArray:
    walked = total(smoothing.true_range(x["high"], x["low"], x["close"]), 14)
    found: FloatArray = 100.0 * np.log10(ratio(walked, highest(x["high"], 14) - lowest(x["low"], 14))) / np.log10(14)
    return found


def _vortex(x: Block) -> FloatArray:
    up = np.abs(x["high"][1:] - x["low"][:-1])
    down = np.abs(x["low"][1:] - x["high"][:-1])
    return total(up - down, 14) / total(smoothing.true_range(x["high"], x["low"], x["close"]), 14)


FEATURES = (
    *map(_simple, (10, 20, 50, 100, 200)),
    *map(_exponential, (12, 26, 50)),
    _named("WMA", "linearly weighted", 20),
    _named("DEMA", "double exponential", WINDOW),
    _named("TEMA", "triple exponential", WINDOW),
    _named("TRIMA", "triangular", 20),
    _feature(
        name="sma_cross_20_50",
        warmup=50,
        unit="fraction",
        description="Mean close of 20 bars above that of 50.",
        formula=lambda x: distance(mean(x["close"], 20), mean(x["close"], 50)),
    ),
    _feature(
        name="sma_cross_50_200",
        warmup=200,
        unit="fraction",
        description="Mean close of 50 bars above that of 200.",
        formula=lambda x: distance(mean(x["close"], 50), mean(x["close"], 200)),
    ),
    _feature(
        name="adx_14",
        warmup=WINDOW,
        unit="0 to 100",
        description="Average directional index of 14 bars: strength of the trend, whichever way.",
        formula=lambda x: smoothing.adx(x["high"], x["low"], x["close"], 14),
    ),
    _feature(
        name="plus_di_14",
        warmup=WINDOW,
        unit="0 to 100",
        description="Plus directional indicator of 14 bars.",
        formula=lambda x: smoothing.directional(x["high"], x["low"], x["close"], 14)[0],
    ),
    _feature(
        name="minus_di_14",
        warmup=WINDOW,
        unit="0 to 100",
        description="Minus directional indicator of 14 bars.",
        formula=lambda x: smoothing.directional(x["high"], x["low"], x["close"], 14)[1],
    ),
    _feature(
        name="ichimoku_conversion_distance",
        warmup=9,
        unit="fraction",
        description="Close above the middle of the range of 9 bars (tenkan).",
        formula=lambda x: distance(x["close"], _midpoint(x, 9)),
    ),
    _feature(
        name="ichimoku_base_distance",
        warmup=26,
        unit="fraction",
        description="Close above the middle of the range of 26 bars (kijun).",
        formula=lambda x: distance(x["close"], _midpoint(x, 26)),
    ),
    _feature(
        name="ichimoku_cloud_position",
        warmup=78,
        unit="fraction",
        description="Close above the upper edge of the cloud or, negative, below the lower; 0 inside.",
        formula=_cloud_position,
    ),
    _feature(
        name="ichimoku_cloud_thickness",
        warmup=78,
        unit="fraction",
        description="First leading span less the second, over the close: positive in a rising cloud.",
        formula=_cloud_thickness,
    ),
    *map(_slope, (24, 72, 168)),
    *map(_straightness, (24, 72)),
    *map(_efficiency, (24, 72)),
    *map(_variance_ratio, (4, 24)),
    _feature(
        name="choppiness_14",
        warmup=15,
        unit="0 to 100",
        description="Way walked over range covered in 14 bars, on a log scale: high when nothing leads anywhere.",
        formula=_choppiness,
    ),
    _feature(
        name="vortex_14",
        warmup=15,
        unit="-1 to 1",
        description="Upward less downward movement between bars over the true range of 14 bars.",
        formula=_vortex,
    ),
)
"""The group, in the order of the vector."""

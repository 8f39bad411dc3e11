"""Volatility: how far prices move, per bar, and how that is distributed."""

from functools import partial

import numpy as np

from trading.features import smoothing
from trading.features.feature import Block, Feature, Group, Input
from trading.features.indicators import WINDOW
from trading.features.rolling import (
    centred,
    deviation,
    difference,
    highest,
    log_returns,
    mean,
    position,
    product,
    ratio,
    total,
    weighted,
    windows,
    zscore,
)
from trading.marketdata import FloatArray

_feature = partial(Feature, group=Group.VOLATILITY, inputs=(Input.BARS,))
_EWMA_WEIGHTS = 0.94 ** np.arange(WINDOW - 2, -1, -1.0)
_EWMA_WEIGHTS /= _EWMA_WEIGHTS.sum()


def _close_to_close(length: int) -> Feature:
    return _feature(
        name=f"volatility_{length}",
        warmup=length + 1,
        unit="per bar",
        description=f"Sample standard deviation of the last {length} log returns.",
        formula=lambda x: deviation(log_returns(x["close"]), length),
    )


def _parkinson(length: int) -> Feature:
    return _feature(
        name=f"parkinson_{length}",
        warmup=length,
        unit="per bar",
        description=f"Volatility from the high and low of {length} bars (Parkinson 1980).",
        formula=lambda x: np.sqrt(mean(np.log(x["high"] / x["low"]) ** 2, length) / (4 * np.log(2))),
    )


def _garman_klass(length: int) -> Feature:
    return _feature(
        name=f"garman_klass_{length}",
        warmup=length,
        unit="per bar",
        description=f"Volatility from open, high, low and close of {length} bars (Garman and Klass 1980).",
        formula=lambda x: np.sqrt(
            mean(
                0.5 * np.log(x["high"] / x["low"]) ** 2 - (2 * np.log(2) - 1) * np.log(x["close"] / x["open"]) ** 2,
                length,
            )
        ),
    )


def _yang_zhang(length: int) -> Feature:
    return _feature(
        name=f"yang_zhang_{length}",
        warmup=length + 1,
        unit="per bar",
        description=f"Volatility of {length} bars with gaps and without drift (Yang and Zhang 2000).",
        formula=lambda x: _gaps_and_ranges(x, length),
    )


def _gaps_and_ranges(x: Block, length: int) -> FloatArray:
    overnight = np.log(x["open"][1:] / x["close"][:-1])
    inside = np.log(x["close"] / x["open"])[1:]
    weight = 0.34 / (1.34 + (length + 1) / (length - 1))
    ranges = mean(_rogers_satchell(x)[1:], length)
    return np.sqrt(deviation(overnight, length) ** 2 + weight * deviation(inside, length) ** 2 + (1 - weight) * ranges)


def _rogers_satchell(x: Block) -> FloatArray:
    up, down, close = (np.log(x[column] / x["open"]) for column in ("high", "low", "close"))
    found: FloatArray = up * (up - close) + down * (down - close)
    return found


def _moment(moves: FloatArray, length: int, power: int) -> FloatArray:
    residual = centred(moves, length)
    squared = residual * residual
    variance = squared.sum(axis=1) / length
    raised = squared * (residual if power == 3 else squared)
    found: FloatArray = (raised.sum(axis=1) / length) / np.where(variance > 1e-20, variance, np.nan) ** (power / 2)
    return found


def _bollinger(x: Block) -> tuple[FloatArray, FloatArray]:
    """Lower and upper band: two deviations of the last 20 closes around their mean."""
    middle = mean(x["close"], 20)
    reach = 2.0 * deviation(x["close"], 20) * np.sqrt(19 / 20)
    return middle - reach, middle + reach


def _keltner(x: Block) -> FloatArray:
    middle = smoothing.ema(x["close"], 20)
    reach = 2.0 * smoothing.atr(x["high"], x["low"], x["close"], 14)
    return position(x["close"], middle - reach, middle + reach)


def _one_sided(x: Block, sign: float) -> FloatArray:
    return np.sqrt(mean(np.maximum(sign * log_returns(x["close"]), 0.0) ** 2, 72))


def _jump_share(x: Block) -> FloatArray:
    """One less the bipower share of the squared moves (Barndorff-Nielsen and Shephard 2004), not below 0."""
    moves = log_returns(x["close"])
    squared = total(moves * moves, 72)
    smooth = np.pi / 2 * total(np.abs(moves[1:]) * np.abs(moves[:-1]), 71) * (72 / 71)
    return np.maximum(1.0 - ratio(smooth, np.where(squared > 1e-20, squared, np.nan)), 0.0)


def _ulcer(x: Block) -> FloatArray:
    view = windows(x["close"], 72)
    below = view / np.maximum.accumulate(view, axis=1) - 1.0
    found: FloatArray = np.sqrt(np.einsum("ij,ij->i", below, below) / 72)
    return found


def _true_range(x: Block) -> FloatArray:
    return ratio(smoothing.true_range(x["high"], x["low"], x["close"]), x["close"])


FEATURES = (
    *map(_close_to_close, (6, 24, 72, 168)),
    _feature(
        name="atr_14_fraction",
        warmup=WINDOW,
        unit="fraction",
        description="Average true range of 14 bars (Wilder) over the close.",
        formula=lambda x: ratio(smoothing.atr(x["high"], x["low"], x["close"], 14), x["close"]),
    ),
    _feature(
        name="true_range_fraction",
        warmup=2,
        unit="fraction",
        description="True range of the bar over its close.",
        formula=_true_range,
    ),
    *map(_parkinson, (24, 72)),
    *map(_garman_klass, (24, 72)),
    *map(_yang_zhang, (24, 72)),
    _feature(
        name="ewma_volatility",
        warmup=WINDOW,
        unit="per bar",
        description="Root of the exponentially weighted mean of squared log returns, 0.94 a bar (RiskMetrics 1996).",
        formula=lambda x: np.sqrt(weighted(log_returns(x["close"]) ** 2, _EWMA_WEIGHTS)),
    ),
    _feature(
        name="volatility_ratio_24_168",
        warmup=169,
        unit="ratio",
        description="volatility_24 over volatility_168.",
        formula=lambda x: ratio(deviation(log_returns(x["close"]), 24), deviation(log_returns(x["close"]), 168)),
    ),
    _feature(
        name="volatility_of_volatility_72",
        warmup=96,
        unit="per bar",
        description="Standard deviation of the last 72 values of volatility_24.",
        formula=lambda x: deviation(deviation(log_returns(x["close"]), 24), 72),
    ),
    _feature(
        name="downside_volatility_72",
        warmup=73,
        unit="per bar",
        description="Root mean square of the falls among the last 72 log returns, rises counted as 0.",
        formula=lambda x: _one_sided(x, -1.0),
    ),
    _feature(
        name="upside_volatility_72",
        warmup=73,
        unit="per bar",
        description="Root mean square of the rises among the last 72 log returns, falls counted as 0.",
        formula=lambda x: _one_sided(x, 1.0),
    ),
    _feature(
        name="skewness_72",
        warmup=73,
        unit="number",
        description="Skewness of the last 72 log returns.",
        formula=lambda x: _moment(log_returns(x["close"]), 72, 3),
    ),
    _feature(
        name="kurtosis_72",
        warmup=73,
        unit="number",
        description="Kurtosis of the last 72 log returns; 3 for a normal distribution.",
        formula=lambda x: _moment(log_returns(x["close"]), 72, 4),
    ),
    _feature(
        name="largest_move_72",
        warmup=73,
        unit="log fraction",
        description="Largest of the last 72 log returns by size.",
        formula=lambda x: highest(np.abs(log_returns(x["close"])), 72),
    ),
    _feature(
        name="jump_share_72",
        warmup=73,
        unit="0 to 1",
        description="Share of the squared moves of 72 bars that jumps account for, by bipower variation.",
        formula=_jump_share,
    ),
    _feature(
        name="ulcer_index_72",
        warmup=72,
        unit="fraction",
        description="Root mean square of how far each of 72 closes lies below the highest before it.",
        formula=_ulcer,
    ),
    _feature(
        name="bollinger_position_20",
        warmup=20,
        unit="0 to 1 inside",
        description="Close between the lower (0) and upper (1) Bollinger band of 20 bars, 2 deviations wide.",
        formula=lambda x: position(x["close"], *_bollinger(x)),
    ),
    _feature(
        name="bollinger_width_20",
        warmup=20,
        unit="fraction",
        description="Distance of the Bollinger bands over their middle.",
        formula=lambda x: ratio(difference(*reversed(_bollinger(x))), mean(x["close"], 20)),
    ),
    _feature(
        name="keltner_position_20",
        warmup=WINDOW,
        unit="0 to 1 inside",
        description="Close in the channel of 2 average true ranges (14) around the exponential average of 20 bars.",
        formula=_keltner,
    ),
    _feature(
        name="range_zscore_72",
        warmup=72,
        unit="deviations",
        description="The bar's log range in standard deviations of the last 72, from their mean.",
        formula=lambda x: zscore(np.log(x["high"] / x["low"]), 72),
    ),
    _feature(
        name="volume_weighted_move_24",
        warmup=25,
        unit="per bar",
        description="Mean size of 24 log returns, weighted by the volume of their bars.",
        formula=lambda x: ratio(
            total(product(np.abs(log_returns(x["close"])), x["volume"]), 24), total(x["volume"], 24)
        ),
    ),
)
"""The group, in the order of the vector."""

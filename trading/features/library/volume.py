"""Volume: how much was traded, and on which side of the price."""

from functools import partial

import numpy as np

from trading.features.feature import Block, Feature, Group, Input
from trading.features.rolling import (
    correlation,
    deviation,
    distance,
    highest,
    log_returns,
    mean,
    product,
    ratio,
    slope,
    total,
    zscore,
)
from trading.marketdata import FloatArray

_feature = partial(Feature, group=Group.VOLUME, inputs=(Input.BARS,))


def _typical(x: Block) -> FloatArray:
    return (x["high"] + x["low"] + x["close"]) / 3.0


def _vwap(length: int) -> Feature:
    return _feature(
        name=f"vwap_{length}_distance",
        warmup=length,
        unit="fraction",
        description=f"Close above the volume-weighted typical price of {length} bars.",
        formula=lambda x: distance(x["close"], total(_typical(x) * x["volume"], length) / total(x["volume"], length)),
    )


def _relative(length: int) -> Feature:
    return _feature(
        name=f"volume_ratio_{length}",
        warmup=length,
        unit="ratio",
        description=f"Volume over the mean volume of {length} bars.",
        formula=lambda x: ratio(x["volume"], mean(x["volume"], length)),
    )


def _signed_share(length: int) -> Feature:
    return _feature(
        name=f"signed_volume_{length}",
        warmup=length + 1,
        unit="-1 to 1",
        description=f"Volume of rising less that of falling bars over all volume of {length} bars "
        "(on-balance volume, scaled).",
        formula=lambda x: ratio(
            total(product(np.sign(np.diff(x["close"])), x["volume"]), length), total(x["volume"], length)
        ),
    )


def _located(x: Block) -> FloatArray:
    """Volume times where the bar closed in its range, from -1 at the low to 1 at the high."""
    reach = x["high"] - x["low"]
    where = (2.0 * x["close"] - x["high"] - x["low"]) / np.where(reach > 0, reach, np.inf)
    return where * x["volume"]


def _money_flow(x: Block) -> FloatArray:
    typical = _typical(x)
    flow, direction = (typical * x["volume"])[1:], np.diff(typical)
    rising, falling = total(np.where(direction > 0, flow, 0.0), 14), total(np.where(direction < 0, flow, 0.0), 14)
    return 100.0 * rising / (rising + falling)


FEATURES = (
    *map(_relative, (24, 168)),
    _feature(
        name="volume_zscore_72",
        warmup=72,
        unit="deviations",
        description="Log of 1 plus volume in standard deviations of the last 72, from their mean.",
        formula=lambda x: zscore(np.log1p(x["volume"]), 72),
    ),
    _feature(
        name="volume_trend_24_168",
        warmup=168,
        unit="ratio",
        description="Mean volume of 24 bars over that of 168.",
        formula=lambda x: ratio(mean(x["volume"], 24), mean(x["volume"], 168)),
    ),
    _feature(
        name="volume_slope_24",
        warmup=24,
        unit="per bar",
        description="Slope of the line through the volume of 24 bars over their mean.",
        formula=lambda x: slope(x["volume"], 24) / mean(x["volume"], 24),
    ),
    _feature(
        name="volume_variation_72",
        warmup=72,
        unit="ratio",
        description="Standard deviation of the volume of 72 bars over its mean.",
        formula=lambda x: deviation(x["volume"], 72) / mean(x["volume"], 72),
    ),
    _feature(
        name="volume_peak_share_24",
        warmup=24,
        unit="0 to 1",
        description="Share of the volume of 24 bars that the busiest of them had.",
        formula=lambda x: highest(x["volume"], 24) / total(x["volume"], 24),
    ),
    _feature(
        name="log_turnover_24",
        warmup=24,
        unit="log quote currency",
        description="Log of the mean value traded in a bar, over 24 bars.",
        formula=lambda x: np.log(mean(x["volume"] * x["close"], 24)),
    ),
    *map(_vwap, (24, 72, 168)),
    *map(_signed_share, (24, 72)),
    _feature(
        name="chaikin_money_flow_20",
        warmup=20,
        unit="-1 to 1",
        description="Volume by where each bar closed in its range, over all volume of 20 bars.",
        formula=lambda x: total(_located(x), 20) / total(x["volume"], 20),
    ),
    _feature(
        name="money_flow_index_14",
        warmup=15,
        unit="0 to 100",
        description="Value traded in bars of rising typical price over that of rising and falling ones, 14 bars.",
        formula=_money_flow,
    ),
    _feature(
        name="force_13",
        warmup=14,
        unit="fraction",
        description="Mean of 13 log returns, weighted by the volume of their bars (Elder's force, scaled).",
        formula=lambda x: ratio(total(product(log_returns(x["close"]), x["volume"]), 13), total(x["volume"], 13)),
    ),
    _feature(
        name="volume_move_correlation_72",
        warmup=73,
        unit="-1 to 1",
        description="Correlation of volume and size of the log return over 72 bars.",
        formula=lambda x: correlation(np.abs(log_returns(x["close"])), np.log1p(x["volume"]), 72),
    ),
    _feature(
        name="volume_return_correlation_72",
        warmup=73,
        unit="-1 to 1",
        description="Correlation of volume and log return over 72 bars.",
        formula=lambda x: correlation(log_returns(x["close"]), np.log1p(x["volume"]), 72),
    ),
)
"""The group, in the order of the vector."""

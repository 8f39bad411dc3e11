"""Funding and open interest of a perpetual: what holding costs, and how much is held."""

from functools import partial

import numpy as np

from trading.features.feature import Feature, Group, Input, count_of_bars
from trading.features.rolling import correlation, log_returns, mean, ratio, zscore

_of_funding = partial(Feature, group=Group.FUNDING, inputs=(Input.FUNDING,))
_of_interest = partial(Feature, group=Group.FUNDING, inputs=(Input.OPEN_INTEREST,))


def _mean(length: int) -> Feature:
    return _of_funding(
        name=f"funding_mean_{length}",
        warmup=length,
        unit="fraction per settlement",
        description=f"Mean of the standing funding rate over {length} bars.",
        formula=lambda x: mean(x["funding_rate"], length),
    )


def _interest_change(length: int) -> Feature:
    return _of_interest(
        name=f"open_interest_change_{length}",
        warmup=length + 1,
        unit="fraction",
        description=f"Change of open interest over {count_of_bars(length)}.",
        formula=lambda x: x["open_interest"][length:] / x["open_interest"][:-length] - 1.0,
    )


FEATURES = (
    _of_funding(
        name="funding_rate",
        warmup=1,
        unit="fraction per settlement",
        description="The funding rate that was settled last; longs pay when it is positive.",
        formula=lambda x: x["funding_rate"],
    ),
    *map(_mean, (24, 168)),
    _of_funding(
        name="funding_change_24",
        warmup=25,
        unit="fraction per settlement",
        description="Standing funding rate less that of 24 bars before.",
        formula=lambda x: x["funding_rate"][24:] - x["funding_rate"][:-24],
    ),
    _of_funding(
        name="funding_zscore_168",
        warmup=168,
        unit="deviations",
        description="Standing funding rate in standard deviations of 168 bars, from their mean.",
        formula=lambda x: zscore(x["funding_rate"], 168),
    ),
    _of_funding(
        name="funding_positive_168",
        warmup=168,
        unit="0 to 1",
        description="Share of 168 bars in which longs paid.",
        formula=lambda x: mean((x["funding_rate"] > 0).astype(np.float64), 168),
    ),
    *map(_interest_change, (1, 24)),
    _of_interest(
        name="open_interest_zscore_168",
        warmup=168,
        unit="deviations",
        description="Open interest in standard deviations of 168 bars, from their mean.",
        formula=lambda x: zscore(x["open_interest"], 168),
    ),
    _of_interest(
        name="open_interest_return_correlation_72",
        inputs=(Input.OPEN_INTEREST, Input.BARS),
        warmup=73,
        unit="-1 to 1",
        description="Correlation of the log changes of open interest and price over 72 bars.",
        formula=lambda x: correlation(log_returns(x["open_interest"]), log_returns(x["close"]), 72),
    ),
    _of_interest(
        name="open_interest_turnover_24",
        inputs=(Input.OPEN_INTEREST, Input.BARS),
        warmup=24,
        unit="ratio",
        description="Mean volume of 24 bars over open interest.",
        formula=lambda x: ratio(mean(x["volume"], 24), x["open_interest"]),
    ),
)
"""The group, in the order of the vector."""

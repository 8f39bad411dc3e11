"""Cross-asset: the instrument against the market's reference instrument and against all others."""

from functools import partial

import numpy as np

from trading.features.feature import Block, Feature, Group, Input, count_of_bars
from trading.features.rolling import (
    beta,
    correlation,
    deviation,
    difference,
    log_returns,
    mean,
    product,
    total,
    zscore,
)
from trading.marketdata import FloatArray

_to_reference = partial(Feature, group=Group.CROSS_ASSET, inputs=(Input.BARS, Input.REFERENCE))
_to_peers = partial(Feature, group=Group.CROSS_ASSET, inputs=(Input.BARS, Input.PEERS))


def _moves(x: Block) -> tuple[FloatArray, FloatArray]:
    return log_returns(x["close"]), log_returns(x["reference_close"])


def _reference_return(length: int) -> Feature:
    return _to_reference(
        name=f"reference_return_{length}",
        inputs=(Input.REFERENCE,),
        warmup=length + 1,
        unit="fraction",
        description=f"Return of the reference instrument over {count_of_bars(length)}.",
        formula=lambda x: x["reference_close"][length:] / x["reference_close"][:-length] - 1.0,
    )


def _relative_strength(length: int) -> Feature:
    return _to_reference(
        name=f"relative_strength_{length}",
        warmup=length + 1,
        unit="log fraction",
        description=f"Log return less that of the reference over {length} bars.",
        formula=lambda x: total(difference(*_moves(x)), length),
    )


def _correlation(length: int) -> Feature:
    return _to_reference(
        name=f"reference_correlation_{length}",
        warmup=length + 1,
        unit="-1 to 1",
        description=f"Correlation of log returns with the reference over {length} bars.",
        formula=lambda x: correlation(*_moves(x), length),
    )


def _beta(length: int) -> Feature:
    return _to_reference(
        name=f"reference_beta_{length}",
        warmup=length + 1,
        unit="ratio",
        description=f"Slope of log returns on those of the reference over {length} bars.",
        formula=lambda x: beta(*_moves(x), length),
    )


def _residual(x: Block) -> FloatArray:
    own, reference = _moves(x)
    return difference(own, product(beta(own, reference, 72), reference))


def _lead(x: Block) -> FloatArray:
    own, reference = _moves(x)
    return correlation(own[1:], reference[:-1], 72)


def _spread_zscore(x: Block) -> FloatArray:
    return zscore(np.log(x["close"] / x["reference_close"]), 168)


def _over_peers(length: int) -> Feature:
    return _to_peers(
        name=f"over_peers_{length}",
        warmup=length + 1,
        unit="log fraction",
        description=f"Log return less the mean of the other instruments' over {count_of_bars(length)}.",
        formula=lambda x: total(difference(log_returns(x["close"]), x["peers_return"]), length),
    )


FEATURES = (
    *map(_reference_return, (1, 24)),
    *map(_relative_strength, (24, 168)),
    *map(_correlation, (72, 168)),
    *map(_beta, (72, 168)),
    _to_reference(
        name="reference_residual",
        warmup=73,
        unit="log fraction",
        description="The last log return less reference_beta_72 times that of the reference.",
        formula=_residual,
    ),
    _to_reference(
        name="reference_residual_volatility_72",
        warmup=144,
        unit="per bar",
        description="Standard deviation of the last 72 values of reference_residual.",
        formula=lambda x: deviation(_residual(x), 72),
    ),
    _to_reference(
        name="reference_lead_72",
        warmup=74,
        unit="-1 to 1",
        description="Correlation of log returns with those of the reference one bar before, over 72 bars.",
        formula=_lead,
    ),
    _to_reference(
        name="reference_spread_zscore_168",
        warmup=168,
        unit="deviations",
        description="Log price ratio to the reference in standard deviations of 168 bars, from their mean.",
        formula=_spread_zscore,
    ),
    *map(_over_peers, (1, 24, 168)),
    _to_peers(
        name="peers_return_24",
        inputs=(Input.PEERS,),
        warmup=24,
        unit="log fraction",
        description="Mean log return of the other instruments over 24 bars.",
        formula=lambda x: total(x["peers_return"], 24),
    ),
    _to_peers(
        name="peers_rising",
        inputs=(Input.PEERS,),
        warmup=1,
        unit="0 to 1",
        description="Share of the other instruments that rose in the bar.",
        formula=lambda x: x["peers_rising"],
    ),
    _to_peers(
        name="peers_rising_24",
        inputs=(Input.PEERS,),
        warmup=24,
        unit="0 to 1",
        description="Mean share of the other instruments that rose in a bar, over 24 bars.",
        formula=lambda x: mean(x["peers_rising"], 24),
    ),
    _to_peers(
        name="peers_dispersion_24",
        inputs=(Input.PEERS,),
        warmup=24,
        unit="log fraction",
        description="Mean over 24 bars of the standard deviation across the other instruments' log returns.",
        formula=lambda x: mean(x["peers_dispersion"], 24),
    ),
    _to_peers(
        name="peers_correlation_72",
        warmup=73,
        unit="-1 to 1",
        description="Correlation of log returns with the mean of the other instruments' over 72 bars.",
        formula=lambda x: correlation(log_returns(x["close"]), x["peers_return"], 72),
    ),
)
"""The group, in the order of the vector."""

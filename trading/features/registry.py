"""Every feature of the vector, in its order."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from trading.domain.errors import RequestError
from trading.features.feature import Feature, Group
from trading.features.library import (
    calendar,
    chaos,
    cross_asset,
    funding,
    microstructure,
    momentum,
    price_action,
    sentiment,
    trend,
    volatility,
    volume,
)

FEATURES: tuple[Feature, ...] = (
    *price_action.FEATURES,
    *momentum.FEATURES,
    *volatility.FEATURES,
    *trend.FEATURES,
    *volume.FEATURES,
    *microstructure.FEATURES,
    *sentiment.FEATURES,
    *calendar.FEATURES,
    *cross_asset.FEATURES,
    *funding.FEATURES,
    *chaos.FEATURES,
)
"""The feature vector. A model that was fitted on it names what it used, so features may be added anywhere."""


@cache
def by_name() -> Mapping[str, Feature]:
    """The features by their name."""
    return MappingProxyType({feature.name: feature for feature in FEATURES})


def chosen(names: tuple[str, ...]) -> tuple[Feature, ...]:
    """The features of these names, in their order. Raises RequestError for a name that is not there."""
    known = by_name()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise RequestError(f"there is no feature {unknown[0]!r}; docs/features.md lists the {len(known)} there are")
    return tuple(known[name] for name in names)


def history_bars(features: tuple[Feature, ...] = FEATURES) -> int:
    """How many bars every one of ``features`` is known with, wherever the clock stands."""
    return max((feature.warmup + feature.cadence - 1 for feature in features), default=0)


def groups() -> Mapping[Group, tuple[str, ...]]:
    """The names of each group, in the order of the vector."""
    return {group: tuple(each.name for each in FEATURES if each.group is group) for group in Group}

"""Calendar: where the bar's open stands in the day, the week, the month and the year, in UTC."""

from collections.abc import Callable
from functools import partial

import numpy as np

from trading.features.feature import Block, Feature, Group, Input
from trading.marketdata import FloatArray

_feature = partial(Feature, group=Group.CALENDAR, inputs=(Input.CLOCK,), warmup=1)
_DAY_S = 86_400.0
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday, Monday being 0


def _hour(x: Block) -> FloatArray:
    return x["open_s"] % _DAY_S / 3600.0


def _weekday(x: Block) -> FloatArray:
    return (x["open_s"] / _DAY_S + _EPOCH_WEEKDAY) % 7.0


def _share_of(x: Block, unit: str) -> FloatArray:
    """Share of the month ("M") or the year ("Y") that has passed."""
    at = x["open_s"].astype("datetime64[s]")
    begin = at.astype(f"datetime64[{unit}]")
    length = (begin + 1).astype("datetime64[s]") - begin.astype("datetime64[s]")
    found: FloatArray = (at - begin.astype("datetime64[s]")) / length
    return found


def _circle(name: str, words: str, share: Callable[[Block], FloatArray]) -> tuple[Feature, Feature]:
    return (
        _feature(
            name=f"{name}_sin",
            unit="-1 to 1",
            description=f"Sine of the share of the {words} that has passed.",
            formula=lambda x: np.sin(2 * np.pi * share(x)),
        ),
        _feature(
            name=f"{name}_cos",
            unit="-1 to 1",
            description=f"Cosine of the share of the {words} that has passed.",
            formula=lambda x: np.cos(2 * np.pi * share(x)),
        ),
    )


def _session(name: str, words: str, begin: float, end: float) -> Feature:
    return _feature(
        name=f"session_{name}",
        unit="0 or 1",
        description=f"1 in the {words} hours of a weekday, {begin:g} to {end:g} h UTC.",
        formula=lambda x: ((_hour(x) >= begin) & (_hour(x) < end) & (_weekday(x) < 5)).astype(np.float64),
    )


FEATURES = (
    *_circle("hour", "day", lambda x: _hour(x) / 24.0),
    *_circle("weekday", "week", lambda x: _weekday(x) / 7.0),
    *_circle("month", "month", lambda x: _share_of(x, "M")),
    *_circle("year", "year", lambda x: _share_of(x, "Y")),
    _feature(
        name="weekend",
        unit="0 or 1",
        description="1 on Saturday and Sunday.",
        formula=lambda x: (_weekday(x) >= 5).astype(np.float64),
    ),
    _session("asia", "Asian", 0, 8),
    _session("europe", "European", 7, 16),
    _session("america", "American", 13.5, 20),
    _feature(
        name="hours_to_funding",
        unit="hours, 0 to 8",
        description="Hours from the bar's open to the next settlement of an eight-hour funding schedule.",
        formula=lambda x: 8.0 - _hour(x) % 8.0,
    ),
)
"""The group, in the order of the vector."""

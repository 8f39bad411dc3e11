"""The feature vector of every bar of a frame at once."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from trading.domain.errors import DataError
from trading.features.feature import COLUMNS, Block, Feature, Input
from trading.features.frame import FeatureFrame
from trading.features.registry import FEATURES
from trading.marketdata import FloatArray, IntArray


class FeatureTable:
    """Values of features, shape (features, bars), with their names and the opens of their bars."""

    def __init__(self, features: Sequence[Feature], open_ms: IntArray, values: FloatArray) -> None:
        self.features = tuple(features)
        self.open_ms = open_ms
        self.values = values

    @cached_property
    def _row(self) -> dict[str, int]:
        return {feature.name: row for row, feature in enumerate(self.features)}

    def by_name(self) -> dict[str, FloatArray]:
        """The values of every feature, each of shape (bars,)."""
        return {feature.name: self[feature.name] for feature in self.features}

    def __getitem__(self, name: str) -> FloatArray:
        """The values of one feature, shape (bars,)."""
        found: FloatArray = self.values[self._row[name]]
        return found


def compute(frame: FeatureFrame, features: Sequence[Feature] = FEATURES) -> FeatureTable:
    """The features at each bar of ``frame``; NaN before their warm-up, where an input is missing, or if undefined.

    Each value follows from the ``warmup`` bars that end with its own, so the same bars give the same value in whatever
    frame they stand. A hole in an input starts the warm-up of what reads it anew.
    """
    values = np.full((len(features), len(frame)), np.nan)
    stretches: dict[tuple[Input, ...], list[tuple[int, int]]] = {}
    with np.errstate(all="ignore"):
        for row, feature in enumerate(features):
            if feature.inputs not in stretches:
                stretches[feature.inputs] = _stretches(frame, feature.inputs)
            for begin, end in stretches[feature.inputs]:
                _fill(values[row], frame, feature, begin, end)
    values[~np.isfinite(values)] = np.nan
    return FeatureTable(features, frame.open_ms, values)


def bars_past_cadence(open_ms: int, step_ms: int, cadence: int) -> int:
    """How many bars ago the clock completed ``cadence`` bars, 0 for the bar that completes them."""
    return (open_ms // step_ms + 1) % cadence


def _fill(target: FloatArray, frame: FeatureFrame, feature: Feature, begin: int, end: int) -> None:
    """Writes the values of one stretch of bars."""
    if end <= begin:
        return
    last = end - bars_past_cadence(int(frame.open_ms[end - 1]), frame.step_ms, feature.cadence)
    if last - begin < feature.warmup:
        return
    count = (last - begin - feature.warmup) // feature.cadence + 1
    found = feature.formula(Block(frame.columns, begin, last))
    if len(found) < count:
        raise DataError(f"feature {feature.name} gave {len(found)} values where its warm-up promises {count}")
    first = last - 1 - (count - 1) * feature.cadence
    target[first:end] = np.repeat(found[len(found) - count :], feature.cadence)[: end - first]


def _stretches(frame: FeatureFrame, inputs: tuple[Input, ...]) -> list[tuple[int, int]]:
    """Runs of bars that follow each other and have every input, as (begin, end)."""
    needed = [column for each in inputs for column in COLUMNS[each]]
    if any(column not in frame.columns for column in needed):
        return []
    whole = np.ones(len(frame), bool)
    for column in needed:
        whole &= np.isfinite(frame.columns[column])
    follows = np.ones(len(frame), bool)
    follows[1:] = np.diff(frame.open_ms) == frame.step_ms
    run = np.cumsum(~whole | ~follows)
    rows = np.flatnonzero(whole)
    if not len(rows):
        return []
    breaks = np.flatnonzero((np.diff(rows) > 1) | (np.diff(run[rows]) > 0)) + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(rows, breaks)]

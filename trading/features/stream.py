"""The feature vector bar by bar: the same numbers as over a frame, from what has been seen so far."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trading.domain.errors import DataError
from trading.domain.instants import from_ms
from trading.features.feature import COLUMNS, Block, Feature, Input
from trading.features.frame import FeatureFrame
from trading.features.registry import FEATURES, history_bars
from trading.features.vector import bars_past_cadence
from trading.marketdata import FloatArray

_COLUMN_NAMES = tuple(column for columns in COLUMNS.values() for column in columns)
_ROW = {name: row for row, name in enumerate(_COLUMN_NAMES)}


class FeatureStream:
    """Takes one bar at a time and holds as many as the longest warm-up needs."""

    def __init__(self, step_ms: int, features: Sequence[Feature] = FEATURES) -> None:
        self.features = tuple(features)
        self._step_ms = step_ms
        self._kept = max(1, history_bars(self.features))
        self._bars = np.full((len(_COLUMN_NAMES), 2 * self._kept), np.nan)
        self._columns = dict(zip(_COLUMN_NAMES, self._bars, strict=True))
        self._end = 0
        self._open_ms: int | None = None
        self._unbroken = dict.fromkeys(Input, 0)
        self._standing: dict[str, tuple[int, float]] = {}

    def push(self, open_ms: int, columns: Mapping[str, float]) -> FloatArray:
        """Takes the bar that has just closed and gives the vector at it, in the order of ``features``.

        Columns that are left out are not known. Raises DataError for a bar that does not lie after the last one.
        """
        self._append(open_ms, columns)
        return self.values()

    def extend(self, frame: FeatureFrame) -> None:
        """Takes the bars of ``frame`` without computing anything on the way."""
        newest = frame.rows(max(0, len(frame) - self._kept), len(frame))
        if self._open_ms is None and len(newest):
            self._begin(newest)
            return
        names, columns = list(newest.columns), list(newest.columns.values())
        for row, open_ms in enumerate(newest.open_ms.tolist()):
            self._append(open_ms, {name: float(column[row]) for name, column in zip(names, columns, strict=True)})

    def values(self) -> FloatArray:
        """The vector at the last bar, shape (features,); NaN where :func:`trading.features.vector.compute` has it."""
        found = np.full(len(self.features), np.nan)
        if self._open_ms is None:
            return found
        with np.errstate(all="ignore"):
            for row, feature in enumerate(self.features):
                found[row] = self._value(feature) if feature.cadence == 1 else self._standing_value(feature)
        found[~np.isfinite(found)] = np.nan
        return found

    def _begin(self, frame: FeatureFrame) -> None:
        """Takes the first bars all at once; they are no more than are held."""
        unknown = np.full(len(frame), np.nan)
        for name in _COLUMN_NAMES:
            self._columns[name][: len(frame)] = frame.columns.get(name, unknown)
        self._end, self._open_ms = len(frame), int(frame.open_ms[-1])
        follows = np.diff(frame.open_ms, prepend=frame.open_ms[:1] - frame.step_ms) == frame.step_ms
        for source, names in COLUMNS.items():
            whole = np.isfinite(self._bars[[_ROW[name] for name in names], : len(frame)]).all(axis=0)
            self._unbroken[source] = _run_at_end(whole, follows)

    def _append(self, open_ms: int, columns: Mapping[str, float]) -> None:
        before = self._open_ms
        if before is not None and open_ms < before + self._step_ms:
            raise DataError(
                f"the bar of {from_ms(open_ms).isoformat()} came after that of {from_ms(before).isoformat()}; "
                f"bars must come in order, at least {self._step_ms} ms apart"
            )
        if self._end == self._bars.shape[1]:
            self._bars[:, : self._kept] = self._bars[:, self._kept :]
            self._end = self._kept
        self._bars[:, self._end] = [columns.get(name, math.nan) for name in _COLUMN_NAMES]
        self._end += 1
        follows = before is not None and open_ms == before + self._step_ms
        for source, names in COLUMNS.items():
            whole = all(math.isfinite(columns.get(name, math.nan)) for name in names)
            self._unbroken[source] = (self._unbroken[source] if follows else 0) + 1 if whole else 0
        self._open_ms = open_ms

    def _value(self, feature: Feature, bars_ago: int = 0) -> float:
        if min(self._unbroken[source] for source in feature.inputs) - bars_ago < feature.warmup:
            return math.nan
        end = self._end - bars_ago
        return float(feature.formula(Block(self._columns, end - feature.warmup, end))[-1])

    def _standing_value(self, feature: Feature) -> float:
        """The value measured at the bar that last completed the cadence, measured now unless it is known."""
        assert self._open_ms is not None
        bars_ago = bars_past_cadence(self._open_ms, self._step_ms, feature.cadence)
        measured_ms = self._open_ms - bars_ago * self._step_ms
        unbroken = min(self._unbroken[source] for source in feature.inputs)
        if unbroken - bars_ago < feature.warmup:
            return math.nan
        known_ms, value = self._standing.get(feature.name, (-1, math.nan))
        if known_ms != measured_ms:
            value = self._value(feature, bars_ago)
            self._standing[feature.name] = (measured_ms, value)
        return value


def _run_at_end(whole: NDArray[np.bool_], follows: NDArray[np.bool_]) -> int:
    """How many bars at the end are whole and follow one another; the first of them need not follow another."""
    if not whole[-1]:
        return 0
    holes, breaks = np.flatnonzero(~whole), np.flatnonzero(~follows)
    first = max(int(holes[-1]) + 1 if len(holes) else 0, int(breaks[-1]) if len(breaks) else 0)
    return len(whole) - first


def latest(frame: FeatureFrame, features: Sequence[Feature] = FEATURES) -> dict[str, float | None]:
    """The vector at the last bar of ``frame`` by name; None where it is not known."""
    stream = FeatureStream(frame.step_ms, features)
    stream.extend(frame)
    found = stream.values().tolist()
    return {
        feature.name: None if math.isnan(value) else value
        for feature, value in zip(stream.features, found, strict=True)
    }

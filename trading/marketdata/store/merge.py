"""New bars joined to old ones: each instant once, and what two sources disagree on named."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trading.domain.instants import iso
from trading.marketdata.candles import CandleSeries

COLUMNS = ("open", "high", "low", "close", "volume")

LISTED_CONFLICTS = 100

_ROUNDING = 1e-12
"""Relative difference that two ways of writing one number may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A bar for which the file holds another number than the one that came. ``open_ms`` is when the bar opened."""

    open_ms: int
    column: str
    kept: float
    refused: float

    def to_json(self) -> dict[str, Any]:
        """The conflict as the verbs print it."""
        return {"at": iso(self.open_ms), "column": self.column, "kept": self.kept, "refused": self.refused}


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What became of new bars. ``added`` were not there, ``repeated`` were there already, the same or not.

    ``conflicts`` lists the first 100 differing numbers of repeated bars, ``conflict_bars`` counts all such bars.
    """

    series: CandleSeries
    added: int
    repeated: int
    conflict_bars: int
    conflicts: tuple[Conflict, ...]


def merge(kept: CandleSeries, arriving: CandleSeries) -> Merged:
    """The bars of both in order of time. Where both have one, that of ``kept`` stands.

    Both must be in order, each instant once: what was checked as a series is.
    """
    position = np.searchsorted(kept.open_ms, arriving.open_ms)
    inside = position < len(kept)
    there = np.zeros(len(arriving), np.bool_)
    there[inside] = kept.open_ms[position[inside]] == arriving.open_ms[inside]
    new = ~there
    at = position[new]

    def joined(name: str) -> Any:
        return np.insert(getattr(kept, name), at, getattr(arriving, name)[new])

    conflict_bars, conflicts = _conflicts(kept, arriving, position[there], np.flatnonzero(there))
    return Merged(
        series=replace(
            kept,
            open_ms=joined("open_ms"),
            open=joined("open"),
            high=joined("high"),
            low=joined("low"),
            close=joined("close"),
            volume=joined("volume"),
        ),
        added=int(new.sum()),
        repeated=int(there.sum()),
        conflict_bars=conflict_bars,
        conflicts=conflicts,
    )


def _conflicts(
    kept: CandleSeries, arriving: CandleSeries, rows: np.ndarray, others: np.ndarray
) -> tuple[int, tuple[Conflict, ...]]:
    """How many bars differ, and their numbers; ``rows`` and ``others`` are the rows of the same bar in either."""
    differs = np.stack(
        [
            ~np.isclose(
                getattr(kept, name)[rows], getattr(arriving, name)[others], rtol=_ROUNDING, atol=0.0, equal_nan=True
            )
            for name in COLUMNS
        ]
    )
    listed = [
        Conflict(
            open_ms=int(kept.open_ms[rows[row]]),
            column=COLUMNS[column],
            kept=float(getattr(kept, COLUMNS[column])[rows[row]]),
            refused=float(getattr(arriving, COLUMNS[column])[others[row]]),
        )
        for row, column in np.argwhere(differs.T)[:LISTED_CONFLICTS].tolist()
    ]
    return int(differs.any(axis=0).sum()), tuple(listed)

"""The episodes of one desk as arrays in the order of their decisions, for exact search over what was known by then."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from memory.episode import NEVER_MS, Episode
from memory.state import COMPONENTS
from trading.stats import FloatArray, IntArray

_FIRST_CAPACITY = 256
_FAR = 1e9
"""Squared length of a state that is not known: nothing is near it."""

_COLUMNS: dict[str, tuple[str, float]] = {
    "decided_ms": ("int64", NEVER_MS),
    "closed_ms": ("int64", NEVER_MS),
    "moved_ms": ("int64", NEVER_MS),
    "net_return": ("float64", np.nan),
    "move": ("float64", np.nan),
    "entered": ("bool", 0),
}


class Shelf:
    """Growing columns, one row an episode. Rows are in order of ``decided_ms``; outcomes are filled in later."""

    def __init__(self) -> None:
        self.episodes: list[Episode] = []
        self._capacity = _FIRST_CAPACITY
        self._columns: dict[str, NDArray[Any]] = {
            name: np.full(self._capacity, blank, dtype=kind) for name, (kind, blank) in _COLUMNS.items()
        }
        self._states = np.zeros((self._capacity, len(COMPONENTS)), dtype=np.float32)
        self._lengths = np.full(self._capacity, _FAR, dtype=np.float32)
        self._row_of: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.episodes)

    def add(self, episode: Episode) -> None:
        """Put an episode at the end. Raises ValueError for one that was decided before the last."""
        row = len(self.episodes)
        if row and episode.decided_ms < self._columns["decided_ms"][row - 1]:
            raise ValueError(f"episode {episode.episode_id} was decided before the last one on its shelf")
        if episode.episode_id in self._row_of:
            return
        if row == self._capacity:
            self._grow()
        self._row_of[episode.episode_id] = row
        self.episodes.append(episode)
        if episode.state is not None:
            self._states[row] = episode.state
            self._lengths[row] = float(self._states[row] @ self._states[row])
        self._columns["decided_ms"][row] = episode.decided_ms
        self._columns["entered"][row] = episode.action == "enter"
        self.update(episode)

    def update(self, episode: Episode) -> None:
        """Take in what has become known of an episode."""
        row = self._row_of[episode.episode_id]
        columns = self._columns
        columns["closed_ms"][row], columns["moved_ms"][row] = episode.closed_ms, episode.moved_ms
        if episode.net_return is not None:
            columns["net_return"][row] = episode.net_return
        if episode.move is not None:
            columns["move"][row] = episode.move
        self.episodes[row] = episode

    def known_at(self, as_of_ms: int) -> int:
        """How many episodes were decided before ``as_of_ms``; they are the first ones."""
        return int(np.searchsorted(self._columns["decided_ms"][: len(self)], as_of_ms, side="left"))

    def column(self, name: str, end: int) -> NDArray[Any]:
        """A column of the first ``end`` rows; read-only by convention."""
        return self._columns[name][:end]

    def moves(self, end: int, as_of_ms: int) -> FloatArray:
        """The move after each of the first ``end`` episodes, NaN where it had not ended before ``as_of_ms``."""
        found: FloatArray = np.where(self._columns["moved_ms"][:end] < as_of_ms, self._columns["move"][:end], np.nan)
        return found

    def results(self, end: int, as_of_ms: int) -> FloatArray:
        """The net return of each of the first ``end`` episodes, NaN where it had not closed before ``as_of_ms``."""
        net, closed = self._columns["net_return"][:end], self._columns["closed_ms"][:end]
        found: FloatArray = np.where(closed < as_of_ms, net, np.nan)
        return found

    def states(self, end: int) -> NDArray[np.float32]:
        """States of the first ``end`` episodes, shape (end, components); zeros where none is known."""
        return self._states[:end]

    def known_states(self, end: int) -> NDArray[np.bool_]:
        """Which of the first ``end`` episodes have a state."""
        found: NDArray[np.bool_] = self._lengths[:end] < _FAR
        return found

    def nearest(self, state: FloatArray, end: int, count: int) -> tuple[IntArray, FloatArray]:
        """Rows and mean squared distances of the ``count`` nearest states among the first ``end``, nearest first.

        The product in single precision only picks who is measured; distances are taken again in double precision, so
        that they and the order are the same on every machine.
        """
        if not end:
            return np.empty(0, np.int64), np.empty(0)
        wanted = state.astype(np.float32)
        rough = self._lengths[:end] - 2.0 * (self._states[:end] @ wanted)
        if end > count:
            rows = np.argpartition(rough, count)[:count]
        else:
            rows = np.arange(end)
        rows = rows[self._lengths[rows] < _FAR]
        gaps = self._states[rows].astype(np.float64) - state
        distance = np.round(np.square(gaps).sum(axis=1) / len(COMPONENTS), 9)
        order = np.lexsort((-rows, distance))  # of equals the newest
        return rows[order].astype(np.int64), distance[order]

    def _grow(self) -> None:
        extra = self._capacity
        for name, (kind, blank) in _COLUMNS.items():
            self._columns[name] = np.concatenate([self._columns[name], np.full(extra, blank, dtype=kind)])
        self._states = np.concatenate([self._states, np.zeros((extra, len(COMPONENTS)), dtype=np.float32)])
        self._lengths = np.concatenate([self._lengths, np.full(extra, _FAR, dtype=np.float32)])
        self._capacity += extra

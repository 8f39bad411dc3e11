"""A daily index of sentiment from 0 to 100, read from a file and asked for an instant."""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trading.domain.instants import iso
from trading.marketdata import FileRefused, FloatArray, IntArray
from trading.marketdata.columns import read_table, strict_columns, strict_texts
from trading.sentiment.days import DAY_MS, KNOWN_AT, days_of, known_from

_LONGEST_WORD = 40
_BANDS = ((25.0, "Extreme Fear"), (45.0, "Fear"), (55.0, "Neutral"), (75.0, "Greed"))
_TOP = "Extreme Greed"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexValue:
    """The value of a day, 0 (fear) to 100 (greed), with its word, known from ``known_ms`` on."""

    day_ms: int
    known_ms: int
    value: float
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReading:
    """An index as it stands at ``as_of_ms``. A change is None where the file lacks the day it is seen against."""

    name: str
    as_of_ms: int
    newest: IndexValue
    change_7d: float | None
    change_30d: float | None

    @property
    def age_ms(self) -> int:
        """How long ago the newest value became known."""
        return self.as_of_ms - self.newest.known_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyIndex:
    """Days, oldest first, each once. ``day_ms``, ``known_ms`` and ``value`` have shape (days,)."""

    name: str
    day_ms: IntArray
    known_ms: IntArray
    value: FloatArray
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def sha256(self) -> str:
        """Digest of everything it says."""
        digest = hashlib.sha256("\n".join((self.name, *self.words)).encode())
        for array in (self.day_ms, self.known_ms, self.value):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def known(self, as_of_ms: int) -> int:
        """How many of the days are known at an instant."""
        return bisect_right(self.known_ms, as_of_ms)

    def at(self, as_of_ms: int) -> IndexReading | None:
        """What it says at an instant; None before its first day is known."""
        known = self.known(as_of_ms)
        if not known:
            return None
        return IndexReading(
            name=self.name,
            as_of_ms=as_of_ms,
            newest=self._row(known - 1),
            change_7d=self._change(known - 1, 7),
            change_30d=self._change(known - 1, 30),
        )

    def values(self, as_of_ms: int) -> Sequence[IndexValue]:
        """Every day that is known at an instant, oldest first."""
        return [self._row(row) for row in range(self.known(as_of_ms))]

    def since(self, as_of_ms: int, days: int) -> Sequence[IndexValue]:
        """What is known at an instant of the ``days`` days that end with the newest known one, oldest first."""
        known = self.known(as_of_ms)
        if not known:
            return []
        begin = bisect_right(self.day_ms, int(self.day_ms[known - 1]) - days * DAY_MS)
        return [self._row(row) for row in range(begin, known)]

    def _row(self, row: int) -> IndexValue:
        return IndexValue(
            day_ms=int(self.day_ms[row]),
            known_ms=int(self.known_ms[row]),
            value=float(self.value[row]),
            word=self.words[row],
        )

    def _change(self, row: int, days: int) -> float | None:
        wanted = int(self.day_ms[row]) - days * DAY_MS
        before = bisect_right(self.day_ms, wanted) - 1
        if before < 0 or int(self.day_ms[before]) != wanted:
            return None
        return float(self.value[row] - self.value[before])


def read_index(path: Path) -> DailyIndex:
    """The index of a Parquet or CSV file with the columns ``ts`` (the day, UTC) and ``value`` (0 to 100).

    ``classification`` is each value's word, by default one of five from extreme fear to extreme greed; ``known_at`` is
    from when on it was known, by default the end of its day. The file's name without ``-1d`` names the index. Raises
    FileRefused for other columns, a value out of range, and days that are not in order or stand there twice.
    """
    table = read_table(path, ("ts", "value"), ("classification", KNOWN_AT))
    value = strict_columns(path, table, ("value",)).numbers["value"]
    day_ms = days_of(path, table)
    falls = np.flatnonzero(np.diff(day_ms) <= 0)
    if falls.size:
        row = int(falls[0]) + 1
        fault = "stands there twice" if day_ms[row] == day_ms[row - 1] else "comes after a later one"
        raise FileRefused(path, f"the day {iso(int(day_ms[row]))} {fault}; expected each once, oldest first", row)
    beyond = np.flatnonzero(~((value >= 0) & (value <= 100)))
    if beyond.size:
        row = int(beyond[0])
        raise FileRefused(path, f"value is {value[row]:g}, expected 0 to 100", row)
    if "classification" in table.column_names:
        words = strict_texts(path, table, "classification", _LONGEST_WORD)
    else:
        words = [_word(each) for each in value.tolist()]
    return DailyIndex(
        name=path.stem.removesuffix("-1d"),
        day_ms=day_ms,
        known_ms=known_from(path, table, day_ms),
        value=value,
        words=tuple(words),
    )


def _word(value: float) -> str:
    return next((word for end, word in _BANDS if value < end), _TOP)

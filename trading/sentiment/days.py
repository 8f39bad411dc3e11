"""Days of a file, and the instants from which on what they say was known."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trading.domain.instants import duration_ms, iso
from trading.marketdata import FileRefused, IntArray
from trading.marketdata.columns import strict_instants

if TYPE_CHECKING:
    import pyarrow as pa

DAY_MS = duration_ms("1d")
KNOWN_AT = "known_at"
"""The column of a file's own instants, where it has one."""


def days_of(path: Path, table: "pa.Table") -> IntArray:
    """The column ``ts``: the first instants of days, UTC. Raises FileRefused for an instant within a day."""
    found = strict_instants(path, table, "ts")
    within = np.flatnonzero(found % DAY_MS)
    if within.size:
        row = int(within[0])
        raise FileRefused(
            path, f"ts is {iso(int(found[row]))}, expected a day; an instant of its own stands in {KNOWN_AT}", row
        )
    return found


def known_from(path: Path, table: "pa.Table", day_ms: IntArray) -> IntArray:
    """From when on each row was known: its ``known_at``, else the end of its day. These never fall.

    Raises FileRefused for a row that was known before its day began, or before the row above it.
    """
    if KNOWN_AT not in table.column_names:
        return day_ms + DAY_MS
    found = strict_instants(path, table, KNOWN_AT)
    early = np.flatnonzero(found < day_ms)
    if early.size:
        row = int(early[0])
        raise FileRefused(
            path, f"{KNOWN_AT} is {iso(int(found[row]))}, before its day {iso(int(day_ms[row]))} began", row
        )
    refuse_disorder(path, KNOWN_AT, found)
    return found


def refuse_disorder(path: Path, name: str, instants: IntArray) -> None:
    """Raise FileRefused for the first instant that lies before the one above it."""
    falls = np.flatnonzero(np.diff(instants) < 0)
    if falls.size:
        row = int(falls[0]) + 1
        raise FileRefused(
            path, f"{name} is {iso(int(instants[row]))}, before the row above it; expected oldest first", row
        )

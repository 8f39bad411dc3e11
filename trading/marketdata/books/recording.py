"""Recorded books: one row for each changed level, the snapshot among them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trading.domain.errors import DataError
from trading.marketdata.books.book import FloatArray, IntArray, SideArray

_COLUMNS = ("event_ts_ms", "first_update_id", "final_update_id", "is_snapshot", "side", "price", "qty")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRecording:
    """A snapshot and the messages after it that continue it.

    ``side``, ``price`` and ``size`` have one row a level; message i is the rows before ``ends[i]`` and after those of
    message i-1, and carries ``update_id[i]`` and ``event_ms[i]``. Message 0 is the snapshot.
    """

    side: SideArray
    price: FloatArray
    size: FloatArray
    ends: IntArray
    update_id: IntArray
    event_ms: IntArray


def read_recording(path: Path) -> BookRecording:
    """A recording from a Parquet file with the columns of ``_COLUMNS``: ``side`` +1 or -1, ``qty`` absolute, 0 deletes.

    Messages whose ``final_update_id`` the snapshot already holds are left out. Raises DataError for another file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=list(_COLUMNS))
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read as a recorded book: {error}") from None
    if table.num_columns != len(_COLUMNS):
        lacking = sorted(set(_COLUMNS) - set(table.column_names))
        raise DataError(f"{path}: lacks the column {lacking[0]!r} of a recorded book")
    columns = {name: table.column(name).to_numpy() for name in _COLUMNS}
    snapshot = columns["is_snapshot"] == 1
    if not snapshot.any():
        raise DataError(f"{path}: holds no snapshot (is_snapshot = 1), so its book has no beginning")
    held = int(columns["final_update_id"][snapshot].max())
    order = np.concatenate([np.flatnonzero(snapshot), np.flatnonzero(~snapshot & (columns["final_update_id"] > held))])
    update_id = columns["final_update_id"][order].astype(np.int64)
    last = np.flatnonzero(np.append(np.diff(update_id) != 0, True))
    return BookRecording(
        side=columns["side"][order].astype(np.int8),
        price=columns["price"][order].astype(np.float64),
        size=columns["qty"][order].astype(np.float64),
        ends=(last + 1).astype(np.int64),
        update_id=update_id[last],
        event_ms=columns["event_ts_ms"][order][last].astype(np.int64),
    )

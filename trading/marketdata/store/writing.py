"""How files of the stores are written: by one process at a time, and whole or not at all."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from trading.domain.errors import RequestError

if TYPE_CHECKING:
    import pyarrow as pa

_LOCK_WAIT_S = 30.0


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold ``folder`` alone among all processes; the lock dies with its process. RequestError after half a minute."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / ".lock", isolation_level=None, timeout=_LOCK_WAIT_S)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise RequestError(f"{folder}: another process writes there; wait for it and try again") from error
        yield


def write_whole(path: Path, table: "pa.Table", *, dictionary: bool = False) -> None:
    """The file in one step: written beside it, brought to the disk, and moved over it."""
    import pyarrow.parquet as pq

    beside = path.with_suffix(".partial")
    with beside.open("wb") as file:
        pq.write_table(table, file, compression="zstd", use_dictionary=dictionary)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)

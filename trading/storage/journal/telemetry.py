"""What a wall clock measured: kept beside the journal, joined by id, never hashed into it.

Latency differs from run to run; a season's record must not.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from trading.domain.errors import JournalError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS latency (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    latency_ms REAL NOT NULL,
    PRIMARY KEY (id, kind)
) STRICT, WITHOUT ROWID
"""


class Telemetry:
    """Measured latencies by id: ``decision``, ``model_call`` or ``tool_call``. Losing it loses no result."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=OFF")
            self._db.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise JournalError(f"{path}: not readable ({error}); it holds latencies only: remove it") from error
        self._pending: list[tuple[str, str, float]] = []

    def record(self, kind: str, identity: str, latency_ms: float) -> None:
        """Note one measurement."""
        self._pending.append((identity, kind, latency_ms))

    def commit(self) -> None:
        """Write what was noted."""
        if self._pending:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR REPLACE INTO latency VALUES (?, ?, ?)", self._pending)
            self._db.execute("COMMIT")
            self._pending.clear()

    def latencies(self, kind: str) -> dict[str, float]:
        """Every measurement of a kind by id, in milliseconds."""
        rows = self._db.execute("SELECT id, latency_ms FROM latency WHERE kind = ?", (kind,)).fetchall()
        return {str(identity): float(value) for identity, value in rows}

    def latency(self, kind: str, identity: str) -> float | None:
        """One committed measurement in milliseconds, None when it was not measured."""
        row = self._db.execute("SELECT latency_ms FROM latency WHERE id = ? AND kind = ?", (identity, kind)).fetchone()
        return None if row is None else float(row[0])

    def close(self) -> None:
        """Write what is left and release the file."""
        self.commit()
        self._db.close()


def read_latencies(path: Path, kind: str) -> dict[str, float]:
    """Every measurement of a kind by id, in milliseconds, without touching the file.

    Empty where nothing was measured or the file is damaged: losing it loses no result.
    """
    if not path.is_file():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT id, latency_ms FROM latency WHERE kind = ?", (kind,)).fetchall()
    except sqlite3.DatabaseError:
        return {}
    return {str(identity): float(value) for identity, value in rows}


def latencies_of(path: Path, kind: str, identities: Sequence[str]) -> dict[str, float]:
    """The measurements of a kind by id, in milliseconds, of these ids only; empty like :func:`read_latencies`."""
    if not path.is_file() or not identities:
        return {}
    wanted = f"SELECT id, latency_ms FROM latency WHERE kind = ? AND id IN ({','.join('?' * len(identities))})"  # noqa: S608  # question marks alone
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute(wanted, (kind, *identities)).fetchall()
    except sqlite3.DatabaseError:
        return {}
    return {str(identity): float(value) for identity, value in rows}

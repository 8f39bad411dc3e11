"""Writing the journal: one writer a run, events buffered and committed together at the end of a round."""

import hashlib
import sqlite3
import time
from pathlib import Path
from typing import Protocol

import orjson

from trading.domain.errors import JournalError
from trading.domain.event import Event
from trading.storage.journal.chain import GENESIS, canonical_json, event_hash
from trading.storage.journal.reader import readers_wait, seal_path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY,
    ts INTEGER NOT NULL,
    kind TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    payload_json TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT
"""
_PATIENCE_S = 10.0
"""How long sealing waits for readers of other processes."""

_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"


class JournalSink(Protocol):
    """Where an engine puts its events."""

    def append(self, event: Event) -> None:
        """Add an event; it is durable after the next commit."""
        ...

    def commit(self) -> None:
        """Make everything appended so far durable, all of it or none."""
        ...


class NullJournal:
    """Keeps nothing: for runs whose record nobody will ask for, such as a parameter search."""

    def append(self, event: Event) -> None:
        """Forget the event."""

    def commit(self) -> None:
        """There is nothing to make durable."""


class Journal:
    """The journal of a run in one SQLite file (write-ahead log).

    One process writes; a second one is refused. What was committed survives the process being killed at any
    instant; with ``fsync=True`` (orders that leave the house) also the machine losing power.
    """

    def __init__(self, path: Path, *, fsync: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = self._claim(path.with_suffix(".lock"))
        try:
            if seal_path(path).exists():
                raise JournalError(f"{path.parent}: this run is finished and sealed; its record takes no more events")
            self._db, (self._seq, self._head) = self._open(path, fsync=fsync)
        except JournalError:
            self._lock.close()
            raise
        self._pending: list[tuple[int, int, str, str, str, str, str]] = []

    @staticmethod
    def _open(path: Path, *, fsync: bool) -> tuple[sqlite3.Connection, tuple[int, str]]:
        db: sqlite3.Connection | None = None
        try:
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(f"PRAGMA synchronous={'FULL' if fsync else 'NORMAL'}")
            db.execute(_SCHEMA)
            last = db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        except sqlite3.DatabaseError as error:
            if db is not None:
                db.close()
            raise JournalError(f"{path}: not a readable journal ({error}); run `tradefloor journal verify`") from error
        return db, last or (0, GENESIS)

    @staticmethod
    def _claim(lock_path: Path) -> sqlite3.Connection:
        # An exclusive transaction on a file of its own is a lock that every system has and that dies with the process.
        lock: sqlite3.Connection | None = None
        try:
            lock = sqlite3.connect(lock_path, isolation_level=None, timeout=0.2, check_same_thread=False)
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if lock is not None:
                lock.close()
            if getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY":
                told = f"{lock_path.parent}: another process is writing this run; stop it or wait for it"
            else:
                told = f"{lock_path}: cannot be locked ({error}); if nothing writes this run, remove that file"
            raise JournalError(told) from error
        return lock

    @property
    def head(self) -> str:
        """Hash of the last appended event."""
        return self._head

    @property
    def events(self) -> int:
        """How many events were appended so far."""
        return self._seq

    def append(self, event: Event) -> None:
        """Chain an event; it is durable after :meth:`commit`."""
        seq = self._seq + 1
        kind = event.kind.value
        payload_json = canonical_json(event.payload)
        digest = event_hash(self._head, seq, event.ts_ms, kind, event.decision_id, payload_json)
        self._pending.append((seq, event.ts_ms, kind, event.decision_id, payload_json, self._head, digest))
        self._seq, self._head = seq, digest

    def commit(self) -> None:
        """Write everything pending in one transaction."""
        if not self._pending:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(_INSERT, self._pending)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise JournalError(f"{self._path}: cannot write ({error}); nothing of this round was recorded") from error
        self._pending.clear()

    def seal(self) -> None:
        """Close a finished run: fold the log into the file and write its digest beside it.

        From then on even a byte that belongs to no event cannot change unseen.
        """
        self.commit()
        with readers_wait(self._path):
            self._fold_log()
            self._write_seal()

    def _fold_log(self) -> None:
        """Put the log into the file, once whoever reads at this moment has read to the end."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._db.execute("PRAGMA journal_mode=DELETE")
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY" and time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
                raise JournalError(
                    f"{self._path}: cannot be sealed ({error}); everything is recorded: run the same command again"
                ) from error
            return

    def _write_seal(self) -> None:
        digest = hashlib.sha256(self._path.read_bytes()).hexdigest()
        seal = {"events": self._seq, "head": self._head, "file_sha256": digest}
        partial = seal_path(self._path).with_suffix(".partial")
        partial.write_bytes(orjson.dumps(seal))
        partial.replace(seal_path(self._path))

    def close(self) -> None:
        """Release the file and the lock. What was not committed is dropped, as it would be by a crash."""
        self._db.close()
        self._lock.close()

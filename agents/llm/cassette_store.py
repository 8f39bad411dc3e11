"""The file of a cassette: outcomes by the content of their request, and the conversations they belong to."""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson
from pydantic_core import to_json

from agents.llm.outcome import Outcome, outcome_json, read_outcome
from agents.llm.request import CompletionRequest
from trading.domain.errors import ConfigError, JournalError

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    sha256 TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    desk TEXT NOT NULL,
    role TEXT NOT NULL,
    terms_json TEXT NOT NULL,
    messages_json TEXT NOT NULL,
    outcome_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS calls_by_speaker ON calls (desk, role);
CREATE INDEX IF NOT EXISTS calls_by_epoch ON calls (epoch);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What was asked in a call: when, under which terms (model, seed ...), and the digests of its messages."""

    epoch: str
    terms: Mapping[str, Any]
    messages: tuple[str, ...]


class CassetteStore:
    """One SQLite file (write-ahead log). Each outcome is durable before it is used; one process writes.

    ``writable=False`` opens what is there and needs no right to write. Raises ConfigError for a file that is missing
    or no cassette, JournalError when another process holds it or it cannot be written.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self._writable = writable
        try:
            self._db = _created(path) if writable else _opened(path)
        except OSError as error:
            raise ConfigError(f"cassette {path}: cannot be made ({error.strerror}); name another path") from error
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise ConfigError(f"cassette {path}: {error}; name a path that can be read and written") from error
            raise JournalError(
                f"cassette {path}: another process records on it; wait for it or name another"
            ) from error
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"cassette {path}: is no cassette ({error}); name another path") from error

    def __enter__(self) -> Self:
        """The store, closed on leaving."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def __len__(self) -> int:
        """How many outcomes it holds."""
        return int(self._db.execute("SELECT count(*) FROM calls").fetchone()[0])

    def find(self, key: str) -> Outcome | None:
        """The outcome recorded under ``key``."""
        row = self._db.execute("SELECT outcome_json FROM calls WHERE key = ?", (key,)).fetchone()
        return None if row is None else read_outcome(row[0])

    def keep(self, key: str, request: CompletionRequest, outcome: Outcome, *, replace: bool = False) -> Outcome:
        """Record ``outcome`` under ``key`` and give what stands there: the earlier one unless it is to be replaced.

        What is given was read back, so a caller has exactly what a replay will have.
        """
        bodies = [to_json(message).decode() for message in request.messages]
        digests = [hashlib.sha256(body.encode()).hexdigest() for body in bodies]
        row = (
            key,
            request.epoch,
            request.metadata.get("desk", ""),
            request.metadata.get("role", ""),
            orjson.dumps(terms_of(request)).decode(),
            orjson.dumps(digests).decode(),
            outcome_json(outcome).decode(),
        )
        verb = "REPLACE" if replace else "IGNORE"
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO messages VALUES (?, ?)", zip(digests, bodies, strict=True))
            self._db.execute(f"INSERT OR {verb} INTO calls VALUES (?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608  # one of two words
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise JournalError(
                f"cassette {self.path}: cannot be written ({error}); free space or name another"
            ) from error
        found = self.find(key)
        assert found is not None
        return found

    def of_epoch(self, epoch: str) -> Iterator[tuple[str, str, Outcome]]:
        """Key, desk and outcome of every call of one desk at one instant."""
        rows = self._db.execute("SELECT key, desk, outcome_json FROM calls WHERE epoch = ? ORDER BY key", (epoch,))
        for key, desk, text in rows.fetchall():
            yield key, desk, read_outcome(text)

    def conversations(self, desk: str, role: str) -> list[Conversation]:
        """What a role of a desk was asked in each recorded call."""
        rows = self._db.execute(
            "SELECT epoch, terms_json, messages_json FROM calls WHERE desk = ? AND role = ? ORDER BY epoch, key",
            (desk, role),
        )
        return [
            Conversation(epoch=epoch, terms=orjson.loads(terms), messages=tuple(orjson.loads(messages)))
            for epoch, terms, messages in rows
        ]

    def conversation(self, key: str) -> Conversation | None:
        """What was asked in the call that is recorded under ``key``."""
        row = self._db.execute("SELECT epoch, terms_json, messages_json FROM calls WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        return Conversation(epoch=row[0], terms=orjson.loads(row[1]), messages=tuple(orjson.loads(row[2])))

    def message(self, sha256: str) -> str:
        """The JSON of a message that some recorded conversation holds."""
        row = self._db.execute("SELECT body FROM messages WHERE sha256 = ?", (sha256,)).fetchone()
        return str(row[0]) if row else ""

    def close(self) -> None:
        """Release the file. A writer leaves a single file behind, which can be copied and shipped."""
        if self._writable:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.execute("PRAGMA journal_mode=DELETE")
        self._db.close()


def terms_of(request: CompletionRequest) -> dict[str, Any]:
    """What a request asks for besides its messages, by the name a person would use."""
    return {
        "model": request.model,
        "fallbacks": list(request.fallbacks),
        "tools": request.tools_sha256,
        "tool choice": request.tool_choice,
        "answer method": request.method,
        "seed": request.seed,
        "max_tokens": request.max_tokens,
    }


def _created(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None, timeout=0.2, check_same_thread=False)
    with ExitStack() as undo:
        undo.callback(db.close)
        _check_version(db, path)
        # Held from the first write to the end: a second writer, who would pay for the same calls again, is refused.
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        undo.pop_all()  # all went well: the caller closes it
    return db


def _opened(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise ConfigError(f"cassette {path}: no such file, so there is nothing to replay; record it or name another")
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    with ExitStack() as undo:
        undo.callback(db.close)
        _check_version(db, path)
        undo.pop_all()  # all went well: the caller closes it
    return db


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    tables = {str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if tables and (version != _VERSION or not {"calls", "messages"} <= tables):
        raise ConfigError(f"cassette {path}: is no cassette of version {_VERSION}; name another path")

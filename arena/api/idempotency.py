"""Answers to writes, kept by the key that the caller gave: the same request is answered again, not done again.

One small database under the home folder; what is kept survives a restart, for a day.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import TradefloorError

KEPT_MS = 86_400_000
MOST_KEPT = 10_000
_TABLE = """
create table if not exists answers (
    caller text not null, key text not null, fingerprint text not null, process text not null,
    begun_ms integer not null, status integer, media_type text, body blob, primary key (caller, key)
) strict, without rowid
"""


class KeyReused(TradefloorError):
    """The key stands for another request."""


class KeyInFlight(TradefloorError):
    """The request of that key has no answer: it is still being done, or was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered to a write."""

    status: int
    media_type: str
    body: bytes


class AnswerStoreError(TradefloorError):
    """The kept answers cannot be read or written."""


def fingerprint(method: str, target: str, body: bytes) -> str:
    """What a request asks, digested. ``target`` is the path with its query."""
    return hashlib.sha256(b"\n".join((method.encode(), target.encode(), body))).hexdigest()


class KeptAnswers:
    """The kept answers of one home folder. Any thread may call it."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self._path = home / "idempotency.sqlite"
        self._clock = clock or SystemClock()
        self._process = uuid4().hex

    def begin(self, caller: str, key: str, asked: str) -> Answer | None:
        """Claim ``key`` for the request with the fingerprint ``asked``; its answer where it was given already.

        Raises KeyReused where the key stands for another request, KeyInFlight where that one has no answer.
        """
        now_ms = self._clock.now_ms()
        with self._open() as db:
            db.execute("begin immediate")
            _forget_old(db, now_ms)
            row = db.execute(
                "select fingerprint, process, status, media_type, body from answers where caller = ? and key = ?",
                (caller, key),
            ).fetchone()
            if row is None:
                db.execute(
                    "insert into answers (caller, key, fingerprint, process, begun_ms) values (?, ?, ?, ?, ?)",
                    (caller, key, asked, self._process, now_ms),
                )
            db.execute("commit")
        if row is None:
            return None
        found, process, status, media_type, body = row
        if found != asked:
            raise KeyReused("this Idempotency-Key was sent with another request; use a new key for a new request")
        if status is None and process == self._process:
            raise KeyInFlight("the request with this Idempotency-Key is still being done; ask again in a moment")
        if status is None:
            raise KeyInFlight(
                "the request with this Idempotency-Key was cut off by a restart: look whether it was done, "
                "then use a new key"
            )
        return Answer(status=status, media_type=media_type, body=body)

    def keep(self, caller: str, key: str, answer: Answer) -> None:
        """Write the answer down."""
        with self._open() as db:
            db.execute(
                "update answers set status = ?, media_type = ?, body = ? where caller = ? and key = ?",
                (answer.status, answer.media_type, answer.body, caller, key),
            )

    def forget(self, caller: str, key: str) -> None:
        """Free the key: nothing was done under it."""
        with self._open() as db:
            db.execute("delete from answers where caller = ? and key = ?", (caller, key))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
                db.execute("pragma journal_mode = wal")
                db.execute(_TABLE)
                yield db
        except (sqlite3.Error, OSError) as error:
            raise AnswerStoreError(f"{self._path}: the kept answers cannot be read ({error})") from error


def _forget_old(db: sqlite3.Connection, now_ms: int) -> None:
    db.execute("delete from answers where begun_ms < ?", (now_ms - KEPT_MS,))
    (count,) = db.execute("select count(*) from answers").fetchone()
    if count >= MOST_KEPT:
        db.execute(
            "delete from answers where (caller, key) in (select caller, key from answers order by begun_ms limit ?)",
            (count - MOST_KEPT + 1,),
        )

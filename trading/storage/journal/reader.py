"""Reading a journal back, and checking that nobody touched it."""

import hashlib
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from trading.domain.errors import JournalError
from trading.storage.journal.chain import GENESIS, StoredEvent, event_hash
from trading.storage.journal.log import is_log_damaged

_COLUMNS = "seq, ts, kind, decision_id, payload_json, prev_hash, hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What checking a chain found. ``problem`` names the first bad event, None when all is well."""

    events: int
    head: str
    problem: str | None


_SEALING: set[Path] = set()
_SEALED = threading.Condition()
_LONGEST_SEAL_S = 60.0


@contextmanager
def readers_wait(journal: Path) -> Iterator[None]:
    """Let nobody in this process begin to read a journal while it is being sealed, which needs it alone."""
    name = journal.resolve()
    with _SEALED:
        _SEALING.add(name)
    try:
        yield
    finally:
        with _SEALED:
            _SEALING.discard(name)
            _SEALED.notify_all()


def _wait_for_seal(journal: Path) -> None:
    if _SEALING:
        with _SEALED:
            _SEALED.wait_for(lambda: journal.resolve() not in _SEALING, timeout=_LONGEST_SEAL_S)


def seal_path(journal: Path) -> Path:
    """Where the seal of a finished journal stands."""
    return journal.with_suffix(".seal")


def read_events(path: Path, *, after: int = 0, kinds: Collection[str] = ()) -> Iterator[StoredEvent]:
    """Events in order, those with ``seq`` above ``after`` and, where any are named, of ``kinds``.

    The file is not changed by reading it.

    Raises JournalError when the file is missing or no journal, or where its bytes cannot be read.
    """
    which, values = ["seq > ?"], [after, *kinds]
    if kinds:
        which.append(among("kind", kinds))
    yield from query_events(path, which, values, after=after)


def among(column: str, values: Collection[object]) -> str:
    """A condition on ``column`` with a place for each of ``values``."""
    return f"{column} IN ({', '.join('?' * len(values))})"


def query_events(
    path: Path, which: Sequence[str], values: Sequence[object], *, after: int, most: int = -1
) -> Iterator[StoredEvent]:
    """The first ``most`` events that fit all conditions, in order; ``after`` is the number before the first that may.

    The file is not changed by reading it, and may be written to meanwhile. Raises JournalError as :func:`read_events`.
    """
    if not path.is_file():
        raise JournalError(f"{path}: no journal there")
    _wait_for_seal(path)
    # A sealed file has no log beside it and must not get one; a live one may still be written to.
    mode = "mode=ro&immutable=1" if seal_path(path).exists() else "mode=ro"
    query = f"SELECT {_COLUMNS} FROM events WHERE {' AND '.join(which)} ORDER BY seq LIMIT ?"  # noqa: S608  # our words
    last = after
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)
        try:
            for row in db.execute(query, (*values, most)):
                last = row[0]
                yield StoredEvent(
                    seq=row[0],
                    ts_ms=row[1],
                    kind=row[2],
                    decision_id=row[3],
                    payload_json=row[4],
                    prev_hash=row[5],
                    hash=row[6],
                )
        finally:
            db.close()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise JournalError(f"{path.name}: event {last + 1} cannot be read ({error})") from error


def last_seq(path: Path) -> int:
    """The number of the last event, 0 where there is none. Raises JournalError as :func:`read_events` does."""
    if not path.is_file():
        raise JournalError(f"{path}: no journal there")
    _wait_for_seal(path)
    mode = "mode=ro&immutable=1" if seal_path(path).exists() else "mode=ro"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)) as db:
            return int(db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path.name}: its end cannot be read ({error})") from error


def check_link(stored: StoredEvent, *, seq: int, prev_hash: str) -> str | None:
    """What is wrong with an event that should be number ``seq`` after ``prev_hash``; None when nothing is."""
    if stored.seq != seq:
        return f"event {seq} is missing; found event {stored.seq} in its place"
    if stored.prev_hash != prev_hash:
        return f"event {seq} ({stored.kind}) does not follow the event before it"
    expected = event_hash(prev_hash, stored.seq, stored.ts_ms, stored.kind, stored.decision_id, stored.payload_json)
    if stored.hash != expected:
        return f"event {seq} ({stored.kind}) was changed: its content no longer gives its hash"
    return None


def read_verified(path: Path) -> Iterator[StoredEvent]:
    """Events in order, each checked against the one before. Raises JournalError at the first that does not hold."""
    head, count = GENESIS, 0
    for stored in read_events(path):
        problem = check_link(stored, seq=count + 1, prev_hash=head)
        if problem is not None:
            raise JournalError(f"{path}: {problem}; the run cannot go on from a record that was touched")
        head, count = stored.hash, stored.seq
        yield stored


def verify_chain(path: Path) -> ChainReport:
    """Recompute every link, and the file's digest where the run was sealed."""
    head, count = GENESIS, 0
    try:
        for stored in read_events(path):
            problem = check_link(stored, seq=count + 1, prev_hash=head)
            if problem is not None:
                return ChainReport(events=count, head=head, problem=problem)
            head, count = stored.hash, stored.seq
    except JournalError as error:
        return ChainReport(events=count, head=head, problem=str(error))
    return ChainReport(events=count, head=head, problem=check_seal(path, events=count, head=head))


def check_seal(path: Path, *, events: int, head: str) -> str | None:
    """What is wrong with the seal of a finished run, or with the log of one that is not; None when nothing is."""
    seal_file = seal_path(path)
    if not seal_file.exists():
        if is_log_damaged(path):
            return (
                f"event {events + 1} cannot be read: {path.name}-wal was changed, and what it holds from there is lost"
            )
        return None
    try:
        seal = orjson.loads(seal_file.read_bytes())
        sealed = (seal["events"], seal["head"], seal["file_sha256"])
    except (ValueError, KeyError, TypeError):
        return f"{seal_file.name} is not a readable seal"
    if sealed[:2] != (events, head):
        return f"event {events + 1} is missing: the run was sealed with {sealed[0]} events and another head"
    if hashlib.sha256(path.read_bytes()).hexdigest() != sealed[2]:
        return f"{path.name} was changed after event {events}, outside of any event: its bytes no longer give its seal"
    return None

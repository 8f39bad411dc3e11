"""Reading a part of a journal: events after one and up to another, of some kinds only, a bounded number at most."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from trading.domain.errors import JournalError
from trading.domain.event import EventKind
from trading.storage.journal.chain import StoredEvent
from trading.storage.journal.reader import seal_path

_COLUMNS = "seq, ts, kind, decision_id, payload_json, prev_hash, hash"


def select_events(
    path: Path, *, after: int = 0, until: int | None = None, kinds: Iterable[EventKind] = (), most: int = 100_000
) -> list[StoredEvent]:
    """Events with ``seq`` above ``after`` and up to ``until`` (included), in order; of every kind where none is named.

    The file is not changed by reading it, and may be written to meanwhile. Nothing is verified: ``read_verified`` does
    that. Raises JournalError when the file is missing or no journal.
    """
    if not path.is_file():
        raise JournalError(f"{path}: no journal there")
    names = [kind.value for kind in kinds]
    where, values = ["seq > ?"], [after]
    if until is not None:
        where.append("seq <= ?")
        values.append(until)
    if names:
        where.append(f"kind IN ({','.join('?' * len(names))})")
    query = f"SELECT {_COLUMNS} FROM events WHERE {' AND '.join(where)} ORDER BY seq LIMIT ?"  # noqa: S608  # our words
    # A sealed file has no log beside it and must not get one.
    mode = "mode=ro&immutable=1" if seal_path(path).exists() else "mode=ro"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)) as db:
            rows = db.execute(query, (*values, *names, most)).fetchall()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise JournalError(f"{path.name}: cannot be read after event {after} ({error})") from error
    return [
        StoredEvent(
            seq=row[0], ts_ms=row[1], kind=row[2], decision_id=row[3], payload_json=row[4], prev_hash=row[5],
            hash=row[6],
        )
        for row in rows
    ]  # fmt: skip

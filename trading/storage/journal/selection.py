"""Reading a part of a journal: events after one and up to another, of some kinds only, or those that are named."""

from collections.abc import Collection, Iterable
from pathlib import Path

from trading.domain.event import EventKind
from trading.storage.journal.chain import StoredEvent
from trading.storage.journal.reader import among, query_events


def select_events(
    path: Path, *, after: int = 0, until: int | None = None, kinds: Iterable[EventKind] = (), most: int = 100_000
) -> list[StoredEvent]:
    """Events with ``seq`` above ``after`` and up to ``until`` (included), in order; of every kind where none is named.

    The file is not changed by reading it, and may be written to meanwhile. Nothing is verified: ``read_verified`` does
    that. Raises JournalError when the file is missing or no journal.
    """
    names = [kind.value for kind in kinds]
    which: list[str] = ["seq > ?"]
    values: list[int | str] = [after]
    if until is not None:
        which.append("seq <= ?")
        values.append(until)
    if names:
        which.append(among("kind", names))
        values += names
    return list(query_events(path, which, values, after=after, most=most))


def events_at(path: Path, places: Collection[int]) -> list[StoredEvent]:
    """The events whose ``seq`` is named, in order; a number that no event has is passed over.

    At most some ten thousand may be named. Raises JournalError as :func:`select_events` does.
    """
    places = sorted(places)
    return list(query_events(path, [among("seq", places)], places, after=places[0] - 1)) if places else []

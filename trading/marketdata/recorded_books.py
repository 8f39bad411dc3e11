"""Recorded books of a market: which file is of which instrument, and what a book showed at an instant."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from trading.domain.errors import DataError
from trading.domain.event import Event, EventKind
from trading.marketdata.depth import BookTape, load_book_tape

_LEVELS = re.compile(r"(?P<symbol>[A-Z0-9]{1,20}-[A-Z0-9]{2,10}(?:-PERP)?)(?P<label>-[A-Za-z0-9_-]+)?-l2\.parquet")

SHOWN_LEVELS = 20


def load_books(paths: Sequence[Path], instruments: Sequence[str]) -> dict[str, BookTape]:
    """The recordings among ``paths`` that are of ``instruments``, each with the trades beside it.

    Level changes lie in ``<BASE>-<QUOTE>[-PERP][-label]-l2.parquet``, trades in the same name with ``-trades``. Raises
    DataError for another name, a file that is none, two recordings of an instrument, or where none is of these.
    """
    found: dict[str, Path] = {}
    for path in paths:
        named = _LEVELS.fullmatch(path.name)
        if named is None:
            raise DataError(
                f"{path}: not the name of a recorded book; expected <BASE>-<QUOTE>[-PERP][-label]-l2.parquet: "
                "rename it or leave it out"
            )
        symbol = named["symbol"]
        if symbol in found:
            raise DataError(f"{symbol}: two recorded books, {found[symbol]} and {path}: name one")
        if symbol in instruments:
            found[symbol] = path
    if not found:
        raise DataError(f"none of the recorded books is of {', '.join(instruments)}")
    return {
        symbol: load_book_tape(path, path.with_name(path.name.replace("-l2.parquet", "-trades.parquet")))
        for symbol, path in found.items()
    }


def books_seen(books: Mapping[str, BookTape], at_ms: int) -> list[Event]:
    """What each book shows at an instant that its recording covers, as the journal holds it."""
    found = (_seen(symbol, book, at_ms) for symbol, book in books.items() if book.covers(at_ms, at_ms))
    return [event for event in found if event is not None]


def _seen(symbol: str, book: BookTape, at_ms: int) -> Event | None:
    depth = book.depth_at(at_ms)
    if not depth.spread > 0:
        return None
    bids, asks = (list(map(list, islice(depth.levels(sign), SHOWN_LEVELS))) for sign in (-1, 1))
    changed_ms = int(book.ts_ms[book.ts_ms.searchsorted(at_ms, side="right") - 1])
    payload = {"instrument": symbol, "ts_ms": changed_ms, "bids": bids, "asks": asks}
    return Event(ts_ms=at_ms, kind=EventKind.BOOK_SEEN, payload=payload)

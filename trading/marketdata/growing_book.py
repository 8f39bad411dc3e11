"""A book that grows while it is traded on: what was heard of it is put on its end, and what stands there stays."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trading.domain.errors import JournalError
from trading.domain.event import Event, EventKind
from trading.marketdata.depth import ASK, BID, BookTape, Trades

Span = tuple[int, int]

MOST_ROWS = 200_000
"""Beyond so many level changes the older half is forgotten: who waits since before then joins his queue anew."""

KEPT_LEVELS = 50
"""So many of the best levels a side stand in every sample, and beyond them those at which orders rest."""

_SIDES = ((1, BID), (2, ASK))


class GrowingBook(BookTape):
    """The book of one instrument as ``DEPTH_GREW`` events tell it: samples of its best levels, and public trades.

    A fold over the journal. An event begins with the whole book and goes on with what changed. It is told where the
    book was known without a break, and where its trades were; elsewhere nothing is matched against it.
    """

    def __init__(self, instrument: str) -> None:
        nothing, never = np.empty(0), np.empty(0, np.int64)
        trades = Trades(ts_ms=never, price=nothing, size=nothing, sold=np.empty(0, bool))
        super().__init__(ts_ms=never, side=never, price=nothing, size=nothing, snapshot=never, trades=trades)
        self.instrument = instrument
        self._until_ms = 0
        self._known: list[Span] = []
        self._printed: list[Span] = []
        self._bids: dict[float, float] = {}
        self._asks: dict[float, float] = {}
        self._checkpoints = [(0, {}, {})]

    def apply(self, event: Event) -> None:
        """Take in what an event tells of this book. Raises JournalError for what is no such event."""
        if event.kind is EventKind.DEPTH_GREW and event.payload.get("instrument") == self.instrument:
            try:
                self._extend(event.payload)
            except (IndexError, KeyError, TypeError, ValueError) as error:
                raise JournalError(
                    f"{self.instrument}: no book can be read from {event.kind.value}: {error}"
                ) from error

    def covers(self, from_ms: int, until_ms: int) -> bool:
        """Whether book and trades are known from the one instant to the other."""
        return _within(self._known, from_ms, until_ms) and _within(self._printed, from_ms, until_ms)

    def reaches(self, open_ms: int, at_ms: int, close_ms: int, *, waits: bool) -> bool:
        """An order that only takes needs the book of its instant; one that waits, all that comes up to the close."""
        return self.covers(at_ms, close_ms) if waits else _within(self._known, at_ms, at_ms + 1)

    def joined_ms(self, side: int, price: float, from_ms: int) -> int | None:
        """The first instant at which its level can be seen: whoever stands there then, stands ahead. None: never."""
        at = next((max(begin, from_ms) for begin, end in self._known if end > from_ms), None)
        if at is None:
            return None
        shown, _ = self.depth_at(at).side(-side)
        edge = shown[:KEPT_LEVELS][-1:]
        if price in shown or (len(edge) and (price - float(edge[0])) * side >= 0):
            return at
        changed, sizes = self.size_history(side, price, at, self._until_ms)
        seen = changed[sizes > 0]
        return int(seen[0]) if len(seen) else None

    # -- inside ----------------------------------------------------------------------------------------------------

    def _extend(self, payload: Mapping[str, Any]) -> None:
        since_ms, until_ms = int(payload["since_ms"]), int(payload["until_ms"])
        if since_ms < self._until_ms or until_ms < since_ms:
            raise ValueError(f"the book is final up to {self._until_ms}: {since_ms} to {until_ms} cannot be put in")
        rows: list[tuple[int, int, float, float]] = []
        known = [_span(span) for span in payload["known"]]
        printed = [_span(span) for span in payload["printed"]]
        trades = [(int(at), float(price), float(size), bool(sold)) for at, price, size, sold in payload["trades"]]
        bids, asks = dict(self._bids), dict(self._asks)
        for place, sample in enumerate(payload["levels"]):
            at = max(since_ms, int(sample[0]))
            for column, side in _SIDES:
                book = bids if side == BID else asks
                rows += [(at, side, *level) for level in _changes(book, sample[column], whole=place == 0)]
        self._put(rows)
        self._bids, self._asks, self._until_ms = bids, asks, until_ms
        self.trades = _joined(self.trades, trades)
        _add(self._known, known)
        _add(self._printed, printed)
        self._checkpoints = [*self._checkpoints, (len(self.ts_ms), dict(bids), dict(asks))]
        if len(self.ts_ms) > MOST_ROWS:
            self._drop_older_half()

    def _put(self, rows: Sequence[tuple[int, int, float, float]]) -> None:
        table = np.array(rows, np.float64).reshape(len(rows), 4)
        ts_ms = np.concatenate([self.ts_ms, table[:, 0].astype(np.int64)])
        if int(np.diff(ts_ms).min(initial=0)) < 0:
            raise ValueError("its samples go back in time")
        self.ts_ms = ts_ms
        self._side = np.concatenate([self._side, table[:, 1].astype(np.int64)])
        self.price = np.concatenate([self.price, table[:, 2]])
        self.size = np.concatenate([self.size, table[:, 3]])
        self._snapshot = np.zeros(len(ts_ms), np.int64)

    def _drop_older_half(self) -> None:
        first = next(mark for mark in self._checkpoints if mark[0] >= len(self.ts_ms) // 2)
        row = first[0]
        from_ms = int(self.ts_ms[row]) if row < len(self.ts_ms) else self._until_ms
        self.ts_ms, self.price, self.size = self.ts_ms[row:], self.price[row:], self.size[row:]
        self._side, self._snapshot = self._side[row:], self._snapshot[row:]
        self.trades = self.trades.between(from_ms, self._until_ms)
        self._checkpoints = [(mark[0] - row, *mark[1:]) for mark in self._checkpoints if mark[0] >= row]
        for spans in (self._known, self._printed):
            spans[:] = [(max(begin, from_ms), end) for begin, end in spans if end > from_ms]


def _changes(book: dict[float, float], flat: Sequence[float], *, whole: bool) -> list[tuple[float, float]]:
    """What a sample changes in ``book``, which is changed with it; of a ``whole`` one, only what is new."""
    told = {float(price): float(size) for price, size in zip(flat[::2], flat[1::2], strict=True)}
    if not all(0 < price < np.inf and 0 <= size < np.inf for price, size in told.items()):
        raise ValueError("a level has a price that is not above zero, or a size that is no quantity")
    if whole:
        told = dict.fromkeys(book, 0.0) | told
    changed = [(price, size) for price, size in told.items() if book.get(price, 0.0) != size]
    for price, size in changed:
        if size:
            book[price] = size
        else:
            del book[price]
    return changed


def _span(span: Sequence[int]) -> Span:
    begin, end = span
    return int(begin), int(end)


def _add(spans: list[Span], more: Sequence[Span]) -> None:
    for begin, end in more:
        if spans and begin <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((begin, end))


def _within(spans: Sequence[Span], from_ms: int, until_ms: int) -> bool:
    return any(begin <= from_ms and until_ms <= end for begin, end in spans)


def _joined(trades: Trades, more: Sequence[tuple[int, float, float, bool]]) -> Trades:
    columns = list(zip(*more, strict=True)) or [(), (), (), ()]
    ts_ms = np.concatenate([trades.ts_ms, np.array(columns[0], np.int64)])
    if int(np.diff(ts_ms).min(initial=0)) < 0:
        raise ValueError("its trades go back in time")
    return Trades(
        ts_ms=ts_ms,
        price=np.concatenate([trades.price, np.array(columns[1], np.float64)]),
        size=np.concatenate([trades.size, np.array(columns[2], np.float64)]),
        sold=np.concatenate([trades.sold, np.array(columns[3], np.bool_)]),
    )

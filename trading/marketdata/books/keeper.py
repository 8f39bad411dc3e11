"""The keeper of one book: it follows the venue's messages and says when the book may not be trusted."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from trading.domain.errors import DataError
from trading.marketdata.books.book import OrderBook, Top
from trading.marketdata.books.checksum import kraken_checksum
from trading.marketdata.books.continuity import BookRule, Verdict, judge
from trading.marketdata.books.message import BookMessage

WAITING_MESSAGES = 5_000
LATE_MS = 10_000
"""A whole book older than the one held came late; older by more than this, the venue has set its clock back."""


class BookState(StrEnum):
    """``waiting`` for a first snapshot, ``good``, or ``resyncing`` after a fault. Only a good book is served."""

    WAITING = "waiting"
    GOOD = "good"
    RESYNCING = "resyncing"


@dataclass(slots=True, kw_only=True)
class BookCounts:
    """What happened to a book: messages applied, and each kind of fault. ``resyncs`` counts returns to good."""

    applied: int = 0
    old: int = 0
    gaps: int = 0
    crossed: int = 0
    checksum_faults: int = 0
    stale_snapshots: int = 0
    refused: int = 0
    lost: int = 0
    resyncs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksumScale:
    """Decimals of price and size as the venue writes them, which its checksum depends on."""

    price_decimals: int
    size_decimals: int


class BookKeeper:
    """Follows one book by the rule of its venue. It never blocks and asks for nothing: it says what it needs.

    A gap, a crossed book, a wrong checksum or a lost connection ends trust until a new snapshot: :meth:`top` is None
    meanwhile. Messages that arrive before the snapshot wait for it (the newest 5,000).
    """

    def __init__(
        self,
        rule: BookRule,
        *,
        scale: ChecksumScale | None = None,
        depth: int | None = None,
        book: OrderBook | None = None,
    ) -> None:
        if rule is BookRule.KRAKEN and (scale is None or depth is None):
            raise ValueError("a book with a checksum needs the decimals it is written with, and the depth streamed")
        self.rule = rule
        self.counts = BookCounts()
        self.state = BookState.WAITING
        self.event_ms: int | None = None
        self._scale = scale
        self._depth = depth
        self._book = book or OrderBook()
        self._held_id = -1
        self._fresh = False
        self._waiting: deque[BookMessage] = deque(maxlen=WAITING_MESSAGES)

    @property
    def needs_snapshot(self) -> bool:
        """Whether a snapshot has to be asked for: the venue does not send one, and changes are already waiting."""
        return self.rule.asks_for_snapshot and self.state is not BookState.GOOD and bool(self._waiting)

    @property
    def needs_stream(self) -> bool:
        """Whether the stream has to begin anew, as it is what brings the snapshot."""
        return not self.rule.asks_for_snapshot and self.state is BookState.RESYNCING

    @property
    def book(self) -> OrderBook | None:
        """The book while it is good."""
        return self._book if self.state is BookState.GOOD else None

    def top(self) -> Top | None:
        """The best levels; None unless the book is good and both sides stand."""
        return self._book.top() if self.state is BookState.GOOD else None

    def take(self, message: BookMessage) -> bool:
        """Take a message of the stream, or the snapshot that was asked for. Whether the book is good afterwards.

        A message that is no book change (prices not above zero, ids missing) is refused and counted; as it may have
        changed the book, trust ends with it.
        """
        try:
            if message.snapshot:
                self._begin(message)
            elif self.state is not BookState.GOOD:
                if self.rule.asks_for_snapshot:  # elsewhere the snapshot comes in the stream, after these
                    self._waiting.append(message)
            else:
                self._go_on(message)
        except DataError:
            self.counts.refused += 1
            self._distrust()
        return self.state is BookState.GOOD

    def lost(self) -> None:
        """The connection dropped: what was said meanwhile is unknown."""
        self.counts.lost += 1
        self._waiting.clear()
        self._distrust()

    def missed(self) -> None:
        """The connection's own count has a gap, so this book may have one."""
        self.counts.gaps += 1
        self._distrust()

    def _begin(self, message: BookMessage) -> None:
        if self.rule.asks_for_snapshot:
            if message.final_id is None:
                raise DataError("a snapshot comes without its update id")
            if self.state is BookState.GOOD and message.final_id <= self._held_id:
                self.counts.old += 1
                return
        elif self._late(message):
            self.counts.old += 1
            return
        self._book.clear()
        self._book.apply(message.side, message.price, message.size)
        self._held_id = message.final_id if message.final_id is not None else -1
        self._fresh = True
        self.event_ms = message.event_ms
        if self._faulty(message):
            return
        was, self.state = self.state, BookState.GOOD
        waiting, self._waiting = list(self._waiting), deque(maxlen=WAITING_MESSAGES)
        for place, waited in enumerate(waiting):
            if judge(self.rule, waited, self._held_id, fresh=self._fresh) is Verdict.GAP:
                self.counts.stale_snapshots += 1  # the snapshot ends before the changes begin
                self.state = was
                self._waiting.extend(waiting[place:])
                return
            self._go_on(waited)
        if was is BookState.RESYNCING and self.state is BookState.GOOD:
            self.counts.resyncs += 1

    def _late(self, message: BookMessage) -> bool:
        """Whether a whole book is older than the one held; where the venue streams whole books they may overtake."""
        return (
            self.rule is BookRule.SNAPSHOTS
            and self.state is BookState.GOOD
            and message.event_ms is not None
            and self.event_ms is not None
            and 0 < self.event_ms - message.event_ms < LATE_MS
        )

    def _go_on(self, message: BookMessage) -> None:
        verdict = judge(self.rule, message, self._held_id, fresh=self._fresh)
        if verdict is Verdict.OLD:
            self.counts.old += 1
            return
        if verdict is Verdict.GAP:
            self.counts.gaps += 1
            self._distrust()
            self._waiting.append(message)  # gaps are judged only where a snapshot is asked for: it may join this one
            return
        self._book.apply(message.side, message.price, message.size)
        if self._depth is not None:
            self._book.keep_best(self._depth)
        if message.final_id is not None:
            self._held_id = message.final_id
        self._fresh = False
        self.event_ms = message.event_ms
        self._faulty(message)

    def _faulty(self, message: BookMessage) -> bool:
        """Whether the book is not what the venue has; then trust ends."""
        if self._book.crossed:
            self.counts.crossed += 1
        elif self._scale is not None and message.checksum is not None and message.checksum != self._checksum():
            self.counts.checksum_faults += 1
        else:
            self.counts.applied += 1
            return False
        self._distrust()
        return True

    def _checksum(self) -> int:
        assert self._scale is not None
        return kraken_checksum(
            self._book, price_decimals=self._scale.price_decimals, size_decimals=self._scale.size_decimals
        )

    def _distrust(self) -> None:
        self.state = BookState.RESYNCING
        self._book.clear()

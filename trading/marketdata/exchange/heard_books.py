"""What a live feed said lately of every book that it follows, told in events."""

from collections.abc import Sequence

from trading.domain.event import Event
from trading.domain.order import Order
from trading.marketdata.exchange.events import BookTop, LiveEvent
from trading.marketdata.exchange.feed import LiveFeed
from trading.marketdata.exchange.heard_book import HeardBook, Orders


class HeardBooks:
    """The books of a running feed, whose events it must be given. Where events were dropped, books are not known."""

    def __init__(self, feed: LiveFeed) -> None:
        self._feed = feed
        self._orders: Orders = _nothing
        self._dropped = 0
        self._books = {name: HeardBook(name, feed.step_ms, self._standing) for name in feed.spec.instruments}

    def follow(self, orders: Orders) -> None:
        """Tell what matching the ``orders`` that stand needs, from here on."""
        self._orders = orders

    def take(self, event: LiveEvent) -> None:
        """Note what an event says."""
        name = event.instrument
        keeper = self._feed.keepers.get(name)
        told_ms = None if keeper is None else keeper.event_ms
        book = self._feed.book(name) if isinstance(event, BookTop) else None
        self._books[name].take(event, book, self._feed.venue_ms() if told_ms is None else told_ms)

    def events(self, since_ms: int, until_ms: int) -> Sequence[Event]:
        """What was heard in [``since_ms``, ``until_ms``] of each book: what orders need, and what it shows at the end.

        What came before ``until_ms`` is forgotten with it.
        """
        dropped = self._feed.health().dropped
        if dropped > self._dropped:
            self._dropped = dropped
            for book in self._books.values():
                book.broke()
        found = [
            event
            for book in self._books.values()
            for event in (book.grown(since_ms, until_ms), book.seen(until_ms))
            if event is not None
        ]
        for book in self._books.values():
            book.forget(until_ms)
        return found

    def _standing(self) -> Sequence[Order]:
        return self._orders()


def _nothing() -> Sequence[Order]:
    return ()

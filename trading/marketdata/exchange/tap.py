"""A subclass of any ccxt exchange that hands over book frames as they come, and outlives a frame it cannot read.

ccxt keeps books in Python lists and, on some venues, notices no missing message (Coinbase numbers frames, Kraken sends
a checksum that is off by default). So its subscriptions and connections are used and its books are not, where we know
the venue's rule. Its receive loop also ends when a handler raises; here a frame that cannot be read is counted.
"""

from typing import Any, Protocol
from weakref import WeakKeyDictionary

from trading.domain.errors import DataError
from trading.marketdata.books import BookMessage, BookRule
from trading.marketdata.exchange.wire import frame_number, read_frame

_HASHES = ("orderbook::{0}", "orderbook:{0}", "orderbook@{0}", "level2::{0}")


class Listener(Protocol):
    """Whoever follows the streams of an exchange."""

    def take_book(self, symbol: str, message: BookMessage) -> None:
        """A book message of the market that ccxt calls ``symbol``."""
        ...

    def missed(self) -> None:
        """The frames of a connection have a gap."""
        ...

    def refused(self, kind: str | None) -> None:
        """A frame of streams of this kind, None for any, could not be read."""
        ...


class Tap:
    """Hands the book frames of a venue whose rule is known to ``listener``, which is set before the first frame."""

    def __init__(self, rule: BookRule | None) -> None:
        self._rule = rule
        self.listener: Listener
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    @property
    def keeps_books(self) -> bool:
        """Whether the venue's frames are read here."""
        return self._rule is not None

    def book(self, exchange: Any, client: Any, frame: Any) -> None:
        """Take a book frame of ``exchange`` and wake whoever watches its markets."""
        assert self._rule is not None
        try:
            for market_id, message in read_frame(self._rule, frame):
                symbol = _symbol(exchange, client, market_id)
                self.listener.take_book(symbol, message)
                for pattern in _HASHES:
                    client.resolve(_SEEN, pattern.format(symbol))
        except DataError:
            self.listener.refused("book")
            self.listener.missed()

    def counts(self, client: Any, frame: Any) -> bool:
        """Whether the frame is new to its connection; a gap before it is told."""
        number = None if self._rule is None else frame_number(self._rule, frame)
        if number is None:
            return True
        before = self._numbers.get(client)
        if before is not None and number <= before:
            return False
        if before is not None and number != before + 1:
            self.listener.missed()
        self._numbers[client] = number
        return True

    def refused(self) -> None:
        """A frame could not be read."""
        self.listener.refused(None)


class _Seen:
    """Stands for a book in ccxt's futures: the book itself is elsewhere."""

    def limit(self) -> "_Seen":
        return self


_SEEN = _Seen()


def tapped(plain: type[Any], tap: Tap) -> type[Any]:
    """``plain`` with ``tap`` in its frames."""
    from ccxt.base.errors import BaseError

    def handle_message(self: Any, client: Any, message: Any) -> None:
        try:
            if isinstance(message, dict | list) and tap.counts(client, message):
                plain.handle_message(self, client, message)
            elif not isinstance(message, dict | list):
                tap.refused()
        except (BaseError, AttributeError, ArithmeticError, LookupError, TypeError, ValueError):
            tap.refused()

    def handle_order_book(self: Any, client: Any, message: Any) -> None:
        tap.book(self, client, message)

    methods: dict[str, Any] = {"handle_message": handle_message}
    if tap.keeps_books:
        methods["handle_order_book"] = handle_order_book
        methods["handle_order_book_subscription"] = lambda *_: None
        methods["create_ws_auth"] = lambda *_: {}  # Coinbase's public channels need no key
    return type(plain.__name__, (plain,), methods)


def _symbol(exchange: Any, client: Any, market_id: str) -> str:
    coin = getattr(exchange, "coinToMarketId", None)
    if coin is not None:
        market_id = coin(market_id)
    if market_id in exchange.markets:  # Kraken and Hyperliquid name markets as ccxt does
        return str(market_id)
    kinds = {market["type"]: market["symbol"] for market in exchange.markets_by_id.get(market_id, ())}
    if not kinds:
        raise DataError(f"a book frame names the market {market_id!r}, which {exchange.id} does not list")
    wanted = "swap" if "fstream" in client.url or "swap" in client.url else "spot"
    return str(kinds.get(wanted) or next(iter(kinds.values())))

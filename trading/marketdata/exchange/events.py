"""What a live feed says. ``ts_ms`` is the venue's clock, ``received_ms`` ours; both milliseconds since 1970 (UTC)."""

from dataclasses import dataclass
from enum import StrEnum

from trading.domain.market import Bar
from trading.marketdata.books import Top


class StreamKind(StrEnum):
    """What a stream brings."""

    BOOK = "book"
    TRADES = "trades"
    TICKER = "ticker"
    CANDLES = "candles"
    FUNDING = "funding"
    MARK = "mark"
    OPEN_INTEREST = "open-interest"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """Something about one instrument. ``ts_ms`` is None where the venue gives no time."""

    instrument: str
    ts_ms: int | None
    received_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTop(LiveEvent):
    """The best levels of a book that is good."""

    top: Top


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePrint(LiveEvent):
    """A public trade. ``sign`` is +1 where the buyer took, -1 where the seller did, None where not said."""

    trade_id: str | None
    price: float
    quantity: float
    sign: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker(LiveEvent):
    """The venue's summary: last price and best levels, None where not given."""

    last: float | None
    bid: float | None
    ask: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedBar(LiveEvent):
    """A candle that has closed; ``ts_ms`` is its close. Bars of an instrument come in order, each once."""

    step_ms: int
    bar: Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRate(LiveEvent):
    """The funding rate that the next settlement is expected to pay, a fraction of notional, and when."""

    rate: float
    next_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledFunding(LiveEvent):
    """A funding rate that was paid at ``ts_ms``, a fraction of notional."""

    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkPrice(LiveEvent):
    """The price by which a perpetual is margined."""

    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterest(LiveEvent):
    """Open contracts of a perpetual, in base units and in quote units, None where not given."""

    base: float | None
    quote: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness(LiveEvent):
    """A stream went stale (``stale_since_ms`` is when it last was good) or came back (None)."""

    stream: StreamKind
    stale_since_ms: int | None
    reason: str

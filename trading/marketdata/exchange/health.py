"""The health of a live feed: for each instrument and stream, whether what it said last may still be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from trading.domain.instants import iso
from trading.marketdata.books import BookCounts
from trading.marketdata.exchange.events import StreamKind
from trading.marketdata.exchange.skew import ClockSkew


class StreamState(StrEnum):
    """``starting`` until a first event; ``live``; ``stale`` when silent or behind for too long; ``reconnecting``;
    ``resyncing`` while a book may not be trusted; ``unsupported`` where the exchange has no such stream.
    """

    STARTING = "starting"
    LIVE = "live"
    STALE = "stale"
    RECONNECTING = "reconnecting"
    RESYNCING = "resyncing"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class StalenessLimits:
    """How long a stream may be silent, or its newest event behind, before it is stale, in milliseconds.

    A quiet market prints no trades for a while; a book and a ticker of a live market do not stand still so long.
    Candles add the length of a bar, polled streams three times their interval.
    """

    book: int = 5_000
    trades: int = 60_000
    ticker: int = 15_000
    candles: int = 15_000
    polled: int = 90_000

    def of(self, kind: StreamKind, step_ms: int) -> int:
        """The limit of a stream."""
        if kind is StreamKind.CANDLES:
            return step_ms + self.candles
        named = {StreamKind.BOOK: self.book, StreamKind.TRADES: self.trades, StreamKind.TICKER: self.ticker}
        return named.get(kind, self.polled)


@dataclass(slots=True, kw_only=True)
class StreamRecord:
    """What is kept of one stream while it runs."""

    instrument: str
    kind: StreamKind
    state: StreamState = StreamState.STARTING
    started_ms: int = 0
    received_ms: int | None = None
    event_ms: int | None = None
    stale_since_ms: int | None = None
    reason: str = ""
    events: int = 0
    refused: int = 0
    reconnects: int = 0
    staled: int = 0

    def snapshot(self, book: BookCounts | None) -> "StreamHealth":
        """As it stands now."""
        return StreamHealth(
            instrument=self.instrument,
            stream=self.kind,
            state=self.state,
            last_event_ms=self.event_ms,
            last_received_ms=self.received_ms,
            stale_since_ms=self.stale_since_ms,
            reason=self.reason,
            events=self.events,
            refused=self.refused + (book.refused if book else 0),
            reconnects=self.reconnects,
            gaps=book.gaps if book else 0,
            checksum_faults=book.checksum_faults if book else 0,
            crossed=book.crossed if book else 0,
            resyncs=book.resyncs if book else 0,
            staled=self.staled,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHealth:
    """One stream at an instant. Counts run from the start of the feed; ``gaps`` to ``resyncs`` concern books."""

    instrument: str
    stream: StreamKind
    state: StreamState
    last_event_ms: int | None
    last_received_ms: int | None
    stale_since_ms: int | None
    reason: str
    events: int
    refused: int
    reconnects: int
    gaps: int
    checksum_faults: int
    crossed: int
    resyncs: int
    staled: int

    @property
    def fresh(self) -> bool:
        """Whether what it said last may be used as the present."""
        return self.state is StreamState.LIVE

    def words(self) -> str:
        """For people and prompts: ``BTC-USDT book: stale since 2026-01-01T00:00:00Z (silent)``."""
        since = f" since {iso(self.stale_since_ms)}" if self.stale_since_ms is not None else ""
        state = "stale" if self.stale_since_ms is not None else self.state.value
        reason = f" ({self.reason})" if self.reason and not self.fresh else ""
        return f"{self.instrument} {self.stream}: {state}{since}{reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """The whole feed at ``as_of_ms``. ``dropped`` counts events that nobody fetched in time."""

    exchange_id: str
    as_of_ms: int
    skew: ClockSkew | None
    dropped: int
    rate_limited: int
    streams: Mapping[tuple[str, StreamKind], StreamHealth] = field(default_factory=lambda: MappingProxyType({}))

    def stale(self) -> tuple[StreamHealth, ...]:
        """The streams that went stale and are not back."""
        return tuple(stream for stream in self.streams.values() if stream.stale_since_ms is not None)

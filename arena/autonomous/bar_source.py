"""Where the bars of a market that is followed come from: a live feed, and the exchange's history for what it missed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Protocol

from trading.domain.clock import Clock
from trading.domain.event import Event
from trading.domain.instants import duration_ms
from trading.domain.market import Bar
from trading.marketdata.exchange import (
    CandleSource,
    ClosedBar,
    ExchangeSpec,
    FeedSpec,
    HeardBooks,
    LiveFeed,
    SettledFunding,
    StreamKind,
    StreamState,
    open_candles,
    open_feed,
)
from trading.marketdata.growing import funding_event

_NEEDED = frozenset({StreamKind.BOOK, StreamKind.CANDLES})
"""An instrument is heard while these streams of it are live; a quiet market prints no trades."""


class BarSource(Protocol):
    """Bars as they close, and those of the past."""

    def heard(self, symbol: str, since_ms: int, until_ms: int) -> Sequence[Bar]:
        """The bars that came by themselves, opened in [``since_ms``, ``until_ms``), in order."""
        ...

    def forget(self, before_ms: int) -> None:
        """Bars that opened before are not asked for again."""
        ...

    async def fetch(self, symbol: str, since_ms: int, until_ms: int) -> Sequence[Bar]:
        """The closed bars that opened in [``since_ms``, ``until_ms``), asked for.

        Raises SourceUnavailable or RequestError.
        """
        ...

    def stale(self) -> Mapping[str, str]:
        """The instruments that are not heard now, each with words that say since when and why."""
        ...


class ExchangeBars:
    """Bars and :attr:`books` of a running feed, with candles over REST. Made by :func:`open_exchange_bars`.

    A streamed bar is what was heard of it last before the next one began. Where the stream broke, was refused or began
    within the bar, its end may have been missed: such a bar counts as not heard, and is asked for.
    """

    def __init__(self, feed: LiveFeed, candles: CandleSource, timeframe: str) -> None:
        self._feed = feed
        self._candles = candles
        self._timeframe = timeframe
        self.books = HeardBooks(feed)
        self._settled: dict[str, list[tuple[int, float]]] = {}
        self._heard: dict[str, dict[int, Bar]] = {name: {} for name in feed.spec.instruments}
        self._troubles: dict[str, int] = {}
        self._failure = ""

    async def listen(self) -> None:
        """Take in the feed's events until it ends. A feed whose own code failed leaves every instrument unheard."""
        try:
            async for event in self._feed:
                self.books.take(event)
                if isinstance(event, SettledFunding) and event.ts_ms is not None:
                    self._settled.setdefault(event.instrument, []).append((event.ts_ms, event.rate))
                if isinstance(event, ClosedBar) and self._was_whole(event.instrument):
                    self._heard[event.instrument][event.bar.open_ms] = event.bar
        except Exception as error:  # noqa: BLE001  (the job's border: the market goes on by REST and says what it lacks)
            self._failure = f"the feed failed ({type(error).__name__})"

    def _was_whole(self, symbol: str) -> bool:
        """Whether nothing befell the stream since its last bar closed."""
        stream = self._feed.watch.records[symbol, StreamKind.CANDLES]
        troubles = stream.reconnects + stream.refused + stream.staled
        before = self._troubles.get(symbol)
        self._troubles[symbol] = troubles
        return before == troubles

    def heard(self, symbol: str, since_ms: int, until_ms: int) -> Sequence[Bar]:
        """See :class:`BarSource`."""
        found = self._heard[symbol]
        return [found[at] for at in sorted(found) if since_ms <= at < until_ms]

    def events(self, since_ms: int, until_ms: int) -> Sequence[Event]:
        """See :class:`~arena.autonomous.paced_market.BesideSource`."""
        settled, self._settled = self._settled, {}
        rates = [funding_event(name, rows, since_ms, until_ms) for name, rows in sorted(settled.items())]
        return [*rates, *self.books.events(since_ms, until_ms)]

    def forget(self, before_ms: int) -> None:
        """See :class:`BarSource`."""
        for name, found in self._heard.items():
            self._heard[name] = {at: bar for at, bar in found.items() if at >= before_ms}

    async def fetch(self, symbol: str, since_ms: int, until_ms: int) -> Sequence[Bar]:
        """See :class:`BarSource`."""
        found: list[Bar] = []
        async for page in self._candles.candles(symbol, self._timeframe, since_ms, until_ms):
            series = page.series
            columns = (series.open_ms, series.open, series.high, series.low, series.close, series.volume)
            found += [
                Bar(open_ms=at, open=opened, high=high, low=low, close=close, volume=volume)
                for at, opened, high, low, close, volume in zip(*(part.tolist() for part in columns), strict=True)
            ]
        return found

    def stale(self) -> Mapping[str, str]:
        """See :class:`BarSource`."""
        if self._failure:
            return dict.fromkeys(self._heard, self._failure)
        found: dict[str, str] = {}
        for stream in self._feed.health().streams.values():
            if stream.stream in _NEEDED and stream.state not in (StreamState.LIVE, StreamState.UNSUPPORTED):
                found.setdefault(stream.instrument, stream.words())
        return found


@asynccontextmanager
async def open_exchange_bars(
    exchange: ExchangeSpec,
    instruments: Sequence[str],
    timeframe: str,
    *,
    clock: Clock,
    spec: FeedSpec | None = None,
    funding: bool = False,
) -> AsyncIterator[ExchangeBars]:
    """The bars of an exchange's instruments as they close. ``spec`` is the feed's, where its defaults do not fit.

    With ``funding`` the rates that perpetuals settle are followed too.
    """
    wanted = spec or FeedSpec(exchange=exchange, instruments=tuple(instruments))
    wanted = replace(wanted, exchange=exchange, instruments=tuple(instruments), timeframe=timeframe, history=2)
    if funding:
        wanted = replace(wanted, streams=wanted.streams | {StreamKind.FUNDING})
    if duration_ms(timeframe) <= 0:
        raise ValueError(f"timeframe {timeframe!r} has no length")
    async with (
        open_candles(exchange, clock=clock, backoff=wanted.backoff) as candles,
        open_feed(wanted, clock=clock) as feed,
    ):
        bars = ExchangeBars(feed, candles, timeframe)
        listening = asyncio.create_task(bars.listen())
        try:
            yield bars
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

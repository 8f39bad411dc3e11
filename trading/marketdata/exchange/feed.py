"""The live feed of one exchange: its events as they come, the market view now, and the health of every stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import RequestError, SourceUnavailable
from trading.domain.instants import duration_ms
from trading.marketdata.books import BookKeeper, OrderBook, Top
from trading.marketdata.exchange.calls import Backoff, Caller
from trading.marketdata.exchange.closing import ClosingBars
from trading.marketdata.exchange.connection import ExchangeSpec, load_markets, market_symbol, open_exchange
from trading.marketdata.exchange.events import (
    BookTop,
    ClosedBar,
    LiveEvent,
    SettledFunding,
    StreamKind,
    Ticker,
    TradePrint,
)
from trading.marketdata.exchange.facts import exchange_facts
from trading.marketdata.exchange.health import FeedHealth, StalenessLimits, StreamHealth, StreamState
from trading.marketdata.exchange.live_ticks import LiveTicks
from trading.marketdata.exchange.live_view import LiveMarket, LiveView
from trading.marketdata.exchange.skew import measure_skew
from trading.marketdata.exchange.streams import SETTLE_MS, Streams, keeper_for
from trading.marketdata.exchange.tap import Tap, tapped
from trading.marketdata.exchange.watch import StreamWatch

DEFAULT_STREAMS = frozenset({StreamKind.BOOK, StreamKind.TRADES, StreamKind.CANDLES})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSpec:
    """What a feed follows. ``poll_s`` is how often what has no stream is asked for, ``look_s`` how often
    the watch looks.

    ``history`` is how many closed bars are fetched before the first live one. ``queue`` events may wait to be fetched;
    beyond that the oldest is dropped and counted.
    """

    exchange: ExchangeSpec
    instruments: tuple[str, ...]
    streams: frozenset[StreamKind] = DEFAULT_STREAMS
    timeframe: str = "1m"
    history: int = 100
    limits: StalenessLimits = field(default_factory=StalenessLimits)
    backoff: Backoff = field(default_factory=Backoff)
    poll_s: float = 30.0
    look_s: float = 0.5
    skew_s: float = 60.0
    queue: int = 10_000
    seed: int = 0


class LiveFeed:
    """A running feed, made by :func:`open_feed`. Iterating gives its events; it ends when the feed is closed."""

    def __init__(self, spec: FeedSpec, clock: Clock) -> None:
        self.spec = spec
        self.step_ms = duration_ms(spec.timeframe)
        self._clock = clock
        self._events: asyncio.Queue[LiveEvent | None] = asyncio.Queue(maxsize=spec.queue)
        self._dropped = 0
        self._watch = StreamWatch(clock, spec.limits, self.step_ms, self.publish)
        self._keepers: dict[str, BookKeeper] = {}
        self._bars = {name: ClosingBars(name, self.step_ms) for name in spec.instruments}
        self._ticks = {name: LiveTicks(self.step_ms) for name in spec.instruments}
        self._prices: dict[str, tuple[float, int]] = {}
        self._caller: Caller | None = None
        self._remeasure = asyncio.Event()
        self._running: asyncio.Task[None]
        self._grain_ms = exchange_facts(spec.exchange.exchange_id).clock_step_ms

    def __aiter__(self) -> AsyncIterator[LiveEvent]:
        return self

    async def __anext__(self) -> LiveEvent:
        """The next event, whenever it comes. Raises what ended the feed, should its own code have failed."""
        event = await self._events.get()
        if event is None:
            await self._running
            raise StopAsyncIteration
        return event

    @property
    def watch(self) -> StreamWatch:
        """The records of the streams."""
        return self._watch

    @property
    def keepers(self) -> dict[str, BookKeeper]:
        """The books, by instrument."""
        return self._keepers

    @property
    def bars(self) -> dict[str, ClosingBars]:
        """The closed bars, by instrument."""
        return self._bars

    def publish(self, event: LiveEvent) -> None:
        """Hand on an event; note the price it carries. A settled rate that is known is not news."""
        if not self._ticks[event.instrument].take(event, self.venue_ms()) and isinstance(event, SettledFunding):
            return
        price = _price(event)
        if price is not None:
            held = self._watch.here_ms(event.ts_ms) if event.ts_ms is not None else event.received_ms
            if held >= self._prices.get(event.instrument, (price, held))[1]:
                self._prices[event.instrument] = (price, held)
        if self._events.full():
            self._events.get_nowait()
            self._dropped += 1
        self._events.put_nowait(event)

    def venue_ms(self) -> int:
        """The venue's clock, as far as its skew is measured."""
        return self._clock.now_ms() + (round(self._watch.skew.skew_ms) if self._watch.skew else 0)

    def settled_due(self, instrument: str) -> bool:
        """Whether a settlement may have passed since the last one that is known."""
        return self._ticks[instrument].settled_due(self.venue_ms())

    def off_time(self) -> None:
        """An event's time does not fit the measured skew: measure again."""
        self._remeasure.set()

    def book(self, instrument: str) -> OrderBook | None:
        """The whole book while it may be trusted and is fresh, else None."""
        self._watch.look()
        keeper = self._keepers.get(instrument)
        return keeper.book if keeper is not None and self._fresh(instrument, StreamKind.BOOK) else None

    def view(self) -> LiveView:
        """What is known now."""
        streams = tuple(self.health().streams.values())
        markets = {name: self._market(name, streams) for name in self.spec.instruments}
        return LiveView(
            source=self.spec.exchange.exchange_id,
            as_of_ms=self._clock.now_ms(),
            step_ms=self.step_ms,
            markets=markets,
        )

    def health(self) -> FeedHealth:
        """Every stream as it stands now: what has been silent for too long is stale, whoever asks first."""
        self._watch.look()
        streams = {}
        for key, record in self._watch.records.items():
            keeper = self._keepers.get(key[0]) if key[1] is StreamKind.BOOK else None
            streams[key] = record.snapshot(keeper.counts if keeper else None)
        return FeedHealth(
            exchange_id=self.spec.exchange.exchange_id,
            as_of_ms=self._clock.now_ms(),
            skew=self._watch.skew,
            dropped=self._dropped,
            rate_limited=self._caller.limited if self._caller else 0,
            streams=MappingProxyType(streams),
        )

    @asynccontextmanager
    async def following(self, caller: Caller, streams: Streams) -> AsyncIterator[None]:
        """Follow every stream until the context ends."""
        self._caller = caller
        self._running = asyncio.create_task(self._run(caller, streams))
        self._running.add_done_callback(lambda _: self._end())
        try:
            yield
        finally:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    def _end(self) -> None:
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(None)

    async def _run(self, caller: Caller, streams: Streams) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_skew(caller))
            group.create_task(self._keep_watch(streams))
            for follow in streams.all():
                group.create_task(follow)

    async def _keep_skew(self, caller: Caller) -> None:
        exchange = caller.exchange
        while exchange.has.get("fetchTime"):
            with suppress(SourceUnavailable, RequestError):
                self._watch.skew = await measure_skew(
                    lambda: caller.ask("its time", exchange.fetch_time), self._clock, grain_ms=self._grain_ms
                )
            self._remeasure.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.spec.skew_s):
                    await self._remeasure.wait()
            await caller.sleep(self.spec.look_s)

    async def _keep_watch(self, streams: Streams) -> None:
        while True:
            await asyncio.sleep(self.spec.look_s)
            streams.restart_silent(self._watch.look())

    def _market(self, name: str, streams: tuple[StreamHealth, ...]) -> LiveMarket:
        price, held = self._prices.get(name, (None, 0))
        bars = tuple(self._bars[name].bars)
        opened = np.array([bar.open_ms for bar in bars], np.int64)
        return LiveMarket(
            bars=bars,
            beside=self._ticks[name].columns(opened, self.venue_ms() - SETTLE_MS),
            settled=self._ticks[name].settled_rates(),
            price=price,
            quote_ms=held,
            top=self._top(name),
            stale=tuple(
                stream.words()
                for stream in streams
                if stream.instrument == name and stream.state not in {StreamState.LIVE, StreamState.UNSUPPORTED}
            ),
        )

    def _top(self, name: str) -> Top | None:
        keeper = self._keepers.get(name)
        return keeper.top() if keeper is not None and self._fresh(name, StreamKind.BOOK) else None

    def _fresh(self, name: str, kind: StreamKind) -> bool:
        record = self._watch.records.get((name, kind))
        return record is not None and record.state is StreamState.LIVE


@asynccontextmanager
async def open_feed(spec: FeedSpec, *, clock: Clock | None = None) -> AsyncIterator[LiveFeed]:
    """A feed that is running, with its markets loaded; closed at the end.

    Raises RequestError for an unknown exchange or instrument, SourceUnavailable when the exchange stays silent.
    """
    clock = clock or SystemClock()
    feed = LiveFeed(spec, clock)
    facts = exchange_facts(spec.exchange.exchange_id)
    tap = Tap(facts.book_rule)
    async with open_exchange(spec.exchange, adapt=lambda plain: tapped(plain, tap)) as exchange:
        caller = Caller(exchange=exchange, backoff=spec.backoff, rng=np.random.default_rng(spec.seed))
        await load_markets(caller)
        symbols = {name: market_symbol(exchange, name) for name in spec.instruments}
        for name, symbol in symbols.items():
            feed.keepers[name] = keeper_for(facts, exchange.markets[symbol])
        streams = Streams(feed, caller, facts, symbols, clock)
        tap.listener = streams
        async with feed.following(caller, streams):
            yield feed


def _price(event: LiveEvent) -> float | None:
    match event:
        case TradePrint(price=price):
            return price
        case Ticker(last=last):
            return last
        case BookTop(top=top):
            return top.mid
        case ClosedBar(bar=bar):
            return bar.close
    return None

"""The streams of one exchange: each followed by a task of its own that reconnects, and a fault in one stays there."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any, Protocol

from trading.domain.clock import Clock
from trading.domain.errors import DataError, RequestError, SourceUnavailable
from trading.marketdata.books import BookKeeper, BookMessage, BookRule, BookState, ChecksumScale
from trading.marketdata.exchange.calls import MALFORMED, Caller
from trading.marketdata.exchange.closing import ClosingBars
from trading.marketdata.exchange.events import BookTop, ClosedBar, LiveEvent, StreamKind
from trading.marketdata.exchange.facts import ExchangeFacts
from trading.marketdata.exchange.health import StreamState
from trading.marketdata.exchange.parsing import (
    read_funding,
    read_mark,
    read_open_interest,
    read_settled,
    read_ticker,
    read_trade,
)
from trading.marketdata.exchange.watch import StreamKey, StreamWatch
from trading.marketdata.exchange.wire import snapshot_message

Read = Callable[[Any, str, int], LiveEvent]

SETTLE_MS = 1_500
"""How long after its close a candle is asked for over REST when the stream has not closed it."""

SETTLED_BACK_MS = 8 * 86_400_000
SETTLED_PAGE = 200
"""Settled rates are asked for over eight days: those that the longest feature of hourly bars looks back over."""

_PERP_ONLY = frozenset({StreamKind.FUNDING, StreamKind.MARK, StreamKind.OPEN_INTEREST})


class Following(Protocol):
    """What the streams need of the feed they run in."""

    @property
    def watch(self) -> StreamWatch:
        """The records of the streams."""
        ...

    @property
    def keepers(self) -> dict[str, BookKeeper]:
        """The books."""
        ...

    @property
    def bars(self) -> dict[str, ClosingBars]:
        """The closed bars."""
        ...

    @property
    def spec(self) -> Any:
        """What is followed, and how often what is polled."""
        ...

    def publish(self, event: LiveEvent) -> None:
        """Hand on an event."""
        ...

    def settled_due(self, instrument: str) -> bool:
        """Whether a settlement may have passed since the last one that is known."""
        ...

    def off_time(self) -> None:
        """Say that an event's time does not fit the skew."""
        ...


def keeper_for(facts: ExchangeFacts, market: Mapping[str, Any]) -> BookKeeper:
    """The keeper of a market's book. Where no rule is known, ccxt checks and each of its books is taken whole."""
    rule = facts.book_rule or BookRule.SNAPSHOTS
    if rule is not BookRule.KRAKEN:
        return BookKeeper(rule)
    precision = market["precision"]
    scale = ChecksumScale(price_decimals=_decimals(precision["price"]), size_decimals=_decimals(precision["amount"]))
    return BookKeeper(rule, scale=scale, depth=facts.book_depth)


class Streams:
    """Follows the streams of one exchange over one ccxt object."""

    def __init__(
        self, feed: Following, caller: Caller, facts: ExchangeFacts, symbols: Mapping[str, str], clock: Clock
    ) -> None:
        self._feed = feed
        self._caller = caller
        self._exchange = caller.exchange
        self._facts = facts
        self._symbols = dict(symbols)
        self._names = {symbol: name for name, symbol in symbols.items()}
        self._clock = clock

    def all(self) -> Iterator[Coroutine[Any, Any, None]]:
        """A coroutine for each stream that the exchange has; the others are recorded as unsupported."""
        for name, symbol in self._symbols.items():
            for kind in sorted(self._feed.spec.streams):
                follow = self._stream(kind, name, symbol)
                self._feed.watch.add(name, kind, supported=follow is not None)
                if follow is not None:
                    yield follow

    def take_book(self, symbol: str, message: BookMessage) -> None:
        """Take what a frame says of a book; publish its top while it may be trusted."""
        name = self._names.get(symbol)
        if name is None or (name, StreamKind.BOOK) not in self._feed.watch.records:
            return
        keeper, key = self._feed.keepers[name], (name, StreamKind.BOOK)
        applied = keeper.counts.applied
        if not keeper.take(message):
            if keeper.state is BookState.RESYNCING:
                self._feed.watch.down(key, StreamState.RESYNCING, "the book may not be trusted")
        elif keeper.counts.applied > applied:
            self._publish_top(name, keeper)

    def missed(self) -> None:
        """Frames of a connection are missing: every book of the exchange may have a gap."""
        for name, keeper in self._feed.keepers.items():
            if keeper.state is BookState.GOOD:
                keeper.missed()
                if (name, StreamKind.BOOK) in self._feed.watch.records:
                    self._feed.watch.down((name, StreamKind.BOOK), StreamState.RESYNCING, "frames are missing")

    def refused(self, kind: str | None) -> None:
        """A frame could not be read; it is not known whose it was, so each stream of its kind counts it."""
        for key, record in self._feed.watch.records.items():
            if kind is None or key[1] == kind:
                record.refused += 1

    def restart_silent(self, silent: list[StreamKey]) -> None:
        """Break the connections on which a silent stream hangs, so that it is dialled anew."""
        now = self._clock.now_ms()
        for name, kind in silent:
            for client in list(self._exchange.clients.values()):
                quiet_ms = now - (client.last_message_at or client.connectionStarted or now)
                if quiet_ms > self._feed.watch.limit_ms(kind) and _carries(client, self._symbols[name]):
                    self._break(client, "silent")

    def _stream(self, kind: StreamKind, name: str, symbol: str) -> Coroutine[Any, Any, None] | None:
        exchange, has = self._exchange, self._exchange.has
        perp = bool(exchange.markets[symbol].get("swap"))
        if kind in _PERP_ONLY and not perp:
            return None
        if kind is StreamKind.BOOK and has.get("watchOrderBook"):
            return self._endless((name, kind), self._follow_book(name, symbol))
        if kind is StreamKind.TRADES and has.get("watchTrades"):
            return self._endless(
                (name, kind), self._follow(kind, name, lambda: exchange.watch_trades(symbol), read_trade)
            )
        if kind is StreamKind.TICKER and has.get("watchTicker"):
            return self._endless(
                (name, kind), self._follow(kind, name, lambda: exchange.watch_ticker(symbol), read_ticker)
            )
        if kind is StreamKind.CANDLES:
            return self._endless((name, kind), self._follow_bars(name, symbol, streamed=bool(has.get("watchOHLCV"))))
        if kind is StreamKind.MARK and has.get("watchMarkPrice") and not self._facts.mark_polled:
            return self._endless(
                (name, kind), self._follow(kind, name, lambda: exchange.watch_mark_price(symbol), read_mark)
            )
        return self._polled(kind, name, symbol)

    def _polled(self, kind: StreamKind, name: str, symbol: str) -> Coroutine[Any, Any, None] | None:
        exchange, has = self._exchange, self._exchange.has
        if kind is StreamKind.FUNDING and has.get("fetchFundingRate"):
            return self._poll(kind, name, lambda: exchange.fetch_funding_rate(symbol), read_funding, self._settled)
        if kind is StreamKind.MARK and has.get("fetchFundingRate"):
            return self._poll(kind, name, lambda: exchange.fetch_funding_rate(symbol), read_mark)
        if kind is StreamKind.OPEN_INTEREST and has.get("fetchOpenInterest"):
            return self._poll(kind, name, lambda: exchange.fetch_open_interest(symbol), read_open_interest)
        if kind is StreamKind.TICKER and has.get("fetchTicker"):
            return self._poll(kind, name, lambda: exchange.fetch_ticker(symbol), read_ticker)
        return None

    async def _endless(self, key: StreamKey, once: Callable[[], Awaitable[None]]) -> None:
        """Repeat ``once``; after a lost connection wait with jitter and go on, for as long as the feed runs."""
        import ccxt

        failed = 0
        while True:
            try:
                await once()
                failed = 0
                continue
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                reason = "the connection was closed"  # ccxt cancels what waited on it
            except (ccxt.BaseError, SourceUnavailable, RequestError, OSError, *MALFORMED) as error:
                reason = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
            self._feed.watch.records[key].reconnects += 1
            self._feed.watch.down(key, StreamState.RECONNECTING, reason)
            if key[1] is StreamKind.BOOK:
                self._feed.keepers[key[0]].lost()
            await self._caller.sleep(self._caller.backoff.wait_s(failed, self._caller.rng))
            failed += 1

    def _follow(
        self, kind: StreamKind, name: str, watch: Callable[[], Awaitable[Any]], read: Read
    ) -> Callable[[], Awaitable[None]]:
        async def once() -> None:
            rows = await watch()
            for row in rows if isinstance(rows, list) else [rows]:
                self._hand_on(kind, name, row, read)

        return once

    async def _poll(
        self,
        kind: StreamKind,
        name: str,
        fetch: Callable[[], Awaitable[Any]],
        read: Read,
        then: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        while True:
            try:
                self._hand_on(kind, name, await self._caller.ask(f"{kind} of {name}", fetch), read)
                if then is not None:
                    await then(name)
            except (SourceUnavailable, RequestError) as error:
                self._feed.watch.records[name, kind].reconnects += 1
                self._feed.watch.down((name, kind), StreamState.RECONNECTING, str(error)[:160])
            await self._caller.sleep(self._feed.spec.poll_s)

    async def _settled(self, name: str) -> None:
        """Ask for the rates that were paid since those that are known; once a funding interval there is one."""
        if not self._exchange.has.get("fetchFundingRateHistory") or not self._feed.settled_due(name):
            return
        since = self._venue_ms() - SETTLED_BACK_MS
        rows = await self._caller.ask(
            f"settled funding of {name}",
            lambda: self._exchange.fetch_funding_rate_history(self._symbols[name], since=since, limit=SETTLED_PAGE),
        )
        for row in rows if isinstance(rows, list) else []:
            try:
                self._feed.publish(read_settled(row, name, self._clock.now_ms()))
            except DataError:
                self._feed.watch.records[name, StreamKind.FUNDING].refused += 1

    def _hand_on(self, kind: StreamKind, name: str, row: Any, read: Read) -> None:
        try:
            event = read(row, name, self._clock.now_ms())
        except DataError:
            self._feed.watch.records[name, kind].refused += 1
            return
        self._tell((name, kind), event)

    def _tell(self, key: StreamKey, event: LiveEvent) -> None:
        if self._feed.watch.heard(key, event.ts_ms):
            self._feed.publish(event)
        else:
            self._feed.off_time()

    def _follow_book(self, name: str, symbol: str) -> Callable[[], Awaitable[None]]:
        exchange, keeper = self._exchange, self._feed.keepers[name]
        depth = self._facts.book_depth if not keeper.rule.asks_for_snapshot else None

        async def once() -> None:
            book = await exchange.watch_order_book(symbol, depth)
            if self._facts.book_rule is None:
                self.take_book(symbol, snapshot_message(book))
            elif keeper.needs_snapshot:
                await self._fetch_snapshot(name, symbol, keeper)
            elif keeper.needs_stream:
                await self._caller.sleep(self._caller.backoff.wait_s(0, self._caller.rng))
                if keeper.needs_stream:
                    for client in list(exchange.clients.values()):
                        if _carries(client, symbol):
                            self._break(client, "its book needs a new snapshot")

        return once

    async def _fetch_snapshot(self, name: str, symbol: str, keeper: BookKeeper) -> None:
        stale = keeper.counts.stale_snapshots
        book = await self._caller.ask(
            f"the book of {name}",
            lambda: self._exchange.fetch_order_book(symbol, self._facts.book_depth),
            accept=lambda book: bool(book.get("nonce")),
        )
        self.take_book(symbol, snapshot_message(book))
        if keeper.counts.stale_snapshots > stale:
            await self._caller.sleep(self._caller.backoff.wait_s(0, self._caller.rng))

    def _publish_top(self, name: str, keeper: BookKeeper) -> None:
        top = keeper.top()
        if top is not None:
            event = BookTop(instrument=name, ts_ms=keeper.event_ms, received_ms=self._clock.now_ms(), top=top)
            self._tell((name, StreamKind.BOOK), event)

    def _follow_bars(self, name: str, symbol: str, *, streamed: bool) -> Callable[[], Awaitable[None]]:
        exchange, bars, timeframe = self._exchange, self._feed.bars[name], self._feed.spec.timeframe

        async def once() -> None:
            if bars.next_ms is None:
                await self._settle(name, symbol, self._feed.spec.history)
            now = self._venue_ms()
            wait_s = (now // bars.step_ms * bars.step_ms + bars.step_ms + SETTLE_MS - now) / 1000
            if streamed:
                try:
                    async with asyncio.timeout(wait_s):
                        self._close(name, bars.offer(await exchange.watch_ohlcv(symbol, timeframe)))
                        self._feed.watch.heard((name, StreamKind.CANDLES), None)  # the bar that forms shows life
                except TimeoutError:
                    pass
            else:
                await self._caller.sleep(wait_s)
            if bars.gap(self._venue_ms() - SETTLE_MS) is not None:
                await self._settle(name, symbol, self._feed.spec.history)

        return once

    async def _settle(self, name: str, symbol: str, history: int) -> None:
        """Ask over REST for the bars that closed and are not here yet."""
        bars, step = self._feed.bars[name], self._feed.bars[name].step_ms
        closed_by = self._venue_ms() // step * step
        since = bars.next_ms if bars.next_ms is not None else closed_by - max(history, 1) * step
        room = min(self._facts.candle_page, (closed_by - since) // step + 1)
        rows = await self._caller.ask(
            f"candles of {name}",
            lambda: self._exchange.fetch_ohlcv(symbol, self._feed.spec.timeframe, since=since, limit=room),
        )
        refused = bars.refused
        self._close(name, bars.settle(rows, closed_by))
        if bars.next_ms is not None and bars.next_ms + step > closed_by:
            self._feed.watch.heard((name, StreamKind.CANDLES), bars.next_ms)
        self._feed.watch.records[name, StreamKind.CANDLES].refused += bars.refused - refused

    def _close(self, name: str, closed: list[Any]) -> None:
        step = self._feed.bars[name].step_ms
        for bar in closed:
            now = self._clock.now_ms()
            event = ClosedBar(instrument=name, ts_ms=bar.open_ms + step, received_ms=now, step_ms=step, bar=bar)
            self._feed.publish(event)

    def _venue_ms(self) -> int:
        skew = self._feed.watch.skew
        return self._clock.now_ms() + (round(skew.skew_ms) if skew else 0)

    @staticmethod
    def _break(client: Any, why: str) -> None:
        import ccxt

        client.on_error(ccxt.NetworkError(why))


def _carries(client: Any, symbol: str) -> bool:
    return any(symbol in str(subject) for subject in (*client.subscriptions, *client.futures))


def _decimals(step: Any) -> int:
    text = f"{float(step):.12f}".rstrip("0")
    return len(text.partition(".")[2])

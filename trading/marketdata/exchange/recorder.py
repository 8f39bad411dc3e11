"""Writing down a live feed: its trades, its best levels, its funding and open interest, and its closed bars."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trading.domain.clock import Clock
from trading.marketdata.candles import CandleSeries
from trading.marketdata.exchange.events import (
    BookTop,
    ClosedBar,
    Freshness,
    LiveEvent,
    OpenInterest,
    SettledFunding,
    StreamKind,
    TradePrint,
)
from trading.marketdata.exchange.feed import LiveFeed
from trading.marketdata.naming import SeriesKind
from trading.marketdata.store import CandleStore, SeriesKey
from trading.marketdata.store.spans import Span
from trading.marketdata.ticks.coverage import Coverage
from trading.marketdata.ticks.kinds import DEEPER, TickKind, ticks_of
from trading.marketdata.ticks.store import TickKey, TickStore

WRITE_EVERY_S = 10.0
"""How much recording a process that is killed may lose."""

_STREAM_OF = {
    TickKind.TRADES: StreamKind.TRADES,
    TickKind.BBO: StreamKind.BOOK,
    TickKind.FUNDING: StreamKind.FUNDING,
    TickKind.OPEN_INTEREST: StreamKind.OPEN_INTEREST,
}
_SHARE = 10.0

_Row = tuple[int, dict[str, Any]]
_Batch = tuple[list[tuple[str, TickKind, list[_Row], tuple[Span, ...]]], Mapping[str, list[ClosedBar]]]


@dataclass(slots=True, kw_only=True)
class Recorded:
    """What was written: rows by instrument and kind (``bars`` among them), and how often a stream broke off."""

    rows: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    breaks: int = 0
    dropped: int = 0


async def record(
    feed: LiveFeed,
    ticks: TickStore,
    candles: CandleStore,
    *,
    clock: Clock,
    seconds: float | None,
    on_progress: Callable[[Recorded], None] = lambda _: None,
) -> Recorded:
    """Write what ``feed`` says into both stores for ``seconds``, or until cancelled; what came is kept in any case.

    Best levels are the book's own, with the sizes of the best 5, 10 and 20; where a stream broke off, its coverage
    ends with its last tick. Raises what ends the feed.
    """
    writer = _Writer(feed, ticks, candles, clock)
    enough = asyncio.Event()
    writing = asyncio.create_task(writer.write_until(enough, on_progress))
    try:
        async with asyncio.timeout(seconds):
            async for event in feed:
                writer.take(event)
                if writing.done():
                    break
    except TimeoutError:
        pass
    finally:
        enough.set()
        await writing
    return writer.recorded


class _Writer:
    """Holds what came since it wrote last."""

    def __init__(self, feed: LiveFeed, ticks: TickStore, candles: CandleStore, clock: Clock) -> None:
        self._feed, self._ticks, self._candles, self._clock = feed, ticks, candles, clock
        self._venue = feed.spec.exchange.exchange_id
        self._rows: dict[tuple[str, TickKind], list[_Row]] = defaultdict(list)
        self._bars: dict[str, list[ClosedBar]] = defaultdict(list)
        self._coverage: dict[tuple[str, TickKind], Coverage] = defaultdict(Coverage)
        self.recorded = Recorded()

    def take(self, event: LiveEvent) -> None:
        at = event.ts_ms if event.ts_ms is not None else self._feed.venue_ms()
        name = event.instrument
        match event:
            case TradePrint(price=price, quantity=quantity, sign=sign, trade_id=trade_id):
                row = {"price": price, "quantity": quantity, "sign": sign or 0, "trade_id": trade_id or ""}
                self._note(name, TickKind.TRADES, at, row)
            case BookTop(top=top):
                best = {"bid": top.bid, "bid_size": top.bid_size, "ask": top.ask, "ask_size": top.ask_size}
                pairs = zip(top.bids_within[1:], top.asks_within[1:], strict=True)
                deeper = dict(zip(DEEPER, (size for pair in pairs for size in pair), strict=True))
                self._note(name, TickKind.BBO, at, best | deeper)
            case OpenInterest(base=float(base)):
                self._note(name, TickKind.OPEN_INTEREST, at, {"base": base})
            case SettledFunding(rate=rate):
                self._note(name, TickKind.FUNDING, at, {"rate": rate})
            case ClosedBar():
                self._bars[name].append(event)
            case Freshness(stream=stream, stale_since_ms=int()):
                self.recorded.breaks += 1
                for kind, of in _STREAM_OF.items():
                    if of is stream:
                        self._coverage[name, kind].broke()

    async def write_until(self, enough: asyncio.Event, on_progress: Callable[[Recorded], None]) -> None:
        """Write every few seconds, and at the end; more seldom where writing takes long, as files grow."""
        pause_s = WRITE_EVERY_S
        while not enough.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await enough.wait()
            began = time.monotonic()
            await asyncio.to_thread(self._store, self._batch())
            pause_s = max(WRITE_EVERY_S, _SHARE * (time.monotonic() - began))
            on_progress(self.recorded)

    def _batch(self) -> _Batch:
        """What came since the last one. Events that nobody fetched in time end every coverage."""
        dropped = self._feed.health().dropped
        if dropped > self.recorded.dropped:
            self.recorded.dropped = dropped
            for coverage in self._coverage.values():
                coverage.broke()
        parts = [
            (name, kind, rows, self._coverage[name, kind].spans(max(at for at, _ in rows)))
            for (name, kind), rows in self._rows.items()
        ]
        bars = dict(self._bars)
        self._rows.clear()
        self._bars.clear()
        return parts, bars

    def _store(self, batch: _Batch) -> None:
        parts, bars = batch
        for name, kind, rows, covered in parts:
            self._write_ticks(name, kind, rows, covered)
        for name, events in bars.items():
            self._write_bars(name, events)

    def _note(self, name: str, kind: TickKind, at: int, row: dict[str, Any]) -> None:
        self._coverage[name, kind].heard(at)
        self._rows[name, kind].append((at, row))

    def _write_ticks(self, name: str, kind: TickKind, rows: list[_Row], covered: tuple[Span, ...]) -> None:
        columns = {column: [row[column] for _, row in rows] for column in rows[0][1]}
        ticks = ticks_of(kind, [at for at, _ in rows], columns)
        taken = self._ticks.add(
            TickKey(venue=self._venue, symbol=name, kind=kind),
            ticks,
            source=f"{self._venue} websocket",
            now_ms=self._clock.now_ms(),
            covered=covered,
        )
        self.recorded.rows[name, kind.value] += taken.added

    def _write_bars(self, name: str, events: list[ClosedBar]) -> None:
        table = np.array(
            [(each.bar.open, each.bar.high, each.bar.low, each.bar.close, each.bar.volume) for each in events]
        )
        step_ms = events[0].step_ms
        series = CandleSeries(
            symbol=name,
            step_ms=step_ms,
            kind=SeriesKind.CANDLES,
            open_ms=np.array([each.bar.open_ms for each in events], np.int64),
            open=table[:, 0],
            high=table[:, 1],
            low=table[:, 2],
            close=table[:, 3],
            volume=table[:, 4],
        )
        key = SeriesKey(venue=self._venue, symbol=name, step_ms=step_ms)
        stored = self._candles.add(key, series, source=f"{self._venue} websocket", now_ms=self._feed.venue_ms())
        self.recorded.rows[name, "bars"] += stored.added

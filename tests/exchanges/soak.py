"""A paper session's feeds on loopback exchanges while everything goes wrong: ``python -m tests.exchanges.soak``.

Every top that a feed serves as good is held against the venue's own book at that instant, and every fault that silences
a market has to be told.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from tests.exchanges.faults import Fault
from tests.exchanges.market import Market
from tests.exchanges.server import Venue
from tests.exchanges.venues import EXCHANGES, serve_exchange
from trading.domain.errors import Unavailable
from trading.marketdata.exchange import (
    Backoff,
    BookTop,
    ClosedBar,
    ExchangeSpec,
    FeedSpec,
    Freshness,
    LiveFeed,
    StalenessLimits,
    StreamKind,
    StreamState,
    open_feed,
)

SILENCING = (Fault.HALF_OPEN, Fault.SILENT_SYMBOL)
_LIMITS = StalenessLimits(book=1_200, ticker=2_500, trades=6_000, polled=8_000)
_SLACK_S = 1.5
Quote = tuple[float, float, float, float]


@dataclass(kw_only=True)
class Outcome:
    """What one exchange's feed went through."""

    exchange_id: str
    tops: int = 0
    wrong: list[str] = field(default_factory=list)
    bars: int = 0
    bars_out_of_order: int = 0
    old_as_new: list[str] = field(default_factory=list)
    silences: int = 0
    told: int = 0
    neighbours_hurt: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    resyncs: int = 0
    gaps: int = 0
    checksum_faults: int = 0
    reconnects: int = 0
    refused: int = 0
    rate_limited: int = 0
    dropped: int = 0
    not_back: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """No wrong top, no old price as new, each silence told, everything back at the end."""
        sound = not self.wrong and not self.old_as_new and not self.not_back and not self.bars_out_of_order
        return sound and self.tops > 0 and self.told == self.silences

    def line(self) -> str:
        struck = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        return (
            f"{self.exchange_id}: {'held' if self.held else 'FAILED'}; {self.tops} tops checked,"
            f" {len(self.wrong)} wrong;"
            f" {len(self.old_as_new)} old as new; silences {self.silences}, told {self.told},"
            f" neighbours hurt {self.neighbours_hurt}; bars {self.bars},"
            f" out of order {self.bars_out_of_order}; gaps {self.gaps}, checksum faults {self.checksum_faults}, resyncs"
            f" {self.resyncs}, reconnects {self.reconnects}, refused {self.refused}, rate-limited {self.rate_limited},"
            f" dropped {self.dropped}; not back: {self.not_back or 'none'}; faults: {struck}"
            + "".join(f"\n    {words}" for words in (*self.wrong[:3], *self.old_as_new[:3]))
        )


async def soak(exchange_id: str, seconds: float, *, every_s: float, seed: int = 0, step_s: float = 0.1) -> Outcome:
    """Run one exchange's feed through the fault plan, a fault every ``every_s``, and calm at the end."""
    outcome = Outcome(exchange_id=exchange_id)
    async with serve_exchange(exchange_id, seed=seed, step_s=step_s) as venue:
        spec = FeedSpec(
            exchange=ExchangeSpec(exchange_id=exchange_id, endpoints=venue.endpoints, pace=False, timeout_ms=3_000),
            instruments=tuple(venue.markets),
            streams=frozenset(StreamKind),
            limits=_LIMITS,
            backoff=Backoff(first_s=0.05, cap_s=0.5, tries=8),
            poll_s=1.0,
            look_s=0.2,
            skew_s=3.0,
            history=5,
            seed=seed,
        )
        async with open_feed(spec) as feed:
            stale: set[tuple[str, StreamKind]] = set()
            tasks = [
                asyncio.create_task(_consume(feed, venue, outcome, stale)),
                asyncio.create_task(_sample(feed, venue, outcome)),
            ]
            await _misfortune(feed, venue, outcome, seconds, every_s, np.random.default_rng(seed), stale)
            await _calm(feed, venue, outcome)
            for task in tasks:
                if task.done():
                    task.result()
                task.cancel()
            _sum_up(feed, venue, outcome)
    return outcome


async def _consume(feed: LiveFeed, venue: Venue, outcome: Outcome, stale: set[tuple[str, StreamKind]]) -> None:
    last_bar: dict[str, int] = {}
    async for event in feed:
        match event:
            case BookTop(instrument=name, ts_ms=at, top=top):
                outcome.tops += 1
                found = (top.bid, top.bid_size, top.ask, top.ask_size)
                truth = venue.markets[name].truth
                if not _was(venue.markets[name], event, found):
                    outcome.wrong.append(f"{name} at {at}: served {found}, was {truth.get(at or 0)}")
            case ClosedBar(instrument=name, bar=bar, step_ms=step):
                outcome.bars += 1
                if name in last_bar:
                    skipped = venue.markets[name].candles(step, last_bar[name] + step, bar.open_ms)
                    outcome.bars_out_of_order += bool(skipped) or bar.open_ms <= last_bar[name]
                last_bar[name] = bar.open_ms
            case Freshness(instrument=name, stream=stream, stale_since_ms=since):
                (stale.discard if since is None else stale.add)((name, stream))


def _was(market: Market, event: BookTop, found: Quote) -> bool:
    """Whether the venue's book was so at the instant that the top carries.

    A snapshot over REST has the time of its answer, or none: it must be a book that the venue had within the limit of
    staleness before the top came. Told by a clock that no fault sets.
    """
    if market.truth.get(event.ts_ms or 0) == found:
        return True
    waited_s = max(0.0, time.time() - event.received_ms / 1000)
    since_s = time.monotonic() - waited_s - _LIMITS.book / 1000 - _SLACK_S
    return any(quote == found and market.known_s[at] >= since_s for at, quote in market.truth.items())


async def _sample(feed: LiveFeed, venue: Venue, outcome: Outcome) -> None:
    """Old prices never shown as new: what the view serves as a good book was the venue's within the limit."""
    while True:
        await asyncio.sleep(0.1)
        view = feed.view()
        for name, market in venue.markets.items():
            with suppress(Unavailable):
                view.book(name)
                at = feed.keepers[name].event_ms
                known = market.known_s.get(at or 0)
                if known is not None and time.monotonic() - known > _LIMITS.book / 1000 + _SLACK_S:
                    outcome.old_as_new.append(f"{name}: {time.monotonic() - known:.1f} s old and not said to be stale")


async def _misfortune(
    feed: LiveFeed,
    venue: Venue,
    outcome: Outcome,
    seconds: float,
    every_s: float,
    rng: np.random.Generator,
    stale: set[tuple[str, StreamKind]],
) -> None:
    end = time.monotonic() + seconds
    first, second = tuple(venue.markets)
    while True:
        for fault in rng.permutation(list(Fault)).tolist():
            if time.monotonic() >= end:
                return
            match Fault(fault):
                case Fault.DROP:
                    venue.drop()
                case Fault.CLOCK:
                    if venue.weather.clock_off_ms:
                        venue.weather.clock_off_ms = 0
                    else:
                        venue.put_clock_off()
                case Fault.HALF_OPEN:
                    venue.go_deaf()
                    await _silence(feed, outcome, stale, [first, second], [])
                case Fault.SILENT_SYMBOL:
                    venue.weather.served[Fault.SILENT_SYMBOL] += 1
                    venue.weather.silent.add(first)
                    await _silence(feed, outcome, stale, [first], [second])
                    venue.weather.silent.discard(first)
                case Fault.RATE_LIMIT | Fault.BAN | Fault.HTML:
                    venue.weather.arm(Fault(fault), 2)
                case other:
                    venue.weather.arm(other)
            await asyncio.sleep(every_s * float(rng.uniform(0.5, 1.5)))


async def _silence(
    feed: LiveFeed,
    outcome: Outcome,
    stale: set[tuple[str, StreamKind]],
    hit: Sequence[str],
    spared: Sequence[str],
) -> None:
    """Wait until the books of ``hit`` are told to be stale, for as long as the limit and a margin allow.

    A book whose connection was just being dialled anew when the others fell silent is not silenced and not counted.
    """
    calm = not any((name, StreamKind.BOOK) in stale for name in spared)
    await asyncio.sleep(0.3)  # what was on its way has come
    held = {name: feed.keepers[name].counts.applied for name in hit}
    end = time.monotonic() + _LIMITS.book / 1000 + 2 * _SLACK_S
    while held and time.monotonic() < end:
        for name, applied in list(held.items()):
            if (name, StreamKind.BOOK) in stale:
                outcome.silences += 1
                outcome.told += 1
                del held[name]
            elif feed.keepers[name].counts.applied > applied:
                del held[name]
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)  # should the whole process have been held up, the watch looks once more
    outcome.silences += len(held)
    outcome.told += sum((name, StreamKind.BOOK) in stale for name in held)
    if calm and any((name, StreamKind.BOOK) in stale for name in spared):
        outcome.neighbours_hurt += 1


async def _calm(feed: LiveFeed, venue: Venue, outcome: Outcome) -> None:
    """No more faults: within some seconds every stream is live again."""
    venue.weather.clear()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        outcome.not_back = [
            stream.words()
            for stream in feed.health().streams.values()
            if stream.state not in {StreamState.LIVE, StreamState.UNSUPPORTED}
        ]
        if not outcome.not_back:
            return
        await asyncio.sleep(0.2)


def _sum_up(feed: LiveFeed, venue: Venue, outcome: Outcome) -> None:
    health = feed.health()
    outcome.faults.update({fault.value: count for fault, count in venue.weather.served.items()})
    outcome.rate_limited = health.rate_limited
    outcome.dropped = health.dropped
    for stream in health.streams.values():
        outcome.resyncs += stream.resyncs
        outcome.gaps += stream.gaps
        outcome.checksum_faults += stream.checksum_faults
        outcome.reconnects += stream.reconnects
        outcome.refused += stream.refused


async def soak_all(seconds: float, *, every_s: float, exchanges: Sequence[str] = EXCHANGES) -> list[Outcome]:
    """All exchanges at once, in one loop."""
    runs = (soak(name, seconds, every_s=every_s, seed=number) for number, name in enumerate(exchanges))
    return list(await asyncio.gather(*runs))


def main(arguments: list[str]) -> int:
    """Run and print; 1 when a book, a bar or a staleness was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.exchanges.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between faults, on the average")
    parser.add_argument("exchanges", nargs="*", default=EXCHANGES)
    wanted = parser.parse_args(arguments)
    outcomes = asyncio.run(soak_all(wanted.minutes * 60, every_s=wanted.every, exchanges=wanted.exchanges))
    for outcome in outcomes:
        sys.stdout.write(outcome.line() + "\n")
    return 0 if all(outcome.held for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

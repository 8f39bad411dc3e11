"""What happens on a loopback exchange: a seeded simulated book and its trades, or a recorded one, step by step."""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from trading.domain.instrument import InstrumentKind, parse_symbol
from trading.marketdata.books import BookRecording

BIDS, ASKS = 0, 1
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
_TRUTH_KEPT = 50_000

Levels = dict[int, int]
Change = tuple[int, int, int]
"""Side, price in ticks, size in lots; size 0 takes the level away."""


@dataclass(frozen=True, kw_only=True)
class Trade:
    trade_id: int
    at_ms: int
    price: int
    size: int
    buyer_took: bool


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change of a market: book updates numbered ``first_id`` to ``final_id``, following ``previous_id``."""

    at_ms: int
    first_id: int
    final_id: int
    previous_id: int
    changes: tuple[Change, ...]
    trades: tuple[Trade, ...]
    before: tuple[Levels, Levels] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """An instrument and its grid: ``tick`` and ``lot`` in plain units."""

    instrument: str
    tick: Decimal
    lot: Decimal
    start: Decimal

    @property
    def base(self) -> str:
        return parse_symbol(self.instrument)[0]

    @property
    def quote(self) -> str:
        return parse_symbol(self.instrument)[1]

    @property
    def perp(self) -> bool:
        return parse_symbol(self.instrument)[2] is InstrumentKind.PERP

    def price(self, ticks: int) -> str:
        return str(ticks * self.tick)

    def size(self, lots: int) -> str:
        return f"{lots * self.lot:f}"


class Market:
    """The truth of one instrument. ``source`` seeds a simulated book, or is a recording to replay over and over."""

    def __init__(self, listing: Listing, source: int | BookRecording, *, opened_ms: int) -> None:
        self.listing = listing
        self.opened_ms = opened_ms
        self.levels: tuple[Levels, Levels] = ({}, {})
        self.final_id = 1_000
        self.at_ms = opened_ms
        self.trades: deque[Trade] = deque(maxlen=_TRUTH_KEPT)
        self.truth: dict[int, tuple[float, float, float, float]] = {}
        self.known_s: dict[int, float] = {}
        self.spoilt: set[int] = set()
        self.past: deque[tuple[int, tuple[Levels, Levels]]] = deque(maxlen=60)
        self._rng = np.random.default_rng(source if isinstance(source, int) else 0)
        self._replay = None if isinstance(source, int) else _messages(source, listing)
        if self._replay is None:
            self._open()
        else:
            self._set(next(self._replay))
        self._remember()

    def step(self, now_ms: int) -> Step:
        """Go on by one step. Its instant is after the one before it."""
        before = (dict(self.levels[BIDS]), dict(self.levels[ASKS]))
        self.past.append((self.final_id, before))
        set_back = self.at_ms - now_ms > 10_000
        self.at_ms = now_ms if set_back else max(now_ms, self.at_ms + 1)
        changes = self._simulated() if self._replay is None else next(self._replay)
        self._set(changes)
        trades = self._trade()
        previous = self.final_id
        self.final_id += max(1, len(changes))
        self._remember()
        return Step(
            at_ms=self.at_ms,
            first_id=previous + 1,
            final_id=self.final_id,
            previous_id=previous,
            changes=tuple(changes),
            trades=trades,
            before=before,
        )

    def best(self, side: int, count: int, levels: tuple[Levels, Levels] | None = None) -> list[tuple[int, int]]:
        """The best levels of a side, best first."""
        held = (levels or self.levels)[side]
        return sorted(held.items(), reverse=side == BIDS)[:count]

    @property
    def top(self) -> tuple[float, float, float, float]:
        """Best bid, its size, best ask, its size."""
        (bid, bid_size), (ask, ask_size) = self.best(BIDS, 1)[0], self.best(ASKS, 1)[0]
        say = self.listing
        return float(say.price(bid)), float(say.size(bid_size)), float(say.price(ask)), float(say.size(ask_size))

    def candles(self, step_ms: int, begin_ms: int, end_ms: int) -> list[tuple[int, int, int, int, int, int]]:
        """Open instant, O, H, L, C in ticks, volume in lots of bars opening in [begin, end): history, then trades.

        Bars that open at one of ``spoilt`` have their high below their low.
        """
        rows = []
        for at in range(-(-begin_ms // step_ms) * step_ms, min(end_ms, self.at_ms + 1), step_ms):
            if at + step_ms <= self.opened_ms:
                opened, close = self._historic(at // step_ms), self._historic(at // step_ms + 1)
                high, low = max(opened, close) + 3, min(opened, close) - 3
                if at in self.spoilt:
                    high, low = low, high
                rows.append((at, opened, high, low, close, 1_000 + at % 977))
                continue
            seen = [trade for trade in self.trades if at <= trade.at_ms < at + step_ms]
            if seen:
                prices = [trade.price for trade in seen]
                volume = sum(trade.size for trade in seen)
                rows.append((at, prices[0], max(prices), min(prices), prices[-1], volume))
        return rows

    def settled(self, every_ms: int, begin_ms: int, end_ms: int) -> list[tuple[int, str]]:
        """When funding was settled in [begin, end], and the rate that was paid."""
        first = max(-(-begin_ms // every_ms), end_ms // every_ms - 1_000)
        return [(at * every_ms, f"{(at % 7 - 3) * 1e-5:.8f}") for at in range(first, end_ms // every_ms + 1)]

    def _historic(self, index: int) -> int:
        start = int(self.listing.start / self.listing.tick)
        noise = np.random.default_rng(index).normal(0, 1e-4)
        return round(start * float(np.exp(0.01 * np.sin(index / 37) + noise)))

    def _open(self) -> None:
        middle = int(self.listing.start / self.listing.tick)
        for offset in range(1, 60):
            self.levels[BIDS][middle - offset] = int(self._rng.integers(1, 5_000))
            self.levels[ASKS][middle + offset] = int(self._rng.integers(1, 5_000))

    def _simulated(self) -> list[Change]:
        changes: dict[tuple[int, int], int] = {}
        for _ in range(int(self._rng.integers(3, 12))):
            side = int(self._rng.integers(0, 2))
            sign = 1 if side == BIDS else -1
            best, other = self.best(side, 1)[0][0], self.best(1 - side, 1)[0][0]
            price = best + sign * round(self._rng.normal(-4, 5))
            if (price - other) * sign >= 0:  # a level that meets the other side takes its best away
                if len(self.levels[1 - side]) > 30:
                    changes[1 - side, other] = 0
                    self._set([(1 - side, other, 0)])
                continue
            size = 0 if self._rng.random() < 0.4 and len(self.levels[side]) > 30 else int(self._rng.integers(1, 5_000))
            changes[side, price] = size
            self._set([(side, price, size)])
        return [(side, price, size) for (side, price), size in changes.items()]

    def _trade(self) -> tuple[Trade, ...]:
        made = []
        for _ in range(int(self._rng.poisson(0.7))):
            took = bool(self._rng.integers(0, 2))
            price = self.best(ASKS if took else BIDS, 1)[0][0]
            made.append(
                Trade(
                    trade_id=len(self.trades) + self.final_id * 10 + len(made),
                    at_ms=self.at_ms,
                    price=price,
                    size=int(self._rng.integers(1, 200)),
                    buyer_took=took,
                )
            )
        self.trades.extend(made)
        return tuple(made)

    def _set(self, changes: Sequence[Change]) -> None:
        for side, price, size in changes:
            if size:
                self.levels[side][price] = size
            else:
                self.levels[side].pop(price, None)

    def _remember(self) -> None:
        for book in (self.truth, self.known_s):
            book.pop(self.at_ms, None)
            if len(book) >= _TRUTH_KEPT:
                del book[next(iter(book))]
        self.truth[self.at_ms] = self.top
        self.known_s[self.at_ms] = time.monotonic()


def markets_of(listings: Sequence[Listing], *, seed: int, opened_ms: int) -> Mapping[str, Market]:
    """A simulated market for each listing, each with a seed of its own."""
    return {
        listing.instrument: Market(listing, seed + number, opened_ms=opened_ms)
        for number, listing in enumerate(listings)
    }


def _messages(recording: BookRecording, listing: Listing) -> Iterator[list[Change]]:
    """The messages of a recording; at its end the difference back to its snapshot, and on from there."""
    price = np.rint(recording.price / float(listing.tick)).astype(int).tolist()
    size = np.rint(recording.size / float(listing.lot)).astype(int).tolist()
    side = np.where(recording.side > 0, BIDS, ASKS).tolist()
    rows = list(zip(side, price, size, strict=True))
    ends = recording.ends.tolist()
    held: dict[tuple[int, int], int] = {}
    while True:
        begin = 0
        for end in ends:
            message = rows[begin:end]
            if begin == 0:
                wanted = {(a, b): c for a, b, c in message}
                message = [(*key, 0) for key in held if key not in wanted] + message
            for a, b, c in message:
                if c:
                    held[a, b] = c
                else:
                    held.pop((a, b), None)
            yield message
            begin = end

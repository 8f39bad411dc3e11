"""What a live feed said lately of one instrument's book and trades, and what of it a record needs to match orders."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trading.domain.event import Event, EventKind
from trading.domain.intent import OrderType
from trading.domain.order import Order
from trading.marketdata.books import ASK, BID, OrderBook
from trading.marketdata.exchange.events import BookTop, Freshness, LiveEvent, StreamKind, TradePrint
from trading.marketdata.growing_book import KEPT_LEVELS
from trading.marketdata.tape import FloatArray

SAMPLE_MS = 250
"""The book is sampled no more often than this."""

SHOWN_LEVELS = 20
DENSE_MS = 120_000
COARSEST_MS = 15_000
"""Samples older than ``DENSE_MS`` are thinned to one in so long at most, but for those that orders met."""

_MERGED_MS = 1_000
"""Trades that follow each other at one price and side within this are told as one."""

Span = tuple[int, int]
Orders = Callable[[], Sequence[Order]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """The book at ``ts_ms``: prices and sizes of each side, shape (levels, 2), best first."""

    ts_ms: int
    bids: FloatArray
    asks: FloatArray


class HeardBook:
    """Takes the events of one instrument. ``orders`` tells which stand: their levels are sampled wherever they lie.

    Instants are the venue's, milliseconds since 1970.
    """

    def __init__(self, instrument: str, step_ms: int, orders: Orders) -> None:
        self.instrument = instrument
        self._grain_ms = max(SAMPLE_MS, min(step_ms // 12, COARSEST_MS))
        self._orders = orders
        self._samples: list[_Sample] = []
        self._thinned_ms = 0
        self._met: set[str] = set()
        self._trades: list[tuple[int, float, float, bool]] = []
        self._known = _Spans()
        self._printed = _Spans()

    def take(self, event: LiveEvent, book: OrderBook | None, venue_ms: int) -> None:
        """Note what an event says at ``venue_ms``; ``book`` is the whole book now, None where it is not trusted."""
        match event:
            case BookTop():
                if book is not None:
                    self._sample(venue_ms, book)
            case TradePrint(ts_ms=at, price=price, quantity=quantity, sign=int(sign)):
                self._trade(venue_ms if at is None else at, price, quantity, sold=sign < 0)
            case Freshness(stream=StreamKind.BOOK, stale_since_ms=int()):
                self._known.end(self._samples[-1].ts_ms if self._samples else venue_ms)
            case Freshness(stream=StreamKind.TRADES, stale_since_ms=int()):
                self._printed.end(self._trades[-1][0] if self._trades else venue_ms)

    def broke(self) -> None:
        """Something was lost on the way here: what was said up to now does not join what comes."""
        self._known.end(self._samples[-1].ts_ms if self._samples else 0)
        self._printed.end(self._trades[-1][0] if self._trades else 0)

    def seen(self, until_ms: int) -> Event | None:
        """The best levels at ``until_ms`` for those who look, None where the book is not known then."""
        at = self._place(until_ms)
        if at < 0 or not self._known.within(self._samples[at].ts_ms, until_ms):
            return None
        sample = self._samples[at]
        payload = {
            "instrument": self.instrument,
            "ts_ms": sample.ts_ms,
            "bids": sample.bids[:SHOWN_LEVELS].tolist(),
            "asks": sample.asks[:SHOWN_LEVELS].tolist(),
        }
        return Event(ts_ms=until_ms, kind=EventKind.BOOK_SEEN, payload=payload)

    def grown(self, since_ms: int, until_ms: int) -> Event | None:
        """What matching the orders that stand needs of [``since_ms``, ``until_ms``].

        None where nothing is known, and where no order can have been met: bars say so as well.
        """
        known = self._known.clipped(since_ms, until_ms)
        orders = [order for order in self._standing() if order.arrives_ms < until_ms]
        trades = self._trades[bisect_left(self._trades, (since_ms,)) : bisect_left(self._trades, (until_ms,))]
        self._met = {
            order.order_id for order in orders if order.order_id in self._met or _is_met(order, since_ms, trades)
        }
        if not known or not self._met:
            return None
        wanted = [
            *range(since_ms, until_ms, self._grain_ms),
            *(order.arrives_ms for order in orders if order.arrives_ms >= since_ms),
            *(at for order in orders if (at := _met_ms(order, trades)) is not None),
        ]
        places = sorted({place for at in wanted if (place := self._place(at)) >= 0})
        payload = {
            "instrument": self.instrument,
            "since_ms": since_ms,
            "until_ms": until_ms,
            "known": known,
            "printed": self._printed.clipped(since_ms, until_ms),
            "levels": list(_told([self._samples[place] for place in places])),
            "trades": _merged(trades),
        }
        return Event(ts_ms=until_ms, kind=EventKind.DEPTH_GREW, payload=payload)

    def forget(self, before_ms: int) -> None:
        """What came before is not asked for again, but for the book that stood then."""
        del self._samples[: max(0, self._place(before_ms))]
        del self._trades[: bisect_left(self._trades, (before_ms,))]
        self._known.forget(before_ms)
        self._printed.forget(before_ms)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _standing(self) -> list[Order]:
        return [order for order in self._orders() if order.instrument == self.instrument]

    def _place(self, at_ms: int) -> int:
        """Which sample was in force; -1 before the first."""
        return bisect_right(self._samples, at_ms, key=lambda sample: sample.ts_ms) - 1

    def _sample(self, ts_ms: int, book: OrderBook) -> None:
        before = self._samples[-1] if self._samples else None
        if before is not None:
            if self._known.is_open and ts_ms - before.ts_ms < SAMPLE_MS:
                return
            ts_ms = max(ts_ms, before.ts_ms + 1)
        rests = {side: self._rests_at(side) for side in (BID, ASK)}
        bids = _levels(book, BID, rests[BID], None if before is None else before.bids)
        asks = _levels(book, ASK, rests[ASK], None if before is None else before.asks)
        if not len(bids) or not len(asks) or bids[0, 0] >= asks[0, 0]:
            return
        self._samples.append(_Sample(ts_ms=ts_ms, bids=bids, asks=asks))
        self._known.begin(ts_ms)
        if ts_ms - self._thinned_ms > DENSE_MS:
            self._thin(ts_ms)

    def _trade(self, ts_ms: int, price: float, size: float, *, sold: bool) -> None:
        ts_ms = max(ts_ms, self._trades[-1][0] if self._trades else ts_ms)
        self._trades.append((ts_ms, price, size, sold))
        self._printed.begin(ts_ms)

    def _rests_at(self, side: int) -> set[float]:
        return {
            float(order.limit_price)
            for order in self._standing()
            if order.limit_price is not None and order.rests and order.side.sign == side
        }

    def _thin(self, now_ms: int) -> None:
        """Of what is old keep one sample a grain, and those that orders met."""
        self._thinned_ms = now_ms
        met = {self._place(order.arrives_ms) for order in self._standing()}
        kept: list[_Sample] = []
        for place, sample in enumerate(self._samples):
            fresh = sample.ts_ms > now_ms - DENSE_MS or place in met
            if fresh or not kept or sample.ts_ms // self._grain_ms != kept[-1].ts_ms // self._grain_ms:
                kept.append(sample)
        self._samples = kept


class _Spans:
    """Stretches in which nothing was missed; the last may go on."""

    def __init__(self) -> None:
        self._closed: list[Span] = []
        self._since_ms: int | None = None

    @property
    def is_open(self) -> bool:
        return self._since_ms is not None

    def begin(self, at_ms: int) -> None:
        if self._since_ms is None:
            self._since_ms = at_ms

    def end(self, at_ms: int) -> None:
        if self._since_ms is not None and at_ms > self._since_ms:
            self._closed.append((self._since_ms, at_ms))
        self._since_ms = None

    def clipped(self, from_ms: int, until_ms: int) -> list[list[int]]:
        every = [*self._closed, *([(self._since_ms, until_ms)] if self._since_ms is not None else [])]
        return [
            [max(begin, from_ms), min(end, until_ms)] for begin, end in every if begin <= until_ms and end >= from_ms
        ]

    def within(self, from_ms: int, until_ms: int) -> bool:
        return any(begin <= from_ms and end >= until_ms for begin, end in self.clipped(from_ms, until_ms))

    def forget(self, before_ms: int) -> None:
        self._closed = [span for span in self._closed if span[1] >= before_ms]


def _levels(book: OrderBook, side: int, rests: set[float], before: FloatArray | None) -> FloatArray:
    """The best levels, and beyond them those at which orders rest. What the venue does not show stays as it was."""
    if not rests:
        return book.levels(side, KEPT_LEVELS)
    whole = book.levels(side)
    best, deeper = whole[:KEPT_LEVELS], whole[KEPT_LEVELS:]
    beyond = [row for row in deeper.tolist() if row[0] in rests]
    if len(whole) and before is not None:
        worst = float(whole[-1, 0])
        beyond += [row for row in before.tolist() if row[0] in rests and (row[0] - worst) * side < 0]
    beyond.sort(key=lambda row: -row[0] * side)
    return np.concatenate([best, np.array(beyond, np.float64).reshape(len(beyond), 2)])


def _told(samples: Sequence[_Sample]) -> Iterator[list[Any]]:
    """The first sample whole, then what changed: ``[ts_ms, bids, asks]``, a side as price, size, price, size."""
    held: tuple[dict[float, float], dict[float, float]] = ({}, {})
    for sample in samples:
        sides = []
        for book, rows in zip(held, (sample.bids, sample.asks), strict=True):
            now = dict(map(tuple, rows.tolist()))
            gone = dict.fromkeys(book.keys() - now.keys(), 0.0)
            changed = {price: size for price, size in now.items() if book.get(price) != size}
            sides.append([value for level in sorted((gone | changed).items()) for value in level])
            book.clear()
            book.update(now)
        yield [sample.ts_ms, *sides]


def _merged(trades: Sequence[tuple[int, float, float, bool]]) -> list[list[Any]]:
    found: list[list[Any]] = []
    for ts_ms, price, size, sold in trades:
        last = found[-1] if found else None
        if (
            last is not None
            and last[1] == price
            and bool(last[3]) == sold
            and ts_ms // _MERGED_MS == last[0] // _MERGED_MS
        ):
            last[2] = round(last[2] + size, 12)
        else:
            found.append([ts_ms, price, size, int(sold)])
    return found


def _is_met(order: Order, since_ms: int, trades: Sequence[tuple[int, float, float, bool]]) -> bool:
    """Whether something can have happened to an order: it arrived, follows the price, or its price was traded."""
    if order.arrives_ms >= since_ms or order.order_type in (OrderType.MARKET, OrderType.TRAILING_STOP):
        return True
    if _met_ms(order, trades) is not None:
        return True
    limit = order.limit_price
    return limit is not None and any((price - float(limit)) * order.side.sign <= 0 for _, price, _, _ in trades)


def _met_ms(order: Order, trades: Sequence[tuple[int, float, float, bool]]) -> int | None:
    """When a trade first met the trigger of an order that waits."""
    if order.trigger_price is None:
        return None
    trigger = float(order.trigger_price)
    toward = -order.side.sign if order.order_type is OrderType.TAKE_PROFIT else order.side.sign
    return next((at for at, price, _, _ in trades if at >= order.arrives_ms and (price - trigger) * toward >= 0), None)

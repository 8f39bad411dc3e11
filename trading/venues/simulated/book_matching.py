"""Fills against a recorded book: orders that take walk its levels, orders that rest wait their turn in the queue.

The queue model. An order that rests joins behind what its level shows when it arrives. Public trades at its price
consume first what stands ahead, then the order; a trade through its price fills it with the size of that trade. When
a level shrinks by cancellation, the cancelled is taken to have stood behind the order as far as it can: what stands
ahead is never more than what the level shows, and never less than trades have left of it.

What an order takes from a level stays taken, for its own desk, until the recording changes that level. Recorded
trades and books do not answer to our orders beyond that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from trading.domain.event import Event, EventKind
from trading.domain.fill import Liquidity
from trading.domain.instrument import Instrument
from trading.domain.intent import OrderType, Side, TimeInForce
from trading.domain.money import ZERO, decimal_from_float
from trading.domain.order import Order
from trading.domain.reject import RejectCode
from trading.marketdata.depth import ASK, BID, BookTape, Depth, Trades
from trading.marketdata.growing_book import GrowingBook
from trading.venues.simulated.matching import Ending, Execution, Triggered, as_stop

BOOK, BARS = "book", "bars"
"""What a fill was matched against."""

MEMORY_MS = 60_000
"""What was taken from a level longer ago than this is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One fill that the book offers: ``quantity`` at one price."""

    execution: Execution
    quantity: Decimal


class TakenDepth:
    """What each desk took from levels of recorded books. A fold over the journal."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str, int], dict[float, tuple[float, int]]] = {}

    def apply(self, event: Event) -> None:
        """Take an event in; fills that took liquidity count."""
        payload = event.payload
        if event.kind is not EventKind.FILLED or payload["liquidity"] != Liquidity.TAKER.value:
            return
        if payload.get("basis") == BARS:
            return
        levels = self._taken.setdefault((payload["desk"], payload["instrument"], Side(payload["side"]).sign), {})
        for price in [price for price, (_, ts_ms) in levels.items() if ts_ms < event.ts_ms - MEMORY_MS]:
            del levels[price]
        price, size = float(payload["price"]), float(payload["quantity"])
        before, ts_ms = levels.get(price, (0.0, event.ts_ms))
        levels[price] = (before + size if ts_ms == event.ts_ms else size, event.ts_ms)

    def of(self, desk: str, instrument: str, sign: int) -> Mapping[float, tuple[float, int]]:
        """Size and instant of the last taking, by price, for takers of one direction."""
        return self._taken.get((desk, instrument, sign), {})


class BookMatcher:
    """Matches the orders of every desk against one book; each desk trades in a world of its own."""

    def __init__(self, book: BookTape, taken: TakenDepth) -> None:
        self._book = book
        self._taken = taken

    def reaches(self, order: Order, open_ms: int, close_ms: int) -> bool:
        """Whether the book is known well enough to match the order in the bar."""
        at_once = order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        waits = order.order_type is not OrderType.MARKET and (order.order_type.waits or not at_once)
        return self._book.reaches(open_ms, max(open_ms, order.arrives_ms), close_ms, waits=waits)

    def apply(self, event: Event) -> None:
        """A book that grows takes its events in."""
        if isinstance(self._book, GrowingBook):
            self._book.apply(event)

    def walked(self, order: Order, left: Decimal, instrument: Instrument, ts_ms: int) -> Sequence[Step]:
        """What an order that takes gets of the book at an instant, level by level."""
        return self._walk(order, left, instrument, self._depth_for(order, ts_ms), ts_ms)

    def was_hit(self, order: Order, ts_ms: int) -> bool:
        """Whether a public trade at the instant could fill an order that rests at its limit."""
        assert order.limit_price is not None
        trades = self._book.trades.between(ts_ms, ts_ms + 1)
        return bool(_hitting(trades, order.side.sign, float(order.limit_price)))

    def match(
        self, order: Order, left: Decimal, instrument: Instrument, *, open_ms: int, close_ms: int, triggered: bool
    ) -> Ending | Sequence[Step | Triggered]:
        """What happens to the ``left`` of an order from ``open_ms`` to before ``close_ms``, in order."""
        at_ms = max(open_ms, order.arrives_ms)
        arrives = order.arrives_ms >= open_ms
        if not order.order_type.waits:
            return self._work(order, left, instrument, at_ms, close_ms, arrives=arrives, queued_ms=order.arrives_ms)
        found_ms, refused = self._trigger(order, instrument, close_ms)
        if refused and arrives:
            return Ending(
                kind=EventKind.ORDER_REJECTED,
                code=RejectCode.WOULD_TRIGGER_AT_ONCE,
                reason="the market is beyond the trigger already",
                ts_ms=at_ms,
            )
        if found_ms is None:
            return []
        fresh = found_ms >= open_ms and not triggered
        steps = self._work(order, left, instrument, max(open_ms, found_ms), close_ms, arrives=fresh, queued_ms=found_ms)
        if isinstance(steps, Ending) or not fresh or order.order_type is not OrderType.STOP_LIMIT:
            return steps
        assert order.trigger_price is not None
        return [Triggered(price=order.trigger_price, ts_ms=found_ms), *steps]

    def _work(
        self,
        order: Order,
        left: Decimal,
        instrument: Instrument,
        at_ms: int,
        close_ms: int,
        *,
        arrives: bool,
        queued_ms: int,
    ) -> Ending | list[Step | Triggered]:
        takes = not order.order_type.has_limit
        steps: list[Step | Triggered] = []
        if takes or arrives or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            taken = self.walked(order, left, instrument, at_ms)
            if taken and order.post_only:
                return Ending(
                    kind=EventKind.ORDER_REJECTED,
                    code=RejectCode.POST_ONLY_WOULD_TAKE,
                    reason="a post-only order would take at this limit",
                    ts_ms=at_ms,
                )
            if order.time_in_force is TimeInForce.FOK and sum((step.quantity for step in taken), ZERO) < left:
                return Ending(
                    kind=EventKind.ORDER_EXPIRED,
                    code=RejectCode.NOT_FILLABLE_AT_ONCE,
                    reason="the whole could not be filled at once",
                    ts_ms=at_ms,
                )
            steps += taken
            left -= sum((step.quantity for step in taken), ZERO)
        if order.order_type.has_limit and order.rests and left > 0:
            steps += self._queue(order, left, instrument, queued_ms, at_ms, close_ms)
        return steps

    def _depth_for(self, order: Order, at_ms: int) -> Depth:
        """The book at the instant, less what the desk took from levels that have not changed since."""
        depth = self._book.depth_at(at_ms)
        sign = order.side.sign
        mine = self._taken.of(order.desk, order.instrument, sign)
        if not mine:
            return depth
        prices, sizes = depth.side(sign)
        left = sizes.copy()
        for at, price in enumerate(prices.tolist()):
            if price in mine:
                size, taken_ms = mine[price]
                changed, _ = self._book.size_history(ASK if sign > 0 else BID, price, taken_ms, at_ms)
                if not len(changed):
                    left[at] = max(0.0, left[at] - size)
        name = "ask_sizes" if sign > 0 else "bid_sizes"
        return replace(depth, **{name: left})

    def _walk(self, order: Order, left: Decimal, instrument: Instrument, depth: Depth, ts_ms: int) -> list[Step]:
        if not depth.is_two_sided:
            return []
        limit = None if order.limit_price is None else float(order.limit_price)
        arrival = decimal_from_float(round(depth.mid, 10))
        steps: list[Step] = []
        for price, size in depth.levels(order.side.sign, limit):
            quantity = min(left, instrument.floor_quantity(decimal_from_float(round(size, 12))))
            if quantity > 0:
                execution = Execution(
                    price=decimal_from_float(price), liquidity=Liquidity.TAKER, ts_ms=ts_ms, arrival=arrival
                )
                steps.append(Step(execution=execution, quantity=quantity))
                left -= quantity
            if left <= 0:
                break
        return steps

    def _queue(
        self, order: Order, left: Decimal, instrument: Instrument, queued_ms: int, from_ms: int, close_ms: int
    ) -> list[Step]:
        assert order.limit_price is not None
        price, sign = float(order.limit_price), order.side.sign
        side = BID if sign > 0 else ASK
        joined_ms = self._book.joined_ms(side, price, queued_ms)
        ahead = float("inf")
        if joined_ms is not None:
            prices, sizes = self._book.depth_at(joined_ms).side(-sign)
            at = np.flatnonzero(prices == price)
            ahead = float(sizes[at[0]]) if len(at) else 0.0
            queued_ms = joined_ms
        changes = self._book.size_history(side, price, queued_ms, close_ms)
        steps: list[Step] = []
        seen = 0
        # A trade at the very millisecond of the arrival may have come before it.
        for ts_ms, traded, size in _hitting(self._book.trades.between(queued_ms + 1, close_ms), sign, price):
            while seen < len(changes[0]) and changes[0][seen] < ts_ms:
                ahead = min(ahead, float(changes[1][seen]))
                seen += 1
            through = (traded - price) * sign < 0
            offered = size if through else max(0.0, size - ahead)
            ahead = 0.0 if through else max(0.0, ahead - size)
            quantity = min(left, instrument.floor_quantity(decimal_from_float(round(offered, 12))))
            if ts_ms < from_ms or quantity <= 0:
                continue
            execution = Execution(
                price=order.limit_price, liquidity=Liquidity.MAKER, ts_ms=ts_ms, arrival=order.limit_price
            )
            steps.append(Step(execution=execution, quantity=quantity))
            left -= quantity
            if left <= 0:
                break
        return steps

    def _trigger(self, order: Order, instrument: Instrument, close_ms: int) -> tuple[int | None, bool]:
        """When a waiting order is triggered by a public trade, and whether it would have been on arrival."""
        trades = self._book.trades.between(order.arrives_ms, close_ms)
        depth = self._book.depth_at(order.arrives_ms)
        if order.order_type is OrderType.TRAILING_STOP:
            return self._trail(order, instrument, trades, depth.mid), False
        assert order.trigger_price is not None
        trigger = float(order.trigger_price)
        profit = order.order_type is OrderType.TAKE_PROFIT
        toward = -order.side.sign if profit else order.side.sign
        at_once = (depth.mid - trigger) * toward >= 0
        if at_once:
            return order.arrives_ms, not profit
        met = (trades.price - trigger) * toward >= 0
        return (int(trades.ts_ms[int(np.argmax(met))]) if met.any() else None), False

    def _trail(self, order: Order, instrument: Instrument, trades: Trades, start: float) -> int | None:
        prices = np.concatenate([[start], trades.price])
        selling = order.side is Side.SELL
        best = np.fmax.accumulate(prices) if selling else np.fmin.accumulate(prices)
        for at in range(1, len(prices)):
            # The level only moves with the best price, so it is worked out exactly where it may matter.
            level = as_stop(order, float(best[at - 1]), instrument).trigger_price
            assert level is not None
            if (float(prices[at]) - float(level)) * order.side.sign >= 0:
                return int(trades.ts_ms[at - 1])
        return None


def _hitting(trades: Trades, sign: int, price: float) -> list[tuple[int, float, float]]:
    """Trades that take from the order's side of the book at its price or through it."""
    mine = (trades.sold if sign > 0 else ~trades.sold) & ((trades.price - price) * sign <= 0)
    return list(zip(trades.ts_ms[mine].tolist(), trades.price[mine].tolist(), trades.size[mine].tolist(), strict=True))

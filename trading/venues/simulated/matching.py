"""Whether and at what price an order fills in a bar: pure functions on one order and one bar."""

import math
from dataclasses import dataclass, replace
from decimal import Decimal

from trading.domain.event import EventKind
from trading.domain.fill import Liquidity
from trading.domain.instrument import Instrument
from trading.domain.intent import OrderType, Side, TimeInForce
from trading.domain.money import decimal_from_float, round_down, round_up
from trading.domain.order import Order
from trading.domain.reject import RejectCode

MAX_UNRESOLVED_FRACTION = 0.05
"""A bar more than this much gone when an order arrives cannot prove that it filled passively."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarPrices:
    """One bar of one instrument, as a venue matches against it."""

    open_ms: int
    step_ms: int
    open: float
    high: float
    low: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A price at which an order fills, and when. ``arrival`` is what the market showed then, before slippage."""

    price: Decimal
    liquidity: Liquidity
    ts_ms: int
    arrival: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of an order that does not fill: how, when and why."""

    kind: EventKind
    code: RejectCode
    reason: str
    ts_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered:
    """A stop-limit met its trigger where its limit could not be had: it rests as a limit order from here on."""

    price: Decimal
    ts_ms: int


Outcome = Execution | Ending | Triggered


def match(
    order: Order, bar: BarPrices, instrument: Instrument, slippage: Decimal, *, triggered: bool = False
) -> Outcome | None:
    """What happens to ``order`` in ``bar``, or None. The order must arrive before the bar closes.

    A trailing stop comes here as the stop that it is at the moment (:func:`as_stop`).
    """
    gone = max(0, order.arrives_ms - bar.open_ms) / bar.step_ms
    if order.order_type.waits and not triggered:
        return _wait(order, bar, instrument, slippage, gone)
    if order.order_type.has_limit:
        return _limit(order, bar, instrument, slippage, gone, triggered=triggered)
    return _take(order, bar, instrument, slippage, gone)


def as_stop(order: Order, best: float, instrument: Instrument) -> Order:
    """A trailing stop as a stop, ``best`` being the highest (for a sell) or lowest price since it arrived."""
    assert order.trail is not None
    level = decimal_from_float(best) * (1 + order.side.sign * order.trail)
    rounded = round_up(level, instrument.tick) if order.side is Side.BUY else round_down(level, instrument.tick)
    return replace(order, order_type=OrderType.STOP, trigger_price=max(rounded, instrument.tick))


def _limit(
    order: Order, bar: BarPrices, instrument: Instrument, slippage: Decimal, gone: float, *, triggered: bool
) -> Outcome | None:
    assert order.limit_price is not None
    at_once = order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    if (order.arrives_ms >= bar.open_ms or at_once) and not triggered:
        taken = _take(order, bar, instrument, slippage, gone)
        if (taken.arrival - order.limit_price) * order.side.sign <= 0:
            if order.post_only:
                return _would_take(taken.ts_ms)
            return _not_worse(taken, order)
        if at_once:
            return _not_at_once(taken.ts_ms)
        if gone > MAX_UNRESOLVED_FRACTION:
            return None
    extreme = decimal_from_float(bar.low if order.side is Side.BUY else bar.high)
    if (order.limit_price - extreme) * order.side.sign <= 0:
        return None
    price = _within(order.limit_price, order.side, bar, instrument)
    return Execution(
        price=price, liquidity=Liquidity.MAKER, ts_ms=max(bar.open_ms, order.arrives_ms), arrival=order.limit_price
    )


def _wait(order: Order, bar: BarPrices, instrument: Instrument, slippage: Decimal, gone: float) -> Outcome | None:
    """A stop triggers on a touch, against the order; a take-profit only where the bar trades through its trigger."""
    assert order.trigger_price is not None
    ts_ms = max(bar.open_ms, order.arrives_ms)
    profit = order.order_type is OrderType.TAKE_PROFIT
    # Toward where the trigger lies: a buy stop waits above the market, a buy take-profit below it.
    toward = -order.side.sign if profit else order.side.sign
    shown = decimal_from_float(_arrival_price(order.side, bar, gone))
    beyond = (shown - order.trigger_price) * toward >= 0
    if beyond and order.arrives_ms >= bar.open_ms and not profit:
        return Ending(
            kind=EventKind.ORDER_REJECTED,
            code=RejectCode.WOULD_TRIGGER_AT_ONCE,
            reason="the market is beyond the trigger already",
            ts_ms=ts_ms,
        )
    if not beyond:
        extreme = decimal_from_float(bar.high if toward > 0 else bar.low)
        reached = (extreme - order.trigger_price) * toward
        if reached < 0 or (profit and (reached == 0 or gone > MAX_UNRESOLVED_FRACTION)):
            return None
        shown = order.trigger_price
    if order.limit_price is not None and (shown - order.limit_price) * order.side.sign > 0:
        return Triggered(price=shown, ts_ms=ts_ms)
    taken = Execution(
        price=slipped(shown, order.side, instrument, slippage), liquidity=Liquidity.TAKER, ts_ms=ts_ms, arrival=shown
    )
    return taken if order.limit_price is None else _not_worse(taken, order)


def _not_worse(taken: Execution, order: Order) -> Execution:
    assert order.limit_price is not None
    better = min if order.side is Side.BUY else max
    return replace(taken, price=better(taken.price, order.limit_price))


def _would_take(ts_ms: int) -> Ending:
    return Ending(
        kind=EventKind.ORDER_REJECTED,
        code=RejectCode.POST_ONLY_WOULD_TAKE,
        reason="a post-only order would take at this limit",
        ts_ms=ts_ms,
    )


def _not_at_once(ts_ms: int) -> Ending:
    return Ending(
        kind=EventKind.ORDER_EXPIRED,
        code=RejectCode.NOT_FILLABLE_AT_ONCE,
        reason="nothing could be filled at once",
        ts_ms=ts_ms,
    )


def _within(limit_price: Decimal, side: Side, bar: BarPrices, instrument: Instrument) -> Decimal:
    """The limit price, or where a whole bar lies beyond it, the price of that bar that is worst for the order."""
    if side is Side.BUY:
        return min(limit_price, round_up(decimal_from_float(bar.high), instrument.tick))
    return max(limit_price, round_down(decimal_from_float(bar.low), instrument.tick))


def _take(order: Order, bar: BarPrices, instrument: Instrument, slippage: Decimal, gone: float) -> Execution:
    reference = decimal_from_float(_arrival_price(order.side, bar, gone))
    return Execution(
        price=slipped(reference, order.side, instrument, slippage),
        liquidity=Liquidity.TAKER,
        ts_ms=max(bar.open_ms, order.arrives_ms),
        arrival=reference,
    )


def _arrival_price(side: Side, bar: BarPrices, gone: float) -> float:
    """The price on arrival: the open, moved toward the bar's adverse extreme by the root of the time gone.

    A bar does not say where the price was a moment after its open. A diffusion moves with the square root of time,
    so this charges latency what it costs on average against the order, and never gives better than the open.
    """
    extreme = bar.high if side is Side.BUY else bar.low
    return bar.open + (extreme - bar.open) * math.sqrt(gone) if gone else bar.open


def slipped(price: Decimal, side: Side, instrument: Instrument, slippage: Decimal) -> Decimal:
    """A taker's price: ``slippage`` (a fraction) worse, on the tick grid, rounded against the order."""
    if side is Side.BUY:
        return round_up(price * (1 + slippage), instrument.tick)
    return max(instrument.tick, round_down(price * (1 - slippage), instrument.tick))

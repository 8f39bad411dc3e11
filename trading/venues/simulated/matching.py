"""Whether and at what price an order fills in a bar: pure functions on one order and one bar."""

import math
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.fill import Liquidity
from trading.domain.instrument import Instrument
from trading.domain.intent import OrderType, Side
from trading.domain.money import decimal_from_float, round_down, round_up
from trading.domain.order import Order

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
    """A price at which an order fills, and when."""

    price: Decimal
    liquidity: Liquidity
    ts_ms: int


def match(order: Order, bar: BarPrices, instrument: Instrument, slippage: Decimal) -> Execution | None:
    """How ``order`` fills in ``bar``, or None. The order must arrive before the bar closes."""
    gone = max(0, order.arrives_ms - bar.open_ms) / bar.step_ms
    if order.order_type is OrderType.MARKET:
        return _take(order, bar, instrument, slippage, gone)
    assert order.limit_price is not None
    arrives_here = order.arrives_ms >= bar.open_ms
    if arrives_here:
        taken = _take(order, bar, instrument, slippage, gone)
        reference = decimal_from_float(_arrival_price(order.side, bar, gone))
        if (reference - order.limit_price) * order.side.sign <= 0:
            better = min if order.side is Side.BUY else max
            return Execution(price=better(taken.price, order.limit_price), liquidity=Liquidity.TAKER, ts_ms=taken.ts_ms)
        if gone > MAX_UNRESOLVED_FRACTION:
            return None
    extreme = decimal_from_float(bar.low if order.side is Side.BUY else bar.high)
    if (order.limit_price - extreme) * order.side.sign <= 0:
        return None
    return Execution(
        price=_within(order.limit_price, order.side, bar, instrument),
        liquidity=Liquidity.MAKER,
        ts_ms=max(bar.open_ms, order.arrives_ms),
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

"""A venue with a market that a test moves by hand: what the lifecycle specification drives.

A new venue joins the specification with a function like those in ``VENUES``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tests.trading.markets import FREE, HOUR_MS, PERP, SPOT, START_MS, Candle, instrument, tape_of
from tests.trading.venues.through_ccxt import loopback
from trading.domain import Order, OrderType, Side, TimeInForce
from trading.execution.paper import PaperVenue
from trading.testing.faulty_venue import FaultyVenue
from trading.venues.port import Venue

CAPITAL = Decimal(10_000)


@dataclass(slots=True)
class Harness:
    """``venue`` with a script of candles; :meth:`step` plays the next one."""

    venue: Venue
    exchange: PaperVenue
    played: int = 0
    symbol: str = PERP

    def step(self, bars: int = 1) -> None:
        """Let bars of the script pass."""
        self.played += bars
        self.exchange.advance(START_MS + (1 + self.played) * HOUR_MS)


Build = Callable[[Sequence[Candle]], Harness]


def paper(candles: Sequence[Candle], **changed: Any) -> Harness:
    """The simulated exchange. One bar is known before the script starts."""
    first = candles[0][0]
    lines = {PERP: [(first,) * 4, *candles], SPOT: [(first,) * 4, *candles]}
    listed = {PERP: instrument(PERP, min_notional=Decimal(5)), SPOT: instrument(SPOT, min_notional=Decimal(5))}
    costs = FREE.model_copy(update={"taker_fee_bps": Decimal(5), "maker_fee_bps": Decimal(2), **changed})
    exchange = PaperVenue(tape_of(lines), listed, costs, desk="account", capital=CAPITAL)
    exchange.advance(START_MS + HOUR_MS)
    return Harness(venue=exchange, exchange=exchange)


def faulty(candles: Sequence[Candle], **changed: Any) -> Harness:
    """The fake of ``trading.testing`` without a fault."""
    harness = paper(candles, **changed)
    return replace(harness, venue=FaultyVenue(harness.exchange))


def binance(candles: Sequence[Candle], **changed: Any) -> Harness:
    """The ccxt venue on loopback Binance spot, whose orders the simulated exchange matches."""
    return _through_ccxt("binance", SPOT, candles, **changed)


def binance_usdm(candles: Sequence[Candle], **changed: Any) -> Harness:
    """The same on loopback Binance USD-M futures."""
    return _through_ccxt("binanceusdm", PERP, candles, **changed)


def _through_ccxt(exchange_id: str, symbol: str, candles: Sequence[Candle], **changed: Any) -> Harness:
    harness = paper(candles, **changed)
    return replace(harness, venue=loopback(exchange_id, symbol).open(harness.exchange), symbol=symbol)


VENUES: dict[str, Build] = {
    "simulated": paper,
    "faulty": faulty,
    "binance": binance,
    "binanceusdm": binance_usdm,
}
PERPETUAL = ("binanceusdm", "faulty", "simulated")
"""Venues on which a position can be short, and reduced."""
EXPIRING = PERPETUAL
"""Venues that end an order by their own clock."""
PAIRING = ("faulty", "simulated")
"""Venues that cancel one order of a pair when the other fills."""
BOTH = ("faulty", "simulated")
"""Venues with spot and perpetuals in one account."""


def order(
    number: int,
    side: str = "buy",
    quantity: str = "1",
    kind: OrderType = OrderType.MARKET,
    *,
    limit: str | None = None,
    trigger: str | None = None,
    trail: str | None = None,
    tif: TimeInForce = TimeInForce.GTC,
    symbol: str = PERP,
    **more: Any,
) -> Order:
    """An order as the house would send it; its ids follow from ``number``."""
    return Order(
        order_id=f"o-{number}",
        client_order_id=f"tf-{number}",
        intent_id="",
        desk="account",
        instrument=symbol,
        side=Side(side),
        order_type=kind,
        quantity=Decimal(quantity),
        limit_price=None if limit is None else Decimal(limit),
        trigger_price=None if trigger is None else Decimal(trigger),
        trail=None if trail is None else Decimal(trail),
        sent_ms=START_MS + HOUR_MS,
        arrives_ms=START_MS + HOUR_MS,
        time_in_force=tif,
        **more,
    )

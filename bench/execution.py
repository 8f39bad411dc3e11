"""What an order costs on its way: its state, the sender, and a recorded-size book."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal

import numpy as np

from bench.figure import Figure
from trading.domain import Event, Instrument, InstrumentKind, ManualClock, Order, OrderType, Side, TimeInForce
from trading.domain.order import OrderStatus
from trading.execution import Happening, OpenOrders, OrderLife
from trading.execution.paper import PaperVenue
from trading.execution.sender import OrderSender
from trading.marketdata import Tape
from trading.marketdata.depth import BookTape, Trades
from trading.venues.simulated import Costs

ORDERS = 2_000
CHANGES = 100_000
SYMBOL = "BTC-USDT-PERP"


def measure() -> list[Figure]:
    """Invented orders and a seeded book; rates of one core's processor."""
    return [
        Figure(name="transitions of an order", value=_rate(50_000, _walk), unit="/s"),
        Figure(name="orders sent, filled and polled through the port", value=_rate(ORDERS, _send), unit="/s"),
        Figure(name="books rebuilt at an instant, 100,000 changes", value=_rate(500, _books), unit="/s"),
    ]


def _rate(count: int, work: Callable[[int], None]) -> float:
    started = time.process_time()
    work(count)
    return count / (time.process_time() - started)


def _walk(count: int) -> None:
    for _ in range(count // 5):
        life = OrderLife(order_id="o", quantity=Decimal(2), status=OrderStatus.SENT).after(Happening.ACKNOWLEDGE)
        life.after_fill("a", Decimal(1)).after(Happening.ACKNOWLEDGE).after_fill("b", Decimal(1)).after(
            Happening.CANCEL
        )


def _send(count: int) -> None:
    bars = count // 10 + 4
    line = np.full((1, bars), 100.0)
    tape = Tape(
        symbols=(SYMBOL,),
        step_ms=60_000,
        open_ms=60_000 * np.arange(bars, dtype=np.int64),
        open=line,
        high=line,
        low=line,
        close=line,
        volume=line,
        source="simulated",
    )
    listed = Instrument(
        symbol=SYMBOL, base="BTC", quote="USDT", kind=InstrumentKind.PERP, tick=Decimal("0.1"), lot=Decimal("0.001")
    )
    fees = {"taker_fee_bps": "4.5", "maker_fee_bps": "1.5", "slippage_bps": "2", "liquidation_fee_bps": "50"}
    costs = Costs.model_validate({**fees, "latency_ms": 250})
    venue = PaperVenue(tape, {SYMBOL: listed}, costs, desk="bench", capital=Decimal(10**9))
    orders = OpenOrders()
    clock = ManualClock()

    def record(event: Event) -> None:
        orders.apply(event)

    sender = OrderSender(venue, orders, record=record, commit=lambda: None, clock=clock)

    async def run() -> None:
        for bar in range(count // 10):
            now_ms = (bar + 1) * 60_000
            venue.advance(now_ms)
            clock.set_ms(now_ms)
            await sender.poll()
            for number in range(10):
                await sender.send(_order(bar * 10 + number, now_ms))

    asyncio.run(run())


def _order(number: int, now_ms: int) -> Order:
    return Order(
        order_id=f"o-{number}",
        client_order_id=f"tf-{number}",
        intent_id="",
        desk="bench",
        instrument=SYMBOL,
        side=Side.BUY if number % 2 else Side.SELL,
        order_type=OrderType.MARKET,
        quantity=Decimal("0.1"),
        sent_ms=now_ms,
        arrives_ms=now_ms,
        time_in_force=TimeInForce.GTC,
    )


def _books(count: int) -> None:
    rng = np.random.default_rng(7)
    side = rng.choice([1, -1], CHANGES)
    empty = np.zeros(0)
    book = BookTape(
        ts_ms=np.arange(CHANGES, dtype=np.int64),
        side=side.astype(np.int64),
        price=np.round(100 - side * (0.01 + rng.integers(0, 500, CHANGES) / 100), 2),
        size=np.round(rng.exponential(2, CHANGES) * (rng.random(CHANGES) < 0.7), 3),
        snapshot=np.zeros(CHANGES, np.int64),
        trades=Trades(ts_ms=empty.astype(np.int64), price=empty, size=empty, sold=empty.astype(bool)),
    )
    for at in rng.integers(1, CHANGES, count):
        book.depth_at(int(at))

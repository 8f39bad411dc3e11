"""One tape through backtest, season and the paper venue behind the port: the same orders get the same fills."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from tests.trading.engine.test_order_kinds import every_kind
from tests.trading.markets import (
    FREE,
    HOUR_MS,
    OTHER_PERP,
    PERP,
    SPOT,
    MemoryJournal,
    decision,
    engine_on,
    instrument,
    random_tape,
)
from trading.domain import EventKind, ManualClock
from trading.domain.order import order_from_payload
from trading.engine import run_strategy
from trading.execution import OpenOrders
from trading.execution.paper import PaperVenue
from trading.execution.sender import OrderSender

SYMBOLS = (PERP, OTHER_PERP, SPOT)
COSTS = FREE.model_copy(
    update={
        "taker_fee_bps": Decimal("4.5"),
        "maker_fee_bps": Decimal("1.5"),
        "slippage_bps": Decimal(2),
        "latency_ms": 250,
    }
)


class Opened:
    """What ``every_kind`` asks of a round, on a cursor."""

    def __init__(self, view):
        self.view = view


def wants(seed, index, view):
    """Whatever a desk wants of any kind, without brackets: what follows a fill is the engine's, not the venue's."""
    if index == 0:
        return []  # a strategy is first asked after a bar of its season
    intents = every_kind(np.random.default_rng([seed, index]), Opened(view))
    return [replace(intent, stop_loss=None, take_profit=None) for intent in intents]


def told(journal) -> list[tuple]:
    rows = [event.payload for event in journal.events if event.kind is EventKind.FILLED]
    names = ("instrument", "side", "price", "quantity", "fee", "liquidity", "ts_ms")
    return sorted(tuple(row[name] for name in names) for row in rows)


@pytest.mark.parametrize("seed", range(6))
def test_the_same_fills_whoever_asks(seed):
    tape = random_tape(seed, bars=70, holes=False, missing=0.0)
    season = engine_on(tape, costs=COSTS)
    season.open_season()
    for index in range(season.setup.rounds):
        opened = season.open_round(index, season.setup.round_ms(index))
        season.submit(decision("alpha", index, wants(seed, index, opened.view)))
        season.close_round()
    season.close_season()
    fills = told(season._journal)
    assert len(fills) > 20

    backtest = engine_on(tape, costs=COSTS)
    backtest.open_season()

    def strategy(cursor):
        if cursor.as_of_ms >= backtest.setup.end_ms:
            return None
        return wants(seed, cursor.at - 1, cursor) or None

    run_strategy(backtest, "alpha", strategy)
    backtest.close_season()
    assert told(backtest._journal) == fills

    paper = asyncio.run(on_paper(tape, season))
    assert paper == fills


async def on_paper(tape, season) -> list[tuple]:
    """The orders of the season sent to the paper venue when they were sent there, and cancelled when they were."""
    listed = {symbol: instrument(symbol) for symbol in SYMBOLS}
    venue = PaperVenue(tape, listed, COSTS, desk="alpha", capital=Decimal(10_000), seed=season.setup.seed)
    orders, journal, clock = OpenOrders(), MemoryJournal(), ManualClock()

    def record(event):
        journal.append(event)
        orders.apply(event)

    sender = OrderSender(venue, orders, record=record, commit=journal.commit, clock=clock)
    sent = [order_from_payload(e.payload) for e in season._journal.events if e.kind is EventKind.ORDERED]
    by_time: dict[int, list] = {}
    for order in sent:
        if order.origin == "desk":
            by_time.setdefault(order.sent_ms, []).append(order)
    for now_ms in range(season.setup.start_ms, season.setup.end_ms + 1, HOUR_MS):
        venue.advance(now_ms)
        clock.set_ms(now_ms)
        await sender.poll()
        for order in by_time.get(now_ms, []):
            await sender.send(order)
    return told(journal)

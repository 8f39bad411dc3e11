"""One tape through backtest, season, paper and an exchange that ccxt reaches over HTTP: the same fills, to the digit.

The loopback exchange matches by the rules of the simulated one. Everything before it is what a real exchange meets:
signing, the wire and its answers, polling, expiry by the house.
"""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.exchanges.binance import Binance
from tests.trading.engine.test_one_tape import COSTS, told, wants
from tests.trading.markets import (
    HOUR_MS,
    OTHER_PERP,
    PERP,
    SPOT,
    START_MS,
    MemoryJournal,
    decision,
    engine_on,
    instrument,
    random_tape,
)
from tests.trading.venues.through_ccxt import loopback
from trading.domain import EventKind, ManualClock, Order
from trading.domain.order import order_from_payload
from trading.engine import Engine, run_strategy
from trading.execution import OpenOrders
from trading.execution.account import RecordedAccount
from trading.execution.paper import PaperVenue
from trading.execution.reconciliation import Outcome, ReconcilePolicy
from trading.execution.sender import OrderSender
from trading.ledger import Ledger
from trading.ledger.account import DeskAccount
from trading.marketdata.loading import load_tape
from trading.marketdata.tape import Tape
from trading.venues.port import Venue

EXCHANGES = {"binanceusdm": (PERP, OTHER_PERP), "binance": (SPOT, "ETH-USDT")}
RECORDED = {"binanceusdm": ("binance-perp", PERP, OTHER_PERP), "binance": ("binance", SPOT, "ETH-USDT")}
CAPITAL = Decimal(10_000)
SEED = 1


def listed(tape: Tape):
    return {symbol: instrument(symbol, min_notional=Decimal(5)) for symbol in tape.symbols}


def engine_over(tape: Tape) -> Engine:
    engine = engine_on(tape, costs=COSTS, instruments=listed(tape), capital=str(CAPITAL))
    engine.open_season()
    return engine


def plans(tape: Tape, seed: int, index: int, view):
    """What the desk wants in a round; spot exchanges know no reduce-only."""
    intents = wants(seed, index, view)
    return intents if tape.symbols[0] == PERP else [replace(intent, reduce_only=False) for intent in intents]


def season(tape: Tape, seed: int) -> Engine:
    engine = engine_over(tape)
    for index in range(engine.setup.rounds):
        opened = engine.open_round(index, engine.setup.round_ms(index))
        engine.submit(decision("alpha", index, plans(tape, seed, index, opened.view)))
        engine.close_round()
    engine.close_season()
    return engine


def backtest(tape: Tape, seed: int) -> list[tuple]:
    engine = engine_over(tape)

    def strategy(cursor):
        if cursor.as_of_ms >= engine.setup.end_ms:
            return None
        return plans(tape, seed, cursor.at - 1, cursor) or None

    run_strategy(engine, "alpha", strategy)
    engine.close_season()
    return told(engine._journal)


def sent_by_desk(engine: Engine) -> list[Order]:
    sent = [order_from_payload(e.payload) for e in engine._journal.events if e.kind is EventKind.ORDERED]
    return [order for order in sent if order.origin == "desk"]


async def behind_the_port(venue: Venue, exchange: PaperVenue, of: Engine) -> list[tuple]:
    """The orders of a season sent to a venue when they were sent there; the house expires what the venue does not."""
    orders, journal, clock = OpenOrders(), MemoryJournal(), ManualClock()

    def record(event):
        journal.append(event)
        orders.apply(event)

    sender = OrderSender(venue, orders, record=record, commit=journal.commit, clock=clock)
    wanted = sent_by_desk(of)
    for now_ms in range(of.setup.start_ms, of.setup.end_ms + 1, of.tape.step_ms):
        exchange.advance(now_ms)
        clock.set_ms(now_ms)
        await sender.poll()
        await sender.expire(now_ms)
        for order in wanted:
            if order.sent_ms == now_ms:
                await sender.send(order)
    assert not sender.unknown()
    return told(journal)


def matching(tape: Tape) -> PaperVenue:
    return PaperVenue(tape, listed(tape), COSTS, desk="account", capital=CAPITAL, seed=SEED)


def assert_same_fills(tape: Tape, exchange_id: str, seed: int) -> None:
    whole = season(tape, seed)
    fills = told(whole._journal)
    assert len(fills) >= 10
    assert {row[5] for row in fills} == {"maker", "taker"}
    assert backtest(tape, seed) == fills

    paper = matching(tape)
    assert asyncio.run(behind_the_port(paper, paper, whole)) == fills

    exchange, reached = matching(tape), loopback(exchange_id, *tape.symbols)
    assert asyncio.run(behind_the_port(reached.open(exchange), exchange, whole)) == fills
    assert isinstance(reached.server.dialect, Binance)
    assert reached.server.dialect.private is not None
    accepted = reached.server.dialect.private.accepted
    assert accepted == {order.client_order_id: 1 for order in sent_by_desk(whole)}, "each order met the wire once"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("exchange_id", EXCHANGES)
def test_a_simulated_tape_gives_the_same_fills_from_backtest_to_exchange(exchange_id, seed):
    tape = random_tape(seed, bars=60, symbols=EXCHANGES[exchange_id], holes=False, missing=0.0)
    assert_same_fills(tape, exchange_id, seed)


async def kept_account(venue: Venue, exchange: PaperVenue, of: Engine) -> tuple[DeskAccount, Outcome]:
    """A desk's account as the record of a venue leads to it: fills, fees and funding, all told by the exchange."""
    ledger, clock = Ledger(), ManualClock(of.setup.start_ms)
    for event in of._journal.events:
        if event.kind in (EventKind.SEASON_OPENED, EventKind.DEPOSITED):
            ledger.apply(event)
    exchange.advance(of.setup.start_ms)
    account = RecordedAccount(
        venue,
        of.tape.symbols,
        MemoryJournal(),
        tell=lambda found: pytest.fail(found.text()),
        clock=clock,
        policy=ReconcilePolicy(cash_desk="alpha", pause_s=0),
        listeners=[ledger.apply],
    )
    assert (await account.start()).is_clean
    wanted = sent_by_desk(of)
    for now_ms in range(of.setup.start_ms, of.setup.end_ms + 1, of.tape.step_ms):
        exchange.advance(now_ms)
        clock.set_ms(now_ms)
        await account.sender.poll()
        await account.sender.expire(now_ms)
        for order in wanted:
            if order.sent_ms == now_ms:
                await account.send(order)
        outcome = await account.reconcile() if (now_ms // HOUR_MS) % 10 == 0 else None
        assert outcome is None or outcome.is_clean
    return ledger.accounts["alpha"], await account.reconcile()


@pytest.mark.parametrize("seed", range(2))
def test_the_account_at_the_exchange_is_the_seasons_to_the_last_digit(seed):
    tape = random_tape(seed, bars=40, symbols=EXCHANGES["binanceusdm"], holes=False, missing=0.0)
    whole = season(tape, seed)
    exchange = matching(tape)
    venue = loopback("binanceusdm", *tape.symbols).open(exchange)
    account, outcome = asyncio.run(kept_account(venue, exchange, whole))
    assert outcome.is_clean
    theirs = whole.ledger.accounts["alpha"]
    assert account.funding != 0
    for name in ("cash", "positions", "realised", "fees", "funding", "turnover", "fills"):
        assert getattr(account, name) == getattr(theirs, name), name


@pytest.mark.parametrize("exchange_id", EXCHANGES)
def test_recorded_candles_give_the_same_fills_from_backtest_to_exchange(exchange_id, recordings):
    folder, *symbols = RECORDED[exchange_id]
    paths = [recordings / "ohlcv" / folder / f"{symbol}-1h.parquet" for symbol in symbols]
    tape = load_tape(paths, [], symbols, START_MS, START_MS + 60 * HOUR_MS, history_bars=0)
    assert tape.source == "replay"
    assert_same_fills(tape, exchange_id, 0)

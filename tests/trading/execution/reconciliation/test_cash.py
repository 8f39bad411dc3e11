"""Cash that moves without a trade: funding, deposits, withdrawals, rebates, as loopback exchanges tell them."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from tests.exchanges.accounts import OrderFault
from tests.trading.execution.reconciliation.world import world
from tests.trading.markets import OTHER_PERP, PERP, START_MS, flat, instrument
from tests.trading.venues.ccxt_venue.test_other_exchanges import elsewhere
from tests.trading.venues.harness import paper
from trading.domain import Event, EventKind, ManualClock
from trading.domain.errors import UnknownOrderState
from trading.execution.reconciliation import BreakKind, ExpectedBooks
from trading.execution.reconciliation.cash import CashIntake
from trading.ledger import Ledger
from trading.ledger.ledger import instrument_row
from trading.venues.ccxt_venue.facts import venue_facts

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def cash(here) -> list[tuple[str, str, str]]:
    """What the journal holds of cash: kind, currency, amount."""
    rows = [event.payload for event in here.journal.events if event.kind is EventKind.CASH_MOVED]
    return [(row["kind"], row["currency"], row["amount"]) for row in rows]


def ledger_of(desk: str = "alpha", quote: str = "USDT") -> Ledger:
    ledger = Ledger()
    rows = [instrument_row(instrument(symbol)) for symbol in (PERP, OTHER_PERP, "BTC-USDT", "ETH-USDT")]
    opening = {"quote": quote, "desks": [{"desk": desk}], "instruments": rows}
    ledger.apply(Event(ts_ms=0, kind=EventKind.SEASON_OPENED, payload=opening))
    return ledger


@pytest.mark.asyncio
async def test_what_moves_a_futures_wallet_is_recorded_once_and_no_break():
    async with world() as here:
        side = here.ours()
        await side.start()
        await side.send(here.order("buy", "1.5"))
        await side.send(here.order("sell", "0.5"))
        here.account.pay("funding", "-3.14159265", instrument=here.names[0])
        here.account.pay("funding", "0.5", instrument=here.names[1])
        here.account.pay("deposit", "250")
        here.account.pay("withdrawal", "-100.5")
        here.account.pay("rebate", "0.00000001")
        here.account.pay("clearance", "-7")
        outcome = await side.reconcile()
        assert (outcome.is_clean, outcome.cash, outcome.cash_unread) == (True, 6, "")
        assert here.agrees(side)
        assert sorted(cash(here)) == [
            ("deposit", "USDT", "250"),
            ("fee", "USDT", "-7"),
            ("funding", "USDT", "-3.14159265"),
            ("funding", "USDT", "0.5"),
            ("rebate", "USDT", "0.00000001"),
            ("withdrawal", "USDT", "-100.5"),
        ]
        funded = next(e.payload for e in here.journal.events if e.payload.get("amount") == "-3.14159265")
        assert funded["instrument"] == here.names[0]
        written = len(here.journal.events)
        again = await side.reconcile()
        assert (again.cash, len(here.journal.events)) == (0, written)
        restarted = here.ours()
        assert (await restarted.start()).cash == 0
        assert here.agrees(restarted)
        assert here.kinds(EventKind.BREAK_FOUND) == []
        assert not here.server.unknown


@pytest.mark.asyncio
async def test_what_moved_before_the_account_was_taken_over_is_in_its_balances():
    async with world() as here:
        here.account.pay("deposit", "77")
        side = here.ours()
        assert (await side.start()).is_clean
        assert here.agrees(side)
        assert cash(here) == []
        here.account.pay("deposit", "23")
        assert (await here.ours().start()).cash == 1


@pytest.mark.asyncio
async def test_the_same_movement_told_twice_counts_once():
    async with world() as here:
        side = here.ours()
        await side.start()
        here.account.pay("funding", "-5", instrument=here.names[0])
        here.private.faults.arm(OrderFault.CASH_TWICE, 9)
        outcome = await side.reconcile()
        assert (outcome.is_clean, outcome.cash) == (True, 1)
        assert here.private.faults.struck[OrderFault.CASH_TWICE] > 0
        assert here.agrees(side)


@pytest.mark.asyncio
async def test_a_movement_told_late_is_a_break_until_it_is_told():
    async with world() as here:
        side = here.ours()
        await side.start()
        here.account.pay("funding", "-5", instrument=here.names[0])
        here.private.faults.arm(OrderFault.CASH_LATE, 1)
        assert (await side.reconcile()).is_clean, "late by less than the looks take is no break at all"
        here.account.pay("funding", "-6", instrument=here.names[0])
        here.private.faults.arm(OrderFault.CASH_LATE, 3)
        outcome = await side.reconcile()
        assert [each.kind for each in outcome.breaks] == [BreakKind.BALANCE]
        assert (await side.reconcile()).is_clean
        assert here.agrees(side)
        assert here.kinds(EventKind.BREAK_FOUND, EventKind.BREAK_RESOLVED) == ["break_found", "break_resolved"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "words"), [(OrderFault.CASH_RUBBISH, "cannot be read"), (OrderFault.CASH_REFUSED, "refused")]
)
async def test_a_list_that_cannot_be_read_leaves_the_difference_to_show(fault, words):
    async with world() as here:
        side = here.ours()
        await side.start()
        here.account.pay("deposit", "10")
        here.private.faults.arm(fault, 99)
        outcome = await side.reconcile()
        assert [each.key for each in outcome.breaks] == ["balance:USDT"]
        assert words in outcome.cash_unread
        assert cash(here) == []
        here.private.faults.clear()
        assert (await side.reconcile()).is_clean
        assert here.agrees(side)


@pytest.mark.asyncio
async def test_a_kind_of_income_without_a_name_is_nobodys_guess():
    async with world() as here:
        side = here.ours()
        await side.start()
        here.account.pay("gift", "10")
        outcome = await side.reconcile()
        assert [each.key for each in outcome.breaks] == ["balance:USDT"]
        assert cash(here) == []


@pytest.mark.asyncio
async def test_spot_deposits_count_when_credited_and_withdrawals_when_asked_for():
    async with world("binance", BTC="2") as here:
        side = here.ours(adopt_start=True)
        await side.start()
        slow = here.account.pay("deposit", "0.25", "BTC", status="pending", at_ms=here.server.now_ms() - 5 * HOUR_MS)
        leaving = here.account.pay("withdrawal", "-100", fee="1.5", status="pending")
        assert (await side.reconcile()).is_clean
        assert cash(here) == [("withdrawal", "USDT", "-101.5")]
        here.account.settle(slow, "done")
        here.account.settle(leaving, "failed")
        assert (await side.reconcile()).is_clean
        assert cash(here)[1:] == [("deposit", "BTC", "0.25"), ("deposit", "USDT", "101.5")]
        assert here.agrees(side)
        assert (await here.ours().start()).cash == 0


@pytest.mark.asyncio
async def test_a_withdrawal_that_was_on_its_way_at_the_take_over_comes_back():
    async with world("binance") as here:
        leaving = here.account.pay("withdrawal", "-100", fee="1.5", status="pending")
        side = here.ours()
        await side.start()
        here.account.settle(leaving, "failed")
        assert (await side.reconcile()).is_clean
        assert cash(here) == [("deposit", "USDT", "101.5")]


@pytest.mark.asyncio
async def test_hyperliquid_tells_funding_and_the_rest_in_two_lists():
    async with elsewhere("hyperliquid") as here:
        side = here.ours()
        await side.start()
        await side.send(here.order("buy", "1.5"))
        at = here.server.now_ms()
        for name, amount in zip(here.names, ("-0.123456", "0.000001"), strict=True):
            here.account.pay("funding", amount, "USDC", instrument=name, at_ms=at)
        here.account.pay("deposit", "500", "USDC")
        here.account.pay("withdrawal", "-9.5", "USDC", fee="1.0")
        here.account.pay("to perp", "40", "USDC")
        here.account.pay("to spot", "-12.25", "USDC")
        here.account.pay("received", "3", "USDC")
        outcome = await side.reconcile()
        assert (outcome.is_clean, outcome.cash) == (True, 7)
        assert here.agrees(side)
        assert ("withdrawal", "USDC", "-10.5") in cash(here)
        assert (await here.ours().start()).cash == 0
        here.account.pay("vault", "-100", "USDC")
        assert not (await side.reconcile()).is_clean, "what has no name here shows as a difference"
        here.private.faults.arm(OrderFault.CASH_RUBBISH, 99)
        assert "cannot be read" in (await side.reconcile()).cash_unread
        assert not here.server.unknown


@pytest.mark.asyncio
async def test_kraken_tells_everything_in_one_list_a_page_at_a_time():
    async with elsewhere("kraken") as here:
        side = here.ours()
        await side.start()
        for _ in range(30):  # sixty entries of trades stand before what is looked for
            await side.send(here.order("buy", "0.1"))
        here.account.pay("deposit", "500.25", "USD", fee="0.25", at_ms=here.server.now_ms() - HOUR_MS // 2)
        here.account.pay("withdrawal", "-0.5", "BTC", fee="0.0001")
        here.account.pay("transfer", "3", "USD")
        outcome = await side.reconcile()
        assert (outcome.is_clean, outcome.cash) == (True, 3)
        assert here.agrees(side)
        assert set(cash(here)) == {("deposit", "USD", "500"), ("withdrawal", "BTC", "-0.5001"), ("deposit", "USD", "3")}
        here.account.pay("staking", "1", "USD")
        assert not (await side.reconcile()).is_clean, "what has no name here shows as a difference"
        here.private.faults.arm(OrderFault.CASH_RUBBISH, 99)
        assert "cannot be read" in (await side.reconcile()).cash_unread


def test_the_income_of_aster_reads_as_that_of_binance():
    import ccxt

    exchange = ccxt.aster({"number": str})
    facts = venue_facts("aster")
    row = {
        "symbol": "",
        "incomeType": "TRANSFER",
        "income": "-1.50000000",
        "asset": "USDT",
        "time": 1760659200000,
        "info": "TRANSFER",
        "tranId": 9,
        "tradeId": "",
    }
    told = [one for each in exchange.parse_ledger([row]) for one in facts.cash[0].read(exchange, each)]
    assert [(one.cash_id, one.kind, one.currency, one.amount) for one in told] == [
        ("TRANSFER:9:", "withdrawal", "USDT", Decimal("-1.5"))
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange_id", ["binance", "binanceusdm"])
async def test_a_long_list_is_read_to_its_end(exchange_id):
    async with world(exchange_id) as here:
        sources = tuple(replace(source, page=3) for source in here.venue.facts.cash)
        here.venue.facts = replace(here.venue.facts, cash=sources)
        side = here.ours()
        await side.start()
        begin = here.server.now_ms() - HOUR_MS
        for number in range(20):
            here.account.pay("deposit", str(number + 1), at_ms=begin + 60_000 * number)
        assert len(await here.venue.cash_since(begin - HOUR_MS)) == 20
        outcome = await side.reconcile()
        assert (outcome.is_clean, outcome.cash) == (True, 20)
        assert here.agrees(side)


@pytest.mark.asyncio
async def test_months_are_read_in_the_windows_that_the_exchange_allows():
    async with world("binance") as here:
        now = here.server.now_ms()
        for days in (300, 200, 100, 1):
            here.account.pay("deposit", str(days), at_ms=now - days * DAY_MS)
            here.account.pay("withdrawal", str(-days), at_ms=now - days * DAY_MS)
        told = await here.venue.cash_since(now - 365 * DAY_MS)
        assert [one.amount for one in told if one.kind == "deposit"] == [300, 200, 100, 1]
        assert len(told) == 8


@pytest.mark.asyncio
async def test_the_desk_that_the_cash_is_gets_it_in_its_ledger():
    async with world() as here:
        ledger = ledger_of()
        side = here.ours(ledger.apply, cash_desk="alpha")
        await side.start()
        here.account.pay("deposit", "1000")
        here.account.pay("funding", "-4", instrument=here.names[0])
        here.account.pay("rebate", "0.25")
        here.account.pay("clearance", "-2")
        here.account.pay("withdrawal", "-300")
        here.account.pay("deposit", "1", "BNB")
        await side.reconcile()
        account = ledger.accounts["alpha"]
        assert account.cash == Decimal("694.25")
        assert (account.deposited, account.funding, account.fees) == (700, 4, Decimal("1.75"))
        assert ledger.book.imbalance() == {}
        assert here.agrees(side), "another currency is in the books of the venue alone"
        again = ledger_of()
        for event in here.journal.events:
            again.apply(event)
        assert again.accounts["alpha"] == account


@pytest.mark.asyncio
async def test_while_cash_keeps_moving_an_account_is_not_taken_over():
    async with world() as here:
        balances = here.venue.balances

        async def busy():
            here.account.pay("funding", "-1", instrument=here.names[0])
            return await balances()

        here.venue.balances = busy
        with pytest.raises(UnknownOrderState, match="quiet"):
            await here.ours().start()
        here.venue.balances = balances
        assert (await here.ours().start()).is_clean


@pytest.mark.asyncio
async def test_a_venue_that_tells_nothing_of_cash_is_left_alone():
    books = ExpectedBooks()
    intake = CashIntake(
        paper(flat(100, 2)).venue, books, record=lambda event: pytest.fail(str(event)), clock=ManualClock(START_MS)
    )
    assert await intake.take() == 0
    assert intake.unread == ""


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("exchange_id", ["binance", "binanceusdm"])
async def test_trades_and_cash_in_any_order_agree_to_the_last_digit(exchange_id, seed):
    rng = np.random.default_rng([seed, 7])
    kinds = ("deposit", "withdrawal") if exchange_id == "binance" else ("deposit", "withdrawal", "funding", "rebate")
    async with world(exchange_id) as here:
        side = here.ours()
        await side.start()
        for _ in range(25):
            what = int(rng.integers(4))
            amount = str(round(float(rng.uniform(0.01, 50)), 8))
            if what == 0:
                await side.send(here.order("buy", str(round(float(rng.uniform(0.1, 1)), 3)), at=int(rng.integers(2))))
            elif what == 1:
                kind = kinds[int(rng.integers(len(kinds)))]
                here.account.pay(kind, f"-{amount}" if kind == "withdrawal" else amount, fee="0")
            elif what == 2:
                here.private.faults.arm([OrderFault.CASH_TWICE, OrderFault.CASH_LATE][int(rng.integers(2))])
            else:
                side = here.ours()
                assert (await side.start()).is_clean
        here.private.faults.clear()
        assert (await side.reconcile()).is_clean
        assert here.agrees(side)
        assert here.agrees(here.ours())

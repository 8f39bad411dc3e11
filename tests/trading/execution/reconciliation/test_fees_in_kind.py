"""Fees that a spot venue takes of the coin that was bought: record, ledger and venue hold the same of each."""

from decimal import Decimal

import numpy as np
import pytest

from tests.trading.execution.reconciliation.test_cash import ledger_of
from tests.trading.execution.reconciliation.world import world
from trading.domain import Event, EventKind, OrderStatus
from trading.domain.money import round_down
from trading.ledger.ledger import FEES

LOT = Decimal("0.001")


def deposited(ledger, amount):
    payload = {"desk": "alpha", "amount": amount}
    ledger.apply(Event(ts_ms=0, kind=EventKind.DEPOSITED, payload=payload))
    return ledger


def free(here, currency):
    return here.account.balances().get(currency, (Decimal(0), Decimal(0)))[0]


@pytest.mark.asyncio
async def test_what_is_held_after_a_buy_can_be_sold_and_nothing_else():
    async with world("binance", deposit="1000000") as here:
        ledger = deposited(ledger_of(), "1000000")
        side = here.ours(ledger.apply)
        await side.start()
        assert await side.send(here.order("buy", "2")) is OrderStatus.FILLED
        account = ledger.accounts["alpha"]
        held = account.position("BTC-USDT").quantity
        assert held == free(here, "BTC") == Decimal("1.999")
        assert account.cash == free(here, "USDT")
        bought = next(event.payload for event in here.journal.events if event.kind is EventKind.FILLED)
        assert (bought["charged_currency"], Decimal(bought["fee"])) == (
            "BTC",
            Decimal(bought["charged"]) * Decimal(bought["price"]),
        )
        assert await side.send(here.order("sell", "2")) is OrderStatus.REJECTED, "the venue holds less than was bought"
        assert await side.send(here.order("sell", str(held))) is OrderStatus.FILLED
        assert account.position("BTC-USDT").is_flat
        assert account.cash == free(here, "USDT")
        assert (await side.reconcile()).is_clean


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(4))
async def test_positions_and_cash_are_the_venues_to_the_last_digit(seed):
    rng = np.random.default_rng(seed)
    async with world("binance", deposit="1000000") as here:
        ledger = deposited(ledger_of(), "1000000")
        side = here.ours(ledger.apply)
        await side.start()
        account = ledger.accounts["alpha"]
        for _ in range(25):
            at = int(rng.integers(2))
            held = round_down(account.position(here.names[at]).quantity, LOT)
            wanted = Decimal(int(rng.integers(10, 1500))) * LOT
            sells = held >= LOT * 10 and rng.random() < 0.5
            quantity = min(held, wanted) if sells else wanted
            assert await side.send(here.order("sell" if sells else "buy", str(quantity), at=at)) is OrderStatus.FILLED
            for name in here.names:
                assert account.position(name).quantity == free(here, name.split("-")[0])
            assert account.cash == free(here, "USDT")
        assert (await side.reconcile()).is_clean
        assert here.agrees(side)
        assert ledger.book.imbalance() == {}
        told = await here.venue.fills_since(0)
        assert account.fees == sum(fill.fee for fill in told) == ledger.book.balance(FEES, "USDT")
        assert {fill.charged_currency for fill in told} >= {"", "BTC", "ETH"}

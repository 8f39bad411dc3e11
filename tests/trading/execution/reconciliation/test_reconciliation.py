"""Record and venue brought together on loopback Binance, with everything that sets them apart."""

from decimal import Decimal

import pytest

from tests.exchanges.accounts import Asked, OrderFault
from tests.trading.execution.reconciliation.world import world
from trading.domain import EventKind, OrderStatus
from trading.domain.errors import OrderRejected, RequestError, UnknownOrderState
from trading.execution.reconciliation import BreakKind, ForeignOrders, ReconcilePolicy

BREAKS = (EventKind.BREAK_FOUND, EventKind.BREAK_RESOLVED)


def foreign(name: str, *, quantity: str = "1", limit: str | None = "50000") -> Asked:
    """An order that somebody else placed at the same account."""
    return Asked(
        client_id="web_1",
        instrument=name,
        buys=True,
        kind="market" if limit is None else "limit",
        quantity=Decimal(quantity),
        limit=None if limit is None else Decimal(limit),
    )


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange_id", ["binance", "binanceusdm"])
async def test_a_plain_day_agrees_to_the_last_digit_and_a_second_run_writes_nothing(exchange_id):
    async with world(exchange_id) as here:
        side = here.ours()
        assert (await side.start()).is_clean
        for order in (here.order("buy", "1.234"), here.order("buy", "0.7", "50000"), here.order("sell", "0.321")):
            await side.send(order)
        assert (await side.reconcile()).is_clean
        assert here.agrees(side)
        written = len(here.journal.events)
        for _ in range(3):
            outcome = await side.reconcile()
            assert (outcome.is_clean, outcome.events) == (True, 0)
        assert len(here.journal.events) == written
        assert here.kinds(*BREAKS) == []


@pytest.mark.asyncio
async def test_nothing_is_sent_before_the_first_comparison():
    async with world() as here:
        side = here.ours()
        with pytest.raises(OrderRejected, match="not been reconciled"):
            await side.send(here.order("buy", "1"))
        assert here.account.orders() == []
        assert here.journal.events == []


@pytest.mark.asyncio
async def test_an_account_that_is_not_flat_is_taken_over_only_by_declared_adoption():
    async with world() as here:
        here.account.place(foreign(here.names[0], limit=None))
        here.account.place(foreign(here.names[0]))
        side = here.ours()
        outcome = await side.start()
        assert {each.kind for each in outcome.breaks} == {BreakKind.NOT_FLAT}
        with pytest.raises(OrderRejected):
            await side.send(here.order("buy", "1"))
        adopting = here.ours(adopt_start=True, foreign_orders=ForeignOrders.CANCEL)
        assert (await adopting.start()).is_clean
        assert here.agrees(adopting)
        assert await here.venue.open_orders() == ()
        assert await adopting.send(here.order("sell", "1")) is OrderStatus.FILLED


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("policy", "stands", "bars"),
    [(ForeignOrders.BREAK, 1, True), (ForeignOrders.CANCEL, 0, False), (ForeignOrders.ADOPT, 1, False)],
)
async def test_an_order_of_somebody_else_is_dealt_with_as_declared(policy, stands, bars):
    async with world() as here:
        side = here.ours(foreign_orders=policy, adopt_desk="alpha")
        await side.start()
        here.account.place(foreign(here.names[0]))
        outcome = await side.reconcile()
        assert outcome.is_clean is not bars
        assert [each.kind for each in here.told] == [BreakKind.FOREIGN_ORDER]
        assert len(await here.venue.open_orders()) == stands
        assert len(side.orders) == (policy is ForeignOrders.ADOPT)
        if bars:
            with pytest.raises(OrderRejected, match="until it is resolved"):
                await side.send(here.order("buy", "1"))
            assert await side.send(here.order("buy", "1", at=1)) is OrderStatus.FILLED
        else:
            assert (await side.reconcile()).events == 0
        assert len(here.told) == 1


@pytest.mark.asyncio
async def test_an_adopted_order_brings_its_fills():
    async with world() as here:
        side = here.ours(foreign_orders=ForeignOrders.ADOPT, adopt_desk="alpha")
        await side.start()
        here.account.place(foreign(here.names[0], limit="59990"))
        await side.reconcile()
        here.server.markets[here.names[0]]._set([(1, 599_000, 5_000)])
        here.account.step()
        assert (await side.reconcile()).is_clean
        assert side.books.positions == {here.names[0]: Decimal(1)}
        assert here.agrees(side)


@pytest.mark.asyncio
async def test_a_trade_of_somebody_else_bars_what_it_touched_until_a_person_accepts_it():
    async with world() as here:
        side = here.ours()
        await side.start()
        here.account.place(foreign(here.names[0], limit=None))
        outcome = await side.reconcile()
        kinds = {each.kind for each in outcome.breaks}
        assert kinds == {BreakKind.POSITION, BreakKind.BALANCE, BreakKind.FOREIGN_FILL}
        found = len(here.journal.events)
        assert len(here.told) == 3
        await side.reconcile()
        assert len(here.journal.events) == found, "a break that stands is not told again"
        assert len(here.told) == 3
        with pytest.raises(OrderRejected):
            await side.send(here.order("buy", "1", at=1))
        for key in [each.key for each in outcome.breaks if each.kind is not BreakKind.FOREIGN_FILL]:
            with pytest.raises(RequestError):
                await side.reconciler.accept(key, " ")
            await side.reconciler.accept(key, "bought by hand")
        assert (await side.reconcile()).is_clean
        assert here.agrees(side)
        assert await side.send(here.order("buy", "1", at=1)) is OrderStatus.FILLED
        assert here.agrees(here.ours()), "a restart folds the same books"


@pytest.mark.asyncio
async def test_a_balance_read_wrong_once_is_looked_at_again_and_one_that_stays_wrong_is_a_break():
    async with world() as here:
        side = here.ours()
        await side.start()
        here.private.faults.arm(OrderFault.WRONG_BALANCE)
        assert (await side.reconcile()).is_clean
        assert here.told == []
        here.private.faults.arm(OrderFault.WRONG_BALANCE, 3)
        outcome = await side.reconcile()
        assert [each.key for each in outcome.breaks] == ["balance:USDT"]
        assert (await side.reconcile()).is_clean, "it resolves itself when both agree again"
        assert here.kinds(*BREAKS) == ["break_found", "break_resolved"]


@pytest.mark.asyncio
async def test_a_missed_fill_is_found_within_one_cycle():
    async with world() as here:
        side = here.ours()
        await side.start()
        here.private.faults.arm(OrderFault.FILLS_HIDDEN, 4)
        await side.send(here.order("buy", "1"))
        assert side.books.positions == {}
        here.private.faults.clear()
        assert (await side.reconcile()).is_clean
        assert here.agrees(side)


@pytest.mark.asyncio
async def test_an_order_that_vanished_is_closed_told_and_not_sent_again():
    async with world() as here:
        side = here.ours()
        await side.start()
        await side.send(here.order("buy", "1", "50000"))
        here.account._orders.clear()
        assert (await side.reconcile()).is_clean
        assert [each.kind for each in here.told] == [BreakKind.VANISHED_ORDER]
        assert len(side.orders) == 0
        assert here.account.orders() == []
        assert (await side.reconcile()).events == 0


@pytest.mark.asyncio
async def test_while_the_venue_cannot_be_asked_nothing_starts():
    async with world() as here:
        here.private.faults.arm(OrderFault.MAINTENANCE, 99)
        side = here.ours()
        with pytest.raises(UnknownOrderState):
            await side.start()
        with pytest.raises(OrderRejected, match="not been reconciled"):
            await side.send(here.order("buy", "1"))


@pytest.mark.asyncio
async def test_cold_and_warm_give_the_same_state():
    async with world("binance", BTC="2") as here:
        side = here.ours(adopt_start=True)
        await side.start()
        for quantity in ("1.5", "0.25"):
            await side.send(here.order("buy", quantity))
        await side.send(here.order("sell", "0.5", "70000"))
        cold = here.ours()
        assert (await cold.start()).events == 0
        assert cold.books.balances == side.books.balances
        assert [order.order_id for order in cold.orders.all()] == [order.order_id for order in side.orders.all()]
        assert here.agrees(cold)


def test_adoption_needs_a_desk():
    with pytest.raises(RequestError, match="adopt_desk"):
        ReconcilePolicy(foreign_orders=ForeignOrders.ADOPT)

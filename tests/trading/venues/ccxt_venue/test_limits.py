"""Many requests at once under an exchange's limit, in virtual time: nothing lost, nothing twice, never banned."""

import asyncio
from decimal import Decimal

import pytest

from tests.exchanges.accounts import OrderFault
from tests.exchanges.limits import RateWindow, VirtualTime
from tests.trading.execution.reconciliation.world import world
from tests.trading.venues.ccxt_venue.test_other_exchanges import elsewhere
from trading.domain import EventKind, OrderStatus
from trading.domain.errors import OrderRejected

EACH = Decimal("0.01")


def limited(here, *, weight):
    """The exchange under a limit, and our side in the same virtual time."""
    time = VirtualTime(here.server.now_ms())
    here.on(time)
    here.private.limits = RateWindow(time, weight)
    return time, here.private.limits


async def carry_out(here, side, time, orders: int, *, at_once: bool) -> int:
    """Send until so many orders were filled: what a limit held back is decided anew, as a new order. How many went."""

    async def send():
        try:
            return await side.send(here.order("buy", str(EACH)))
        except OrderRejected:
            return None  # an order of unknown fate bars its instrument for a while

    filled = 0
    for _ in range(200):
        if at_once:
            ended = await asyncio.gather(*(send() for _ in range(orders - filled)))
        else:
            ended = [await send() for _ in range(orders - filled)]
        assert set(ended) <= {OrderStatus.FILLED, OrderStatus.REJECTED, None}
        filled += ended.count(OrderStatus.FILLED)
        if filled == orders:
            break
        await time.sleep(5)
    return filled


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("exchange_id", "orders", "faults", "at_once"),
    [
        ("binanceusdm", 30, 2, True),
        ("binance", 30, 0, False),
        pytest.param("binance", 200, 0, True, marks=pytest.mark.slow),
        pytest.param("binanceusdm", 200, 3, True, marks=pytest.mark.slow),
        pytest.param("binanceusdm", 200, 3, False, marks=pytest.mark.slow),
    ],
)
async def test_a_burst_of_orders_ends_within_the_limit_with_each_filled_once(exchange_id, orders, faults, at_once):
    async with world(exchange_id) as here:
        time, window = limited(here, weight=6 * orders)
        side = here.ours()
        await side.start()
        for fault in (OrderFault.ANSWER_LOST, OrderFault.SERVER_ERROR_AFTER, OrderFault.RATE_LIMIT):
            here.private.faults.arm(fault, faults)
        assert await carry_out(here, side, time, orders, at_once=at_once) == orders
        assert window.limited > 0, "the limit was met"
        assert window.bans == 0
        assert max(window.spent.values()) <= window.weight
        assert set(here.private.accepted.values()) == {1}

        bought = sum(traded.quantity for traded in here.account.trades())
        assert bought == orders * EACH
        events = here.journal.events
        clients = {e.payload["order_id"]: e.payload["client_order_id"] for e in events if e.kind is EventKind.ORDERED}
        filled = {clients[e.payload["order_id"]] for e in events if e.kind is EventKind.FILLED}
        refused = [e.payload for e in events if e.kind is EventKind.ORDER_REJECTED]
        assert filled == set(here.private.accepted)
        assert {row["code"] for row in refused} <= {"rate_limited"}
        assert len(clients) == len(filled) + len(refused)
        assert len(side.orders) == 0
        assert (await side.reconcile()).is_clean
        assert here.agrees(side)


@pytest.mark.asyncio
@pytest.mark.parametrize("at_once", [True, False])
async def test_reading_at_the_limit_waits_as_told_and_is_never_banned(at_once):
    async with world() as here:
        time, window = limited(here, weight=60)
        began = time.now_ms()
        if at_once:
            await asyncio.gather(*(here.venue.balances() for _ in range(60)))
        else:
            for _ in range(60):
                await here.venue.balances()
        assert window.bans == 0
        assert window.limited >= 8
        assert time.now_ms() - began >= 8 * window.window_ms, "sixty answers of weight ten take ten windows of sixty"


@pytest.mark.asyncio
@pytest.mark.parametrize(("kind", "most"), [("kraken", 1), ("hyperliquid", 3)])
async def test_no_more_are_on_their_way_than_the_exchange_takes(kind, most):
    async with elsewhere(kind) as here:
        fetch, running, seen = here.venue.exchange.fetch_balance, 0, set()

        async def counted(*args):
            nonlocal running
            running += 1
            seen.add(running)
            try:
                return await fetch(*args)
            finally:
                running -= 1

        here.venue.exchange.fetch_balance = counted
        told = await asyncio.gather(*(here.venue.balances() for _ in range(12)))
        assert len({tuple(row.items()) for row in told}) == 1
        assert max(seen) == most, "each request of Kraken needs a higher nonce than the last"


@pytest.mark.asyncio
async def test_a_ban_holds_orders_back_until_it_ends():
    async with world() as here:
        time, window = limited(here, weight=1200)
        window._banned_until_ms = time.now_ms() + 1
        with pytest.raises(OrderRejected) as refused:
            await here.venue.place(here.order("buy", "1"))
        assert refused.value.code == "rate_limited"
        for _ in range(20):
            with pytest.raises(OrderRejected):
                await here.venue.place(here.order("buy", "1"))
        assert window.bans == 1, "nothing goes out while it lasts"
        await time.sleep(window.ban_ms / 1000)
        assert (await here.venue.place(here.order("buy", "1"))).status is OrderStatus.FILLED

"""Orders at loopback Hyperliquid and Coinbase through the real ccxt classes, signed as each wants it."""

from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges import kraken_account, serve_exchange
from tests.exchanges.coinbase_account import KEY_NAME, CoinbaseAccount, make_secret
from tests.exchanges.hyperliquid_account import ADDRESS, PRIVATE_KEY, HyperliquidAccount
from tests.exchanges.kraken_account import KrakenAccount
from tests.exchanges.matching import BookAccount
from tests.trading.execution.reconciliation.world import READS, World
from trading.domain import OrderStatus, OrderType
from trading.domain.errors import OrderRejected, VenueError
from trading.execution.dead_man import DeadMansGrip
from trading.marketdata.exchange import ExchangeSpec
from trading.venues.ccxt_venue import Keys, VenueSpec, VenueSwitch, open_venue

S = OrderStatus
KINDS = pytest.mark.parametrize("kind", ["hyperliquid", "coinbase ES256", "coinbase EdDSA", "kraken"])


@asynccontextmanager
async def elsewhere(kind: str):
    exchange_id = kind.split(maxsplit=1)[0]
    async with serve_exchange(exchange_id, step_s=3600) as server:
        dialect: Any = server.dialect
        perp = exchange_id == "hyperliquid"
        deposits = {"USDC": Decimal(1_000_000)} if perp else {"USD": Decimal(1_000_000)}
        account = BookAccount(server.markets, deposits, now_ms=server.now_ms, fees_in_quote=True)
        private: Any
        if perp:
            private = HyperliquidAccount(account, dialect.coins, venue=server)
            keys = Keys(wallet_address=ADDRESS, private_key=PRIVATE_KEY)
        elif exchange_id == "kraken":
            private = KrakenAccount(account, dialect.pairs, venue=server)
            keys = Keys(api_key=kraken_account.KEY, secret=kraken_account.SECRET)
        else:
            secret, public = make_secret(eddsa=kind.endswith("EdDSA"))
            private = CoinbaseAccount(account, public, venue=server)
            keys = Keys(api_key=KEY_NAME, secret=secret)
        dialect.private = private
        spec = VenueSpec(
            exchange=ExchangeSpec(exchange_id=exchange_id, endpoints=server.endpoints, pace=False),
            keys=keys,
            instruments=tuple(server.markets),
        )
        async with open_venue(spec, reads=READS) as venue:
            yield World(server=server, account=account, private=private, venue=venue)


@KINDS
@pytest.mark.asyncio
async def test_orders_live_and_end_as_the_venue_says(kind):
    async with elsewhere(kind) as here:
        name = here.names[0]
        taken = here.order("buy", "1.5")
        placed = await here.venue.place(taken)
        assert placed.client_order_id == taken.client_order_id
        assert (await here.venue.order(taken.client_order_id, name)).status is S.FILLED
        resting = here.order("buy", "0.5", "50000")
        assert (await here.venue.place(resting)).status is S.OPEN
        assert [one.client_order_id for one in await here.venue.open_orders()] == [resting.client_order_id]
        assert (await here.venue.cancel(resting.client_order_id, name)).status is S.CANCELLED
        assert (await here.venue.cancel(resting.client_order_id, name)).status is S.CANCELLED
        assert await here.venue.order(here.order("buy", "1").client_order_id, name) is None
        with pytest.raises(OrderRejected):
            await here.venue.cancel(here.order("buy", "1").client_order_id, name)
        with pytest.raises(OrderRejected) as refused:
            await here.venue.place(here.order("buy", "9000", "60000"))
        assert refused.value.code == "insufficient_funds"
        with pytest.raises(OrderRejected) as refused:
            await here.venue.place(here.order("buy", "1", "61000", post_only=True))
        assert refused.value.code == "post_only_would_take"
        told = await here.venue.fills_since(0)
        assert {fill.client_order_id for fill in told} == {taken.client_order_id}
        assert sum(fill.quantity for fill in told) == Decimal("1.5")
        assert sum(fill.fee for fill in told) == sum(traded.fee for traded in here.account.trades())
        assert not here.server.unknown


@KINDS
@pytest.mark.asyncio
async def test_a_day_reconciles_to_the_last_digit(kind):
    async with elsewhere(kind) as here:
        side = here.ours()
        assert (await side.start()).is_clean
        for order in (here.order("buy", "1.234"), here.order("buy", "0.7", "50000"), here.order("sell", "0.321")):
            await side.send(order)
        assert (await side.reconcile()).is_clean
        assert (await here.ours().start()).events == 0
        theirs = {name: free + locked for name, (free, locked) in here.account.balances().items()}
        assert dict(side.books.balances) == theirs


@KINDS
@pytest.mark.asyncio
async def test_a_stop_waits_at_the_venue(kind):
    async with elsewhere(kind) as here:
        await here.venue.place(here.order("buy", "1"))
        stop = replace(here.order("sell", "0.5"), order_type=OrderType.STOP, trigger_price=Decimal(55_000))
        assert (await here.venue.place(stop)).status is S.OPEN
        assert (await here.venue.order(stop.client_order_id, stop.instrument)).status is S.OPEN
        held = here.account.orders()[-1]
        assert (held.asked.kind, held.asked.trigger) == ("stop", Decimal(55_000))


@pytest.mark.asyncio
async def test_nothing_but_orders_is_signed_at_hyperliquid():
    async with elsewhere("hyperliquid") as here:
        await here.venue.place(here.order("buy", "1"))
        assert here.private.actions == ["order"], "no builder fee is approved and no referral set"


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["hyperliquid", "coinbase ES256"])
async def test_another_key_is_not_let_in(kind):
    async with elsewhere(kind) as here:
        exchange = here.venue.exchange
        exchange.privateKey, exchange.secret = "0x" + "22" * 32, make_secret()[0]
        with pytest.raises(VenueError, match="placing"):
            await here.venue.place(here.order("buy", "1"))
        assert here.account.orders() == []


@pytest.mark.asyncio
async def test_the_schedule_of_hyperliquid_cancels_when_the_beats_stop():
    async with elsewhere("hyperliquid") as here:
        grip = DeadMansGrip(VenueSwitch(here.venue), timeout_ms=6_000, silence_ms=500, monotonic_ms=lambda: 0.0)
        await here.venue.place(here.order("buy", "1", "50000"))
        grip.beat()
        assert await grip.tick()
        here.server.weather.clock_off_ms = 7_000
        here.private.run_schedule()
        assert await here.venue.open_orders() == ()
        grip.beat()
        assert await grip.tick()
        await grip.let_go()
        assert here.private.scheduled_ms is None


@pytest.mark.asyncio
async def test_the_timer_of_kraken_cancels_when_the_beats_stop():
    async with elsewhere("kraken") as here:
        grip = DeadMansGrip(VenueSwitch(here.venue), timeout_ms=60_000, silence_ms=500, monotonic_ms=lambda: 0.0)
        await here.venue.place(here.order("buy", "1", "50000"))
        grip.beat()
        assert await grip.tick()
        here.private.run_timer()
        assert len(await here.venue.open_orders()) == 1
        here.server.weather.clock_off_ms = 61_000
        here.private.run_timer()
        assert await here.venue.open_orders() == ()
        await grip.tick()
        await grip.let_go()
        assert here.private.cancels_ms is None


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["hyperliquid", "coinbase ES256", "kraken"])
async def test_executions_beyond_one_page_are_all_told(kind):
    async with elsewhere(kind) as here:
        for _ in range(60):
            await here.venue.place(here.order("buy", "0.01", "60500"))
        here.venue.facts = replace(here.venue.facts, page=50)
        told = await here.venue.fills_since(here.account.trades()[0].at_ms)
        assert len(told) == len(here.account.trades()) >= 60

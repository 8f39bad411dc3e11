"""The fault plan of an exchange against the real ccxt class: what is told, what is asked, and nothing goes twice."""

import asyncio
from decimal import Decimal

import pytest

from tests.exchanges.accounts import OrderFault
from tests.trading.execution.reconciliation.world import world
from trading.domain import OrderStatus
from trading.domain.errors import ConfigError, OrderRejected, RequestError, UnknownOrderState
from trading.execution.dead_man import DeadMansGrip
from trading.marketdata.exchange import Backoff, ExchangeSpec
from trading.venues.ccxt_venue import Keys, VenueSpec, VenueSwitch, keys_from, open_venue, order_changes
from trading.venues.ccxt_venue.clock_guard import ClockGuard

F, S = OrderFault, OrderStatus
BOTH = pytest.mark.parametrize("exchange_id", ["binance", "binanceusdm"])


async def until(holds, *, tries=500):
    """Wait until something holds, a hundredth of a second a try."""
    for _ in range(tries):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


@BOTH
@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        (F.REQUEST_LOST, 0),
        (F.ANSWER_LOST, 1),
        (F.SERVER_ERROR, 0),
        (F.SERVER_ERROR_AFTER, 1),
        (F.MAINTENANCE, 0),
    ],
)
async def test_what_was_not_heard_is_unknown_and_asked_after(exchange_id, fault, accepted):
    async with world(exchange_id) as here:
        side = here.ours()
        await side.start()
        here.private.faults.arm(fault)
        order = here.order("buy", "1")
        status = await side.send(order)
        assert sum(here.private.accepted.values()) == accepted
        assert status is (S.FILLED if accepted else S.CANCELLED)
        kinds = [kind for kind in here.kinds() if kind.startswith("order")]
        assert kinds[:2] == ["ordered", "order_unknown"]
        assert await side.send(order) is status
        assert sum(here.private.accepted.values()) == accepted
        assert (await side.reconcile()).is_clean


@BOTH
@pytest.mark.asyncio
async def test_an_acknowledgement_older_than_the_fill_loses_nothing(exchange_id):
    async with world(exchange_id) as here:
        side = here.ours()
        await side.start()
        here.private.faults.arm(F.FILL_FIRST)
        assert await side.send(here.order("buy", "1")) is S.OPEN
        await side.sender.poll()
        assert len(side.orders) == 0
        assert (await side.reconcile()).is_clean


@BOTH
@pytest.mark.asyncio
async def test_part_filled_then_cancelled_keeps_its_part(exchange_id):
    async with world(exchange_id) as here:
        side = here.ours()
        await side.start()
        market = here.server.markets[here.names[0]]
        market._set([(1, price, 0) for price in list(market.levels[1])])
        market._set([(1, 600_001, 700), (1, 600_100, 5_000)])
        order = here.order("buy", "1", "60000.1")
        assert await side.send(order) is S.PARTIALLY_FILLED
        assert side.orders.left(order) == Decimal("0.3")
        here.private.faults.arm(F.CANCEL_LOST)
        assert await side.sender.cancel(order) is S.CANCELLED
        assert (await side.reconcile()).is_clean
        assert side.orders.life(order.order_id).filled == Decimal("0.7")


@BOTH
@pytest.mark.asyncio
async def test_a_cancellation_that_comes_too_late_finds_the_fill(exchange_id):
    async with world(exchange_id) as here:
        side = here.ours()
        await side.start()
        order = here.order("buy", "1", "59999")
        assert await side.send(order) is S.OPEN
        here.server.markets[here.names[0]]._set([(1, 599_990, 5_000)])
        here.account.step()
        assert await side.sender.cancel(order) is S.FILLED
        assert (await side.reconcile()).is_clean


@BOTH
@pytest.mark.asyncio
async def test_a_rate_limit_is_final_and_holds_orders_back_for_as_long_as_the_venue_asks(exchange_id):
    async with world(exchange_id) as here:
        here.private.faults.arm(F.RATE_LIMIT)
        for order in (here.order("buy", "1"), here.order("buy", "1")):
            with pytest.raises(OrderRejected) as refused:
                await here.venue.place(order)
            assert refused.value.code == "rate_limited"
        assert sum("order" in path for path in here.server.requests) == 1
        assert here.server.requests[next(path for path in here.server.requests if path.endswith("order"))] == 1
        await asyncio.sleep(0.05)
        assert (await here.venue.place(here.order("buy", "1"))).status is S.FILLED


@BOTH
@pytest.mark.asyncio
async def test_a_grid_that_changed_is_learnt_and_never_rounded_to(exchange_id):
    async with world(exchange_id) as here:
        market = here.server.markets[here.names[0]]
        object.__setattr__(market.listing, "lot", Decimal("0.01"))
        for attempt in range(2):
            with pytest.raises(OrderRejected) as refused:
                await here.venue.place(here.order("buy", "0.123"))
            assert refused.value.code == "off_grid", attempt
        posts = sum(count for path, count in here.server.requests.items() if path.endswith("/order"))
        assert posts == 1, "the second is refused here"
        assert (await here.venue.place(here.order("buy", "0.12"))).filled == Decimal("0.12")


@pytest.mark.asyncio
@pytest.mark.parametrize("off_ms", [5_000, -5_000])
async def test_a_clock_five_seconds_off_sends_nothing(off_ms):
    async with world() as here:
        here.server.weather.clock_off_ms = off_ms
        await here.venue._guard.measure()
        with pytest.raises(OrderRejected) as refused:
            await here.venue.place(here.order("buy", "1"))
        assert refused.value.code == "clock_off"
        assert here.account.orders() == []
        here.server.weather.clock_off_ms = off_ms // 10
        skew = await here.venue._guard.measure()
        assert abs(skew.skew_ms - off_ms / 10) < 100
        assert (await here.venue.place(here.order("buy", "1"))).status is S.FILLED


@pytest.mark.asyncio
async def test_a_clock_that_is_set_back_stops_orders_until_it_is_measured_again():
    async with world() as here:

        class Set:
            off_ms = 0

            def now_ms(self):
                return here.server.now_ms() + self.off_ms

        clock = Set()
        guard = ClockGuard(here.venue.exchange, clock, max_skew_ms=1_000)
        with pytest.raises(OrderRejected, match="not measured"):
            guard.check()
        await guard.measure()
        guard.check()
        clock.off_ms = -5_000
        with pytest.raises(OrderRejected, match="was set"):
            guard.check()
        with pytest.raises(OrderRejected, match="not measured"):
            guard.check()


@pytest.mark.asyncio
async def test_a_timestamp_that_the_venue_refuses_is_final():
    async with world() as here:
        here.private.faults.arm(F.CLOCK_SKEW)
        with pytest.raises(OrderRejected) as refused:
            await here.venue.place(here.order("buy", "1"))
        assert refused.value.code == "clock_off"


@BOTH
@pytest.mark.asyncio
async def test_the_stream_tells_of_fills_sooner_than_asking_and_twice_does_no_harm(exchange_id):
    async with world(exchange_id) as here:
        side = here.ours()
        await side.start()
        order = here.order("buy", "1", "59999")
        await side.send(order)
        heard = []

        async def listen():
            async for told in order_changes(here.venue, backoff=Backoff(first_s=0.01, cap_s=0.02)):
                heard.append(told)
                await side.sender.hear(told)

        listening = asyncio.create_task(listen())
        await until(lambda: here.private.listeners_of_account() > 0)
        here.private.faults.arm(F.DUPLICATE_ACK, 2)
        here.server.markets[here.names[0]]._set([(1, 599_990, 5_000)])
        here.account.step()
        await until(lambda: len(side.orders) == 0)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        assert {told.client_order_id for told in heard} == {order.client_order_id}
        assert side.orders.life(order.order_id).filled == 1
        assert here.kinds().count("filled") == 1
        assert (await side.reconcile()).is_clean


@pytest.mark.asyncio
async def test_a_key_that_may_withdraw_is_refused():
    async with world("binance") as here:
        here.private.withdrawals = True
        spec = VenueSpec(
            exchange=ExchangeSpec(exchange_id="binance", endpoints=here.server.endpoints, pace=False),
            keys=Keys(api_key="loopback-key", secret="loopback-secret"),
            instruments=tuple(here.names),
        )
        with pytest.raises(ConfigError, match="may withdraw"):
            async with open_venue(spec):
                pass


@pytest.mark.asyncio
async def test_a_wrong_key_and_rubbish_instead_of_answers_are_told_in_our_words():
    async with world("binance") as here:
        here.venue.exchange.secret = "wrong"
        with pytest.raises(OrderRejected) as refused:
            await here.venue.place(here.order("buy", "1"))
        assert refused.value.code == "not_permitted"
        with pytest.raises(UnknownOrderState):
            await here.venue.balances()
        assert "wrong" not in repr(refused.value)


def test_keys_come_from_the_environment_and_are_not_shown():
    environment = {"TRADEFLOOR_KRAKEN_KEY": " k ", "TRADEFLOOR_KRAKEN_SECRET": "s"}
    keys = keys_from(environment, "kraken", testnet=False)
    assert keys.as_ccxt() == {"apiKey": "k", "secret": "s"}
    assert "k" not in repr(keys).replace("Keys", "")
    with pytest.raises(ConfigError, match="TRADEFLOOR_KRAKEN_TESTNET_KEY"):
        keys_from(environment, "kraken", testnet=True)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("exchange_id", "instruments", "testnet", "error"),
    [
        ("binance", ("BTC-USDT", "BTC-USDT-PERP"), False, "all spot or all perpetuals"),
        ("binance", (), False, "no instrument"),
        ("okx", ("BTC-USDT",), False, "venues are"),
        ("kraken", ("BTC-USD",), True, "no testnet"),
        ("aster", ("BTC-USDT-PERP",), True, "no testnet"),
    ],
)
async def test_rubbish_is_refused_before_anything_is_asked(exchange_id, instruments, testnet, error):
    spec = VenueSpec(
        exchange=ExchangeSpec(exchange_id=exchange_id), keys=Keys(api_key="k"), instruments=instruments, testnet=testnet
    )
    with pytest.raises((RequestError, ConfigError), match=error):
        async with open_venue(spec):
            pass


@pytest.mark.asyncio
async def test_the_dead_mans_switch_of_binance_futures_fires_when_the_beats_stop_and_is_armed_again():
    async with world() as here:
        now = 0.0
        grip = DeadMansGrip(VenueSwitch(here.venue), timeout_ms=2_000, silence_ms=500, monotonic_ms=lambda: now)
        assert not await grip.tick(), "no beat yet"
        await here.venue.place(here.order("buy", "1", "50000"))
        grip.beat()
        assert await grip.tick()
        here.server.weather.clock_off_ms = 1_500
        grip.beat()
        assert await grip.tick()
        here.server.weather.clock_off_ms = 3_000
        here.private.run_countdowns()
        assert len(await here.venue.open_orders()) == 1, "armed again in time"
        now = 600.0
        assert not await grip.tick(), "the beats stopped"
        here.server.weather.clock_off_ms = 4_000
        here.private.run_countdowns()
        assert await here.venue.open_orders() == ()
        grip.beat()
        assert await grip.tick()
        assert set(here.private.countdowns) == {"BTCUSDT", "ETHUSDT"}
        await grip.let_go()
        assert here.private.countdowns == {}


@pytest.mark.asyncio
async def test_a_switch_that_is_not_there_or_not_taken_is_said():
    async with world("binance") as here:
        with pytest.raises(RequestError, match="no dead-man switch"):
            VenueSwitch(here.venue)
    async with world() as here:
        switch = VenueSwitch(here.venue)
        with pytest.raises(RequestError, match="at least 1000"):
            await switch.arm(10)
        with pytest.raises(RequestError, match="less than the timeout"):
            DeadMansGrip(switch, timeout_ms=100, silence_ms=200, monotonic_ms=lambda: 0.0)
        grip = DeadMansGrip(switch, timeout_ms=2_000, silence_ms=500, monotonic_ms=lambda: 0.0)
        grip.beat()
        here.private.faults.arm(F.MAINTENANCE)
        assert not await grip.tick()
        assert not grip.is_armed

"""What the dispatcher does with orders: once, in their order, not while halted, and what is wanted back comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.trading.markets import START_MS, MemoryJournal, flat
from tests.trading.venues.harness import Harness, order, paper
from trading.domain import Event, EventKind, ManualClock, OrderStatus, OrderType
from trading.domain.errors import JournalError, UnknownOrderState, VenueError
from trading.domain.order import ADOPTED, PROTECTION, Order, order_payload
from trading.execution import OpenOrders
from trading.execution.account import KeptRecord, RecordedAccount
from trading.execution.departures import DepartedOrders
from trading.execution.dispatcher import Dispatcher, Rhythm
from trading.execution.reconciliation import ExpectedBooks, OpenBreaks, ReconcilePolicy
from trading.execution.resolver import ResolvePolicy
from trading.testing.faulty_venue import Fault, FaultyVenue

QUICK = Rhythm(look_s=0.002, poll_s=0.005, heard_poll_s=0.005, compare_s=0.02, doubt_s=0.01, retry_s=0.005)


class SlowVenue(FaultyVenue):
    """A venue that may keep whoever asks waiting, or not answer at all."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.open_to_orders = asyncio.Event()
        self.open_to_orders.set()
        self.silent = 0

    async def place(self, order):
        await self.open_to_orders.wait()
        return await super().place(order)

    async def balances(self):
        if self.silent:
            self.silent -= 1
            raise UnknownOrderState("no answer")
        return await super().balances()


class FillingJournal(MemoryJournal):
    """A journal whose disk may be full."""

    is_full = False

    def commit(self) -> None:
        if self.is_full:
            raise JournalError("the disk is full")
        super().commit()


class Desk:
    """An engine's side of the record, with the dispatcher and the account behind it."""

    def __init__(self, *, plan=None, past=()):
        self.harness: Harness = paper(flat(100, 40))
        self.venue = SlowVenue(self.harness.exchange, plan or (lambda _call, _number: None))
        self.journal = FillingJournal()
        self.clock = ManualClock(START_MS)
        self.halted = False
        self.troubles: list[str] = []
        self.failures: list[str] = []
        self.standing, self.departed = OpenOrders(), DepartedOrders()
        self.books, self.breaks = ExpectedBooks(), OpenBreaks()
        for event in past:
            self.take_in(event)
        self.dispatcher = Dispatcher(
            self.departed,
            clock=self.clock,
            is_halted=lambda: self.halted,
            on_trouble=self.troubles.append,
            on_failure=self.failures.append,
            rhythm=QUICK,
        )
        self.account = RecordedAccount(
            self.venue,
            (order(0).instrument,),
            self.journal,
            tell=lambda found: self.troubles.append(found.text()),
            clock=self.clock,
            policy=ReconcilePolicy(pause_s=0),
            resolving=ResolvePolicy(asks=2, wait_s=0),
            kept=KeptRecord(record=self.record, orders=self.departed, books=self.books, breaks=self.breaks),
        )

    def take_in(self, event: Event) -> None:
        for fold in (self.standing, self.departed, self.books, self.breaks):
            fold.apply(event)

    def record(self, event: Event) -> None:
        self.journal.append(event)
        self.take_in(event)

    def send(self, one: Order) -> Order:
        self.record(ordered(one))
        self.dispatcher.place(one)
        return one

    def kinds(self, one: Order) -> list[str]:
        return [event.kind.value for event in self.journal.events if event.payload.get("order_id") == one.order_id]


def ordered(one: Order) -> Event:
    return Event(ts_ms=one.sent_ms, kind=EventKind.ORDERED, payload=order_payload(one))


@asynccontextmanager
async def desk(*, start: bool = True, **given) -> AsyncIterator[Desk]:
    here = Desk(**given)
    here.dispatcher.attach(here.account)
    try:
        if start:
            await here.dispatcher.start(asyncio.Event())
        yield here
    finally:
        await here.dispatcher.detach()


async def until(holds) -> None:
    for _ in range(5000):
        if holds():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come about")


@pytest.mark.asyncio
async def test_orders_leave_once_and_in_their_order_and_fills_come_back():
    async with desk() as here:
        sent = [here.send(order(number)) for number in range(4)]
        await until(lambda: len(here.venue.placed) == 4)
        assert list(here.venue.placed) == [one.client_order_id for one in sent]
        here.harness.step()
        await until(lambda: not here.standing.all())
        assert set(here.venue.placed.values()) == {1}
        assert here.kinds(sent[0]) == ["ordered", "order_acknowledged", "filled"]
        await here.dispatcher.settle("the end")
        assert (here.breaks.all(), here.failures) == ((), [])


@pytest.mark.asyncio
async def test_nothing_leaves_before_the_account_was_compared():
    async with desk(start=False) as here:
        one = here.send(order(1))
        await asyncio.sleep(0.05)
        assert not here.venue.placed
        await here.dispatcher.start(asyncio.Event())
        await until(lambda: here.venue.placed)
        assert here.kinds(one)[:2] == ["ordered", "order_acknowledged"]


@pytest.mark.asyncio
async def test_an_order_that_waits_to_leave_is_not_given_up_by_a_comparison():
    async with desk() as here:
        here.venue.open_to_orders.clear()
        first, second = here.send(order(1)), here.send(order(2))
        await until(lambda: not here.standing.all() or here.departed.all())
        assert [one.order_id for one in here.departed.all()] == [first.order_id]
        assert [one.order_id for one in here.standing.all()] == [first.order_id, second.order_id]
        here.venue.open_to_orders.set()
        await until(lambda: len(here.venue.placed) == 2)
        assert "order_cancelled" not in here.kinds(second)


@pytest.mark.asyncio
async def test_a_halt_holds_back_what_opens_and_lets_out_what_closes():
    async with desk() as here:
        bought = here.send(order(1))
        await until(lambda: here.venue.placed)
        here.harness.step()
        await until(lambda: "filled" in here.kinds(bought))
        here.halted = True
        opens = here.send(order(2))
        closes = here.send(order(3, "sell", reduce_only=True))
        guards = here.send(order(4, "sell", kind=OrderType.STOP, trigger="90", reduce_only=True, origin=PROTECTION))
        await until(lambda: len(here.venue.placed) == 3)
        assert here.kinds(opens) == ["ordered", "order_rejected"]
        assert {closes.client_order_id, guards.client_order_id} < set(here.venue.placed)


@pytest.mark.asyncio
async def test_an_order_that_could_not_leave_for_long_does_not_leave_any_more():
    async with desk(start=False) as here:
        old = here.send(order(1))
        here.clock.set_ms(old.arrives_ms + 120_001)
        await here.dispatcher.start(asyncio.Event())
        await until(lambda: not here.standing.all())
        assert (here.kinds(old), dict(here.venue.placed)) == (["ordered", "order_rejected"], {})


@pytest.mark.asyncio
async def test_what_is_wanted_back_before_it_left_never_leaves():
    async with desk(start=False) as here:
        one = here.send(order(1, kind=OrderType.LIMIT, limit="90"))
        here.dispatcher.cancel(one, "changed its mind")
        here.dispatcher.cancel(one, "said twice")
        await here.dispatcher.start(asyncio.Event())
        await until(lambda: not here.standing.all())
        assert (here.kinds(one), dict(here.venue.placed)) == (["ordered", "order_cancelled"], {})
        (ended,) = [event for event in here.journal.events if event.kind is EventKind.ORDER_CANCELLED]
        assert ended.payload["reason"] == "changed its mind"


@pytest.mark.asyncio
async def test_a_cancellation_is_asked_for_until_the_venue_heard_it():
    lost = {0, 1, 2}
    plan = lambda call, number: Fault.REQUEST_LOST if call == "cancel" and number in lost else None  # noqa: E731
    async with desk(plan=plan) as here:
        one = here.send(order(1, kind=OrderType.LIMIT, limit="90"))
        await until(lambda: here.venue.placed)
        here.dispatcher.cancel(one, "not wanted")
        await until(lambda: not here.standing.all())
        assert here.departed.life(one.order_id).status is OrderStatus.CANCELLED


@pytest.mark.asyncio
async def test_settling_takes_back_what_could_open_and_leaves_what_guards():
    async with desk() as here:
        bought = here.send(order(1))
        await until(lambda: here.venue.placed)
        here.harness.step()
        await until(lambda: "filled" in here.kinds(bought))
        rests = here.send(order(2, kind=OrderType.LIMIT, limit="90"))
        guards = here.send(order(3, "sell", kind=OrderType.STOP, trigger="80", reduce_only=True, origin=PROTECTION))
        await until(lambda: len(here.venue.placed) == 3)
        await here.dispatcher.settle("the end")
        assert here.departed.life(rests.order_id).status is OrderStatus.CANCELLED
        assert [one.order_id for one in here.standing.all()] == [guards.order_id]


@pytest.mark.asyncio
async def test_a_silent_venue_is_waited_for_and_somebody_is_told():
    async with desk(start=False) as here:
        here.venue.silent = 4
        await here.dispatcher.start(asyncio.Event())
        assert here.account.is_started
        assert [text for text in here.troubles if "does not answer" in text]


@pytest.mark.asyncio
async def test_whoever_stops_does_not_wait_for_a_silent_venue():
    async with desk(start=False) as here:
        here.venue.silent = 10**9
        stopping = asyncio.Event()
        starting = asyncio.create_task(here.dispatcher.start(stopping))
        await until(lambda: here.troubles)
        stopping.set()
        await asyncio.wait_for(starting, 60)
        await here.dispatcher.settle("the end")
        assert not here.account.is_started


@pytest.mark.asyncio
async def test_an_account_that_is_not_flat_is_not_taken_over():
    here = Desk()
    await here.harness.exchange.place(order(9, kind=OrderType.LIMIT, limit="90"))
    here.dispatcher.attach(here.account)
    with pytest.raises(VenueError, match="cannot be taken over: not flat"):
        await here.dispatcher.start(asyncio.Event())
    await here.dispatcher.detach()


@pytest.mark.asyncio
async def test_a_record_that_cannot_be_written_ends_the_work():
    async with desk() as here:
        here.journal.is_full = True
        here.send(order(1))
        await until(lambda: here.failures)
        with pytest.raises(JournalError, match="disk is full"):
            here.dispatcher.check()
        with pytest.raises(JournalError):
            await here.dispatcher.settle("the end")
        assert not here.venue.placed, "an order is durable before it leaves"


def test_orders_of_an_earlier_process_and_adopted_ones_have_left():
    orders = DepartedOrders()
    orders.apply(ordered(order(1)))
    orders.holds = True
    orders.apply(ordered(order(2)))
    orders.apply(ordered(replace(order(3), origin=ADOPTED)))
    assert [one.order_id for one in orders.all()] == ["o-1", "o-3"]
    orders.depart("o-2")
    orders.depart("o-2")
    orders.depart("never recorded")
    assert [one.order_id for one in orders.all()] == ["o-1", "o-3", "o-2"]

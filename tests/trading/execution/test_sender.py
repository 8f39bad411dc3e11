"""Sending behind the port: once, durable before it leaves, and asked after where nothing was heard."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from tests.chaos.sends import Tried, try_sends
from tests.trading.execution.bench import QUICK, Bench, no_wait
from tests.trading.markets import HOUR_MS, START_MS, flat
from tests.trading.venues.harness import order
from trading.domain import Event, EventKind, OrderStatus, OrderType, TimeInForce
from trading.execution.resolver import resolve
from trading.testing.faulty_venue import Fault, no_faults

S, T = OrderStatus, OrderType
DIP = [*flat(100, 1), (100, 101, 94, 100), *flat(100, 2)]


def struck(**faults):
    """A plan by call name: ``place=Fault.X`` strikes the first call, ``place=[...]`` the first ones in turn."""

    def plan(call, number):
        listed = faults.get(call, [])
        listed = listed if isinstance(listed, list) else [listed]
        return listed[number] if number < len(listed) else None

    return plan


def test_the_plain_way_is_journaled_step_by_step():
    bench = Bench()
    assert bench.send(order(1)) is S.OPEN
    bench.harness.step()
    bench.poll()
    assert bench.kinds() == ["ordered", "order_acknowledged", "filled"]
    assert bench.orders.life("o-1").status is S.FILLED


def test_the_order_is_durable_before_it_leaves():
    seen = []
    bench = Bench()
    place = bench.venue.place

    async def watch(one):
        seen.append([event.kind for event in bench.journal.events])
        return await place(one)

    bench.venue.place = watch
    bench.send(order(1))
    assert seen == [[EventKind.ORDERED]]


def test_the_same_order_is_not_sent_twice():
    bench = Bench()
    bench.send(order(1))
    assert bench.send(order(1)) is S.OPEN
    assert bench.venue.placed == {"tf-1": 1}


def test_a_lost_answer_is_asked_after():
    bench = Bench(struck(place=Fault.ANSWER_LOST))
    assert bench.send(order(1)) is S.OPEN
    assert bench.kinds() == ["ordered", "order_unknown", "order_acknowledged"]
    assert bench.venue.placed == {"tf-1": 1}


def test_a_lost_request_is_found_never_to_have_arrived_and_is_not_repeated():
    bench = Bench(struck(place=Fault.REQUEST_LOST))
    assert bench.send(order(1)) is S.CANCELLED
    assert bench.journal.events[-1].payload["code"] == "never_arrived"
    assert bench.venue.placed == {}


def test_while_the_venue_cannot_be_asked_the_order_stays_unknown():
    silent = [Fault.ANSWER_LOST] * 6
    bench = Bench(struck(place=Fault.ANSWER_LOST, order=silent))
    assert bench.send(order(1)) is S.UNKNOWN
    assert [one.order_id for one in bench.sender.unknown()] == ["o-1"]
    bench.harness.step()
    asyncio.run(bench.sender.recover())
    assert bench.orders.life("o-1").status is S.FILLED
    assert bench.sender.unknown() == ()


def test_one_denial_of_a_lagging_query_is_not_believed():
    bench = Bench(struck(place=Fault.ANSWER_LOST, order=Fault.FORGOTTEN, open_orders=Fault.FORGOTTEN))
    assert bench.send(order(1)) is S.OPEN


def test_a_fill_contradicts_the_denial():
    bench = Bench(struck(place=Fault.FILLED_BEFORE_ANSWER))
    asyncio.run(bench.venue.place(order(1)))
    bench.venue._plan = struck(order=[Fault.FORGOTTEN] * 9, open_orders=[Fault.FORGOTTEN] * 9)
    found = asyncio.run(resolve(bench.venue, order(1), QUICK, sleep=no_wait))
    assert found.order is None
    assert not found.is_certain


def test_a_fill_that_overtakes_the_acknowledgement_is_not_lost():
    bench = Bench(struck(place=Fault.FILLED_BEFORE_ANSWER))
    bench.send(order(1))
    bench.poll()
    assert bench.filled() == 1
    assert bench.orders.life("o-1").status is S.FILLED


def test_repeated_fills_count_once():
    bench = Bench(struck(fills=[Fault.FILLS_REPEATED] * 9))
    bench.send(order(1, quantity="3"))
    bench.harness.step()
    bench.poll()
    bench.poll()
    assert bench.filled() == 3


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.REQUEST_LOST, Fault.SENT_TWICE, None])
def test_a_cancellation_ends_where_the_venue_says(fault):
    bench = Bench(struck(cancel=fault) if fault else None)
    bench.send(order(1, kind=T.LIMIT, limit="95"))
    ends = asyncio.run(bench.sender.cancel(order(1, kind=T.LIMIT, limit="95")))
    assert ends is (S.OPEN if fault is Fault.REQUEST_LOST else S.CANCELLED)


def test_a_cancellation_that_comes_too_late_finds_the_fill():
    bench = Bench(candles=DIP)
    resting = order(1, kind=T.LIMIT, limit="95")
    bench.send(resting)
    bench.harness.step(2)
    assert asyncio.run(bench.sender.cancel(resting)) is S.FILLED
    assert bench.filled() == 1


def test_a_fill_told_after_the_end_is_still_taken_in():
    bench = Bench(struck(fills=[Fault.ANSWER_LOST]), candles=DIP)
    resting = order(1, "buy", "2", T.LIMIT, limit="95")
    bench.send(resting)
    bench.record(
        Event(ts_ms=START_MS, kind=EventKind.ORDER_CANCELLED, payload={"order_id": "o-1", "desk": "a", "reason": "x"})
    )
    bench.harness.step(2)
    bench.poll()
    bench.poll()
    assert bench.filled() == 2


def test_a_refusal_is_final_and_says_why():
    bench = Bench()
    assert bench.send(order(1, quantity="0.0001")) is S.REJECTED
    assert bench.journal.events[-1].payload["code"] == "off_grid"


def test_what_outlives_its_time_is_cancelled_with_what_it_filled():
    bench = Bench()
    waiting = order(1, kind=T.LIMIT, limit="95", tif=TimeInForce.GTD, expires_ms=START_MS + 3 * HOUR_MS)
    bench.send(waiting)
    assert asyncio.run(bench.sender.expire(START_MS + 2 * HOUR_MS)) == []
    assert len(asyncio.run(bench.sender.expire(START_MS + 3 * HOUR_MS))) == 1
    assert bench.orders.life("o-1").status is S.CANCELLED


@pytest.mark.parametrize("crash_at", range(6))
def test_a_restart_finds_every_order_again_and_sends_none(crash_at):
    """Killed after so many calls to the venue or commits, then folded again from what was committed."""
    bench = Bench()
    calls = 0

    class Killed(BaseException):
        pass

    def dying(inner):
        async def call(*args):
            nonlocal calls
            calls += 1
            if calls > crash_at:
                raise Killed
            answer = await inner(*args)
            calls += 1
            if calls > crash_at:
                raise Killed
            return answer

        return call

    bench.venue.place = dying(bench.venue.place)
    for number in (1, 2, 3):
        try:
            bench.send(order(number))
        except Killed:
            break
    bench.journal.pending.clear()
    reached = dict(bench.venue.placed)
    again = Bench(journal=bench.journal, harness=bench.harness)
    asyncio.run(again.sender.recover())
    again.harness.step()
    again.poll()
    assert again.venue.placed == {}, "nothing is sent by a restart"
    assert again.filled() == sum(reached.values())
    held = asyncio.run(again.venue.positions())
    assert sum(held.values()) == again.filled(), "the record equals the venue's own books"
    assert len(again.orders) == 0


def test_a_request_that_arrives_after_it_was_given_up_is_counted_when_it_fills():
    bench = Bench(struck(place=Fault.REQUEST_LATE))
    assert bench.send(order(1)) is S.CANCELLED
    asyncio.run(bench.venue.arrive())
    bench.harness.step()
    bench.poll()
    assert bench.venue.placed == {"tf-1": 1}
    assert bench.filled() == 1


def test_of_a_pair_the_house_cancels_the_other_where_the_venue_does_not():
    bench = Bench(candles=DIP)
    first, second = (order(number, "buy", "1", T.LIMIT, limit=limit) for number, limit in ((1, "95"), (2, "50")))
    paired = replace(second, oco_group="pair")
    bench.send(replace(first, oco_group="pair"))
    bench.send(paired)
    bench.harness.exchange.orders._open[paired.order_id] = second  # a venue that knows of no pairs
    bench.harness.step(2)
    bench.poll()
    assert bench.orders.life("o-1").status is S.FILLED
    assert bench.orders.life("o-2").status is S.CANCELLED


def test_under_lost_and_late_requests_and_answers_nothing_goes_twice():
    """``make chaos`` makes ten thousand of them."""
    assert try_sends(1_000, seed=13) == Tried(sent=1_000, duplicates=0, lost_fills=0)


@pytest.mark.parametrize("seed", range(4))
def test_no_duplicate_and_no_lost_fill_under_random_faults(seed):
    rng = np.random.default_rng(seed)
    faults = {
        "place": [Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.FILLED_BEFORE_ANSWER, None, None],
        "order": [Fault.ANSWER_LOST, None, None, None],
        "open_orders": [Fault.REQUEST_LOST, None, None],
        "fills": [Fault.FILLS_REPEATED, Fault.ANSWER_LOST, None, None],
        "cancel": [Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.SENT_TWICE, None],
    }
    bench = Bench(
        lambda call, number: faults[call][int(rng.integers(len(faults[call])))],
        candles=[(100, 101 + bar % 5, 99 - bar % 7, 100) for bar in range(400)],
    )
    for number in range(120):
        kind = T.MARKET if rng.random() < 0.5 else T.LIMIT
        limit = None if kind is T.MARKET else str(int(rng.integers(93, 102)))
        side = "buy" if rng.random() < 0.5 else "sell"
        one = order(number, side, str(int(rng.integers(1, 4))), kind, limit=limit)
        bench.send(one)
        if rng.random() < 0.2:
            asyncio.run(bench.sender.cancel(one))
        if rng.random() < 0.5:
            bench.harness.step()
    bench.venue._plan = no_faults
    bench.harness.step(3)
    asyncio.run(bench.sender.recover())
    bench.poll()
    assert max(bench.venue.placed.values()) == 1
    told = {fill.venue_fill_id for fill in asyncio.run(bench.venue.fills_since(0))}
    assert sum(kind == "filled" for kind in bench.kinds()) == len(told)
    theirs = {one.client_order_id: one.filled for one in asyncio.run(bench.venue.open_orders())}
    ours = {one.client_order_id: bench.orders.life(one.order_id).filled for one in bench.orders.all()}
    assert ours == theirs
    assert bench.sender.unknown() == ()

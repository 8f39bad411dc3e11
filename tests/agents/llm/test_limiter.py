"""The limiter: never more at once than allowed, never faster, nobody forgotten."""

import asyncio
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.llm.limiter import Lane, Limiter
from trading.domain.errors import ModelUnavailable

PACE = {"concurrency": 2, "requests_per_minute": 60_000.0, "within_s": 5.0}


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self):
        self.now_s = 100.0

    def clock(self):
        return self.now_s

    async def sleep(self, seconds):
        self.now_s += seconds


@pytest.mark.asyncio
@pytest.mark.parametrize("callers", [1, 2, 3, 25])
async def test_no_more_at_once_than_there_are_places_and_everybody_gets_one(callers):
    limiter = Limiter()
    inside, most, served = 0, 0, []

    async def call(number):
        nonlocal inside, most
        async with limiter.place("x", **PACE):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1
            served.append(number)

    await asyncio.gather(*(call(number) for number in range(callers)))
    assert most == min(2, callers)
    assert served == list(range(callers)), "in the order of arrival"


@pytest.mark.asyncio
async def test_lanes_do_not_hold_each_other_up():
    limiter = Limiter()
    async with limiter.place("x", **{**PACE, "concurrency": 1}), limiter.place("y", **{**PACE, "concurrency": 1}):
        pass


@pytest.mark.asyncio
async def test_whoever_gives_up_waiting_leaves_no_hole():
    limiter = Limiter()
    one = {**PACE, "concurrency": 1}
    async with limiter.place("x", **one):
        with pytest.raises(ModelUnavailable) as caught:
            async with limiter.place("x", **{**one, "within_s": 0.01}):
                raise AssertionError("there was no place")
        assert caught.value.reason == "busy"
        waiting = asyncio.create_task(_once(limiter, one))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert await asyncio.wait_for(_once(limiter, one), 1.0) == "served"


@pytest.mark.asyncio
async def test_a_place_handed_to_somebody_who_left_in_that_moment_goes_on_to_the_next():
    limiter = Limiter()
    one = {**PACE, "concurrency": 1}
    async with limiter.place("x", **one):
        gone = asyncio.create_task(_once(limiter, one))
        patient = asyncio.create_task(_once(limiter, one))
        await asyncio.sleep(0.01)
    gone.cancel()
    assert await asyncio.wait_for(patient, 1.0) == "served"
    assert await asyncio.wait_for(_once(limiter, one), 1.0) == "served"


@pytest.mark.asyncio
async def test_a_failing_caller_gives_its_place_back():
    limiter = Limiter()
    for _ in range(5):
        with pytest.raises(ValueError, match="mine"):
            async with limiter.place("x", **{**PACE, "concurrency": 1}):
                raise ValueError("mine")


async def _once(limiter, pace):
    async with limiter.place("x", **pace):
        return "served"


@pytest.mark.asyncio
async def test_rate_lets_a_burst_through_and_then_one_at_a_time():
    time = Time()
    limiter = Limiter(clock=time.clock, sleep=time.sleep)
    started = []
    for _ in range(7):
        async with limiter.place("x", concurrency=4, requests_per_minute=60, within_s=60):
            started.append(time.now_s - 100.0)
    assert started == [0, 0, 0, 0, 1, 2, 3]


@pytest.mark.asyncio
async def test_a_start_that_comes_too_late_is_refused_and_uses_nothing_up():
    time = Time()
    limiter = Limiter(clock=time.clock, sleep=time.sleep)
    pace = {"concurrency": 1, "requests_per_minute": 1}
    async with limiter.place("x", **pace, within_s=5):
        pass
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match="1 calls a minute"):
            async with limiter.place("x", **pace, within_s=5):
                raise AssertionError("too fast")
    time.now_s += 60.0
    async with limiter.place("x", **pace, within_s=5):
        assert time.now_s == 160.0


@settings(deadline=None)
@given(
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=60),
    concurrency=st.integers(1, 5),
    per_minute=st.floats(1, 600),
)
def test_no_stretch_of_time_sees_more_starts_than_the_bucket_holds(pauses, concurrency, per_minute):
    lane = Lane(concurrency=concurrency, requests_per_minute=per_minute)
    now_s, starts = 0.0, []
    for pause_s in pauses:
        now_s += pause_s
        starts.append(now_s + lane.start_in_s(now_s, 1e9))
    for first in range(len(starts)):
        for last in range(first, len(starts)):
            allowed = concurrency + (starts[last] - starts[first]) * per_minute / 60
            assert last - first + 1 <= allowed + 1e-6


def test_one_limiter_serves_several_event_loops():
    limiter = Limiter()
    lock = threading.Lock()
    inside, most, served = 0, 0, 0

    async def call():
        nonlocal inside, most, served
        async with limiter.place("x", **PACE):
            with lock:
                inside += 1
                most = max(most, inside)
            await asyncio.sleep(0.001)
            with lock:
                inside -= 1
                served += 1

    async def many():
        await asyncio.gather(*(call() for _ in range(20)))

    threads = [threading.Thread(target=asyncio.run, args=(many(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (served, most) == (60, 2)

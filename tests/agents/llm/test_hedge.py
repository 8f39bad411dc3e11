"""Hedging: the first good outcome wins, the other one is over by then."""

import asyncio
import random

import pytest

from agents.llm.hedge import MIN_SAMPLES, Latencies, hedged
from trading.domain.errors import ModelFailure


def test_p95_needs_samples_and_forgets_old_ones():
    latencies = Latencies()
    for number in range(MIN_SAMPLES - 1):
        latencies.note("m", float(number))
    assert latencies.p95_s("m") is None
    latencies.note("m", float(MIN_SAMPLES - 1))
    assert latencies.p95_s("m") == 18.0, "the 19th of 20"
    assert latencies.p95_s("other") is None
    for _ in range(200):
        latencies.note("m", 0.5)
    assert latencies.p95_s("m") == 0.5


def test_p95_is_exceeded_by_one_in_twenty():
    latencies = Latencies()
    draw = random.Random(4)
    past = [draw.expovariate(1.0) for _ in range(200)]
    for seconds in past:
        latencies.note("m", seconds)
    assert sum(seconds > latencies.p95_s("m") for seconds in past) == 10


class Calls:
    """Calls that each take their time and end as told; ``ended`` keeps those that ran to their end."""

    def __init__(self, *plans):
        self.plans = list(plans)
        self.made = 0
        self.ended = []
        self.cancelled = []

    async def __call__(self):
        number, (seconds, outcome) = self.made, self.plans[self.made]
        self.made += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        self.ended.append(number)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


FAILURE = ModelFailure("no", reason="unavailable")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("plans", "outcome", "made", "cancelled"),
    [
        ([(0.0, "a")], "a", 1, []),
        ([(5.0, "a"), (0.0, "b")], "b", 2, [0]),
        ([(0.06, "a"), (5.0, "b")], "a", 2, [1]),
        ([(0.06, FAILURE), (0.08, "b")], "b", 2, []),
        ([(0.1, "a"), (0.0, FAILURE)], "a", 2, []),
    ],
)
async def test_first_good_outcome_wins(plans, outcome, made, cancelled):
    calls = Calls(*plans)
    assert await asyncio.wait_for(hedged(calls, after_s=0.03, sleep=asyncio.sleep), 2.0) == outcome
    assert (calls.made, calls.cancelled) == (made, cancelled)


@pytest.mark.asyncio
@pytest.mark.parametrize("plans", [[(0.0, FAILURE)], [(0.06, FAILURE), (0.0, FAILURE)]])
async def test_it_fails_when_all_that_was_sent_failed(plans):
    calls = Calls(*plans)
    with pytest.raises(ModelFailure):
        await hedged(calls, after_s=0.03, sleep=asyncio.sleep)
    assert calls.made == len(plans)


@pytest.mark.asyncio
async def test_whoever_gives_up_takes_both_calls_along():
    calls = Calls((5.0, "a"), (5.0, "b"))
    task = asyncio.create_task(hedged(calls, after_s=0.01, sleep=asyncio.sleep))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(calls.cancelled) == [0, 1]
    assert len(asyncio.all_tasks()) == 1, "nothing goes on in the background"


@pytest.mark.asyncio
async def test_a_bug_in_a_call_is_not_swallowed():
    calls = Calls((0.0, ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError):
        await hedged(calls, after_s=0.03, sleep=asyncio.sleep)

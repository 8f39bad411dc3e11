"""When it is worth asking again, and for how long it waits."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm.retry import Retry
from trading.domain.errors import ModelFailure

RETRY = Retry(attempts=3, base_s=0.5, cap_s=8.0)


def wait(reason, *, made=1, left_s=60.0, retry_after_s=None, seed=0, retry=RETRY):
    failure = ModelFailure("x", reason=reason, retry_after_s=retry_after_s)
    return retry.wait_s(failure, made=made, left_s=left_s, draw=random.Random(seed))


@pytest.mark.parametrize("reason", ["rate_limited", "timeout", "unavailable", "garbled"])
def test_what_may_pass_is_tried_again(reason):
    assert wait(reason) is not None


@pytest.mark.parametrize(
    "reason", ["auth", "unknown_model", "bad_request", "refused", "context_window", "busy", "invalid_answer", "empty"]
)
def test_what_the_same_request_would_meet_again_is_not(reason):
    assert wait(reason) is None


@given(made=st.integers(1, 9), seed=st.integers(0, 10_000))
def test_waits_are_jittered_over_the_whole_of_a_doubling_range(made, seed):
    patient = Retry(attempts=10, base_s=0.5, cap_s=8.0)
    assert 0.0 <= wait("unavailable", made=made, seed=seed, retry=patient) <= min(8.0, 0.5 * 2 ** (made - 1))


def test_jitter_is_full_and_follows_the_seed():
    drawn = [wait("unavailable", made=2, seed=seed) for seed in range(400)]
    assert min(drawn) < 0.05
    assert max(drawn) > 0.95
    assert sum(drawn) / len(drawn) == pytest.approx(0.5, abs=0.05)
    assert drawn == [wait("unavailable", made=2, seed=seed) for seed in range(400)]


@given(seed=st.integers(0, 1000), asked_s=st.floats(0, 30))
def test_the_wait_that_was_asked_for_is_kept(seed, asked_s):
    assert asked_s <= wait("rate_limited", retry_after_s=asked_s, seed=seed) <= asked_s + 0.5


def test_attempts_are_bounded_and_waits_fit_in_the_time_that_is_left():
    assert wait("unavailable", made=2) is not None
    assert wait("unavailable", made=3) is None
    assert wait("rate_limited", retry_after_s=30.0, left_s=29.0) is None
    assert wait("unavailable", left_s=0.0) is None
    assert wait("unavailable", left_s=-1.0) is None

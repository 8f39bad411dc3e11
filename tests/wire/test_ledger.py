"""The makers' books: what counts, what does not, and how many calls were under way."""

import threading
from dataclasses import replace

import pytest

from tests.wire import Fault, Ledger, ServedCall
from tests.wire.bill import Price, Usage, usage_of, usd_of
from tests.wire.talk import Ask, Reply, Said

CALL = ServedCall(
    model="m",
    digest="d",
    key_ok=True,
    streamed=False,
    fault=None,
    kind="text",
    usage=Usage(prompt=100, completion=10, cached=40),
    usd=0.5,
    delivered=True,
    arrived_s=0.0,
    answered_s=1.0,
)


def test_totals_are_of_what_was_delivered() -> None:
    ledger = Ledger()
    ledger.enter(CALL)
    ledger.enter(replace(CALL, digest="lost", delivered=False))
    ledger.enter(replace(CALL, usage=None, usd=None, delivered=False, fault=Fault.SERVER_ERROR))
    ledger.enter(replace(CALL, usd=None))
    totals = ledger.totals()
    assert (totals.calls, totals.tokens_in, totals.tokens_out, totals.cached, totals.usd) == (2, 200, 20, 80, 0.5)


def test_an_answer_that_did_not_get_through_is_taken_back() -> None:
    ledger = Ledger()
    ledger.enter(CALL)
    ledger.mark_lost(CALL)
    assert ledger.totals().calls == 0


def test_the_peak_is_the_most_at_once() -> None:
    ledger = Ledger()
    assert ledger.peak_in_flight() == 0
    for arrived, answered in ((0.0, 3.0), (1.0, 2.0), (2.0, 4.0), (2.5, 2.6)):
        ledger.enter(replace(CALL, arrived_s=arrived, answered_s=answered))
    assert ledger.peak_in_flight() == 3


def test_waiting_ends_with_the_calls_or_says_how_many_came() -> None:
    ledger = Ledger()
    threading.Timer(0.05, ledger.enter, [CALL]).start()
    assert ledger.wait_for_calls(1) == (CALL,)
    with pytest.raises(TimeoutError, match="1 calls"):
        ledger.wait_for_calls(2, timeout_s=0.05)


def test_a_price_charges_each_kind_of_token_once() -> None:
    price = Price(prompt=1.0, completion=10.0, cached=0.1, cache_written=2.0)
    usage = Usage(prompt=1000, completion=100, cached=300, cache_written=200, thinking=60)
    assert price.usd(usage) == pytest.approx((500 * 1.0 + 300 * 0.1 + 200 * 2.0 + 100 * 10.0) / 1e6)
    assert usd_of("nobody's model", usage) is None


def test_what_an_earlier_request_held_is_read_from_the_cache() -> None:
    opening = (Said(role="system", text="s" * 400), Said(role="user", text="u" * 400))
    later = (*opening, Said(role="assistant", text="a" * 40), Said(role="tool", text="t" * 80, tool="get_quote"))
    first = usage_of(Ask(model="m", said=opening), Reply(text="x" * 20), caches=True, thinks=False)
    second = usage_of(Ask(model="m", said=later), Reply(text="x" * 20), caches=True, thinks=False)
    assert first == Usage(prompt=200, completion=5)
    assert second == Usage(prompt=230, completion=5, cached=200)
    marked = usage_of(Ask(model="m", said=later, marks_cache=True), Reply(), caches=False, thinks=False)
    assert (marked.cached, marked.cache_written) == (200, 30)


def test_a_blocked_prompt_has_no_completion() -> None:
    usage = usage_of(Ask(model="m", said=()), Reply(blocked=True), caches=True, thinks=True)
    assert (usage.completion, usage.thinking) == (0, 0)

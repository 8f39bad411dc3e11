"""Buckets: what must pass passes, what is too much waits, and each caller has one of their own."""

from arena.access.rates import KNOWN, STRANGER, WRITE_COST, Rate, Rates
from trading.domain.clock import ManualClock


def test_ten_thousand_reads_a_minute_pass_for_ever():
    clock = ManualClock(0)
    rates = Rates(clock)
    for minute in range(10):
        for number in range(10_000):
            if number % 100 == 0:
                clock.set_ms(minute * 60_000 + number * 6)
            assert rates.wait_s("alice", 1, KNOWN) == 0


def test_ten_thousand_reads_pass_at_once():
    rates = Rates(ManualClock(0))
    assert {rates.wait_s("alice", 1, KNOWN) for _ in range(10_000)} == {0}


def test_what_is_too_much_is_told_how_long_to_wait_and_then_passes():
    clock = ManualClock(0)
    rates, rate = Rates(clock), Rate(burst=20, per_s=2)
    assert rates.wait_s("alice", WRITE_COST, rate) == 0
    assert rates.wait_s("alice", WRITE_COST, rate) == 0
    assert rates.wait_s("alice", WRITE_COST, rate) == 5
    clock.set_ms(4_999)
    assert rates.wait_s("alice", WRITE_COST, rate) == 1
    clock.set_ms(5_000)
    assert rates.wait_s("alice", WRITE_COST, rate) == 0
    assert rates.wait_s("bob", WRITE_COST, rate) == 0


def test_a_bucket_holds_no_more_than_its_burst():
    clock = ManualClock(0)
    rates = Rates(clock)
    assert rates.wait_s("x", STRANGER.burst, STRANGER) == 0
    clock.set_ms(10**9)
    assert rates.wait_s("x", STRANGER.burst, STRANGER) == 0
    assert rates.wait_s("x", 1, STRANGER) == 1


def test_memory_is_bounded():
    rates = Rates(ManualClock(0))
    for number in range(12_000):
        rates.wait_s(f"address {number}", 1, STRANGER)
    assert len(rates._buckets) <= 10_000

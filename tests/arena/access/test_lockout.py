"""Guessing passwords gets slower and slower, by name and by address, and nobody is kept out for long."""

import pytest

from arena.access.lockout import FORGOTTEN_MS, FREE_TRIES, LONGEST_MS, Lockout, TooManyTries
from trading.domain.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000_000_000_000)


def wait_s(lockout: Lockout, name: str, address: str) -> int:
    """What a try has to wait: 0 where it counts as made."""
    try:
        lockout.begin(name, address)
    except TooManyTries as error:
        return error.wait_s
    return 0


def test_waits_double_up_to_the_longest(clock: ManualClock):
    lockout, waits = Lockout(clock), []
    for _ in range(FREE_TRIES):
        assert wait_s(lockout, "alice", "10.0.0.1") == 0
    for _ in range(15):
        waits.append(wait_s(lockout, "alice", "10.0.0.1"))
        clock.set_ms(clock.now_ms() + waits[-1] * 1_000)
        assert wait_s(lockout, "alice", "10.0.0.1") == 0
    assert waits[:6] == [1, 2, 4, 8, 16, 32]
    assert waits[-1] == LONGEST_MS["address"] // 1_000
    assert waits == sorted(waits)


def test_a_try_that_has_to_wait_is_not_counted(clock: ManualClock):
    lockout = Lockout(clock)
    for _ in range(FREE_TRIES):
        lockout.begin("alice", "10.0.0.1")
    assert [wait_s(lockout, "alice", "10.0.0.1") for _ in range(50)] == [1] * 50


def test_many_addresses_do_not_help_against_one_name_nor_keep_its_owner_out(clock: ManualClock):
    lockout = Lockout(clock)
    made = 0
    for number in range(500):
        waited = wait_s(lockout, "alice", f"10.0.{number // 250}.{number % 250}")
        assert waited <= LONGEST_MS["name"] // 1_000
        made += waited == 0
        clock.set_ms(clock.now_ms() + 1_000)
    assert made < 25, "of the 500 that one address each would have allowed"
    assert wait_s(lockout, "bob", "192.0.2.1") == 0
    clock.set_ms(clock.now_ms() + LONGEST_MS["name"])
    assert wait_s(lockout, "alice", "192.0.2.1") == 0


def test_many_names_do_not_help_from_one_address(clock: ManualClock):
    lockout = Lockout(clock)
    for number in range(FREE_TRIES):
        assert wait_s(lockout, f"name{number}", "10.0.0.1") == 0
    assert wait_s(lockout, "another", "10.0.0.1") > 0
    assert wait_s(lockout, "another", "10.0.0.2") == 0


def test_success_forgets_the_name_and_takes_nothing_else_back(clock: ManualClock):
    lockout = Lockout(clock)
    for _ in range(FREE_TRIES - 1):
        lockout.begin("alice", "10.0.0.1")
    lockout.begin("mallory", "10.0.0.1")
    lockout.succeeded("mallory", "10.0.0.1")
    assert wait_s(lockout, "mallory", "10.0.0.1") == 0
    assert wait_s(lockout, "alice", "10.0.0.1") > 0, "a login of one's own does not clear guesses at another's"
    lockout.succeeded("alice", "10.0.0.9")
    assert wait_s(lockout, "alice", "10.0.0.9") == 0


def test_an_hour_without_tries_forgets(clock: ManualClock):
    lockout = Lockout(clock)
    for _ in range(FREE_TRIES):
        lockout.begin("alice", "10.0.0.1")
    clock.set_ms(clock.now_ms() + FORGOTTEN_MS)
    assert [wait_s(lockout, "alice", "10.0.0.1") for _ in range(FREE_TRIES)] == [0] * FREE_TRIES


def test_memory_is_bounded(clock: ManualClock):
    lockout = Lockout(clock)
    for number in range(12_000):
        lockout.begin(f"name{number}", f"address{number}")
    assert len(lockout._tries) <= 10_001

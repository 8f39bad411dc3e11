"""People, tokens and sessions of a home folder: who comes in, for how long, and what is kept of their secrets."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import Type

from arena.access import People, Role, Sessions, passwords
from arena.access.sessions import IDLE_MS, LONGEST_MS
from trading.domain.clock import ManualClock
from trading.domain.errors import ConfigError, RequestError

PASSWORD = "correct horse battery"
REAL = passwords._HASHER
"""As it is before tests make its work light."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000_000_000_000)


@pytest.fixture
def people(tmp_path: Path, clock: ManualClock) -> People:
    return People(tmp_path / "home", clock)


@pytest.fixture
def sessions(tmp_path: Path, clock: ManualClock) -> Sessions:
    return Sessions(tmp_path / "home", clock)


def test_a_person_is_known_by_the_right_password_alone(people: People):
    people.add("alice", Role.TRADER, PASSWORD)
    caller = people.by_password("alice", PASSWORD)
    assert (caller.name, caller.role) == ("alice", Role.TRADER)
    for name, password in (
        ("alice", PASSWORD + " "),
        ("alice", ""),
        ("bob", PASSWORD),
        ("", ""),
        ("alice", "x" * 9_999),
    ):
        assert people.by_password(name, password) is None


def test_the_work_is_what_is_recommended():
    """RFC 9106, section 4, second choice: argon2id with 64 MiB, three passes, four lanes."""
    assert (REAL.type, REAL.memory_cost, REAL.time_cost, REAL.parallelism) == (Type.ID, 65_536, 3, 4)


def test_an_unknown_name_costs_the_work_of_a_check(people: People, monkeypatch: pytest.MonkeyPatch):
    people.add("alice", Role.VIEWER, PASSWORD)
    people.add("robot", Role.VIEWER, None)
    checked = []
    real = passwords._HASHER

    class Counting:
        def verify(self, kept: str, password: str) -> bool:
            checked.append(kept.split("$")[3])
            return real.verify(kept, password)

        hash = real.hash

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    for name in ("alice", "nobody", "robot"):
        assert people.by_password(name, "wrong password") is None
    assert len(checked) == 3
    assert len(set(checked)) == 1, "with the same parameters"


def test_what_is_kept_opens_nothing(people: People, sessions: Sessions, tmp_path: Path):
    people.add("alice", Role.ADMIN, PASSWORD)
    secrets = [PASSWORD, people.issue_token("alice"), sessions.begin("alice")]
    kept = (tmp_path / "home" / "access.sqlite").read_bytes()
    assert b"$argon2id$" in kept
    for secret in secrets:
        assert secret.encode() not in kept
    assert (tmp_path / "home" / "access.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_can_read_is_refused(people: People, tmp_path: Path):
    people.add("alice", Role.ADMIN, None)
    (tmp_path / "home" / "access.sqlite").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        people.everyone()
    with pytest.raises(ConfigError, match="chmod 600"):
        people.issue_token("alice")


@pytest.mark.parametrize("damage", [b"rubbish" * 1000, b""], ids=["rubbish", "empty"])
def test_a_damaged_file_lets_nobody_in(people: People, tmp_path: Path, damage: bytes):
    people.add("alice", Role.ADMIN, None)
    token = people.issue_token("alice")
    (tmp_path / "home" / "access.sqlite").write_bytes(damage)
    with pytest.raises(ConfigError, match=r"access\.sqlite"):
        people.by_token(token)


def test_a_role_that_is_none_lets_nobody_in(people: People, tmp_path: Path):
    people.add("alice", Role.VIEWER, None)
    token = people.issue_token("alice")
    with closing(sqlite3.connect(tmp_path / "home" / "access.sqlite", isolation_level=None)) as db:
        db.execute("update people set role = 'king'")
    with pytest.raises(ConfigError, match="'king'"):
        people.by_token(token)


@pytest.mark.parametrize(
    "name", ["", "Alice", "a b", "-a", "a/b", "ä", "a\n", "x" * 65, "'; drop table people; --", "a\x00"]
)
def test_a_name_that_is_none_is_refused(people: People, name: str):
    with pytest.raises(RequestError, match="cannot be a name"):
        people.add(name, Role.VIEWER, None)
    assert people.everyone() == []


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_a_password_that_is_none_is_refused(people: People, password: str):
    with pytest.raises(RequestError, match="12 to 256"):
        people.add("alice", Role.VIEWER, password)
    assert people.everyone() == []


def test_a_name_is_given_once(people: People):
    people.add("alice", Role.VIEWER, None)
    with pytest.raises(RequestError, match="there already"):
        people.add("alice", Role.ADMIN, None)
    assert people.one("alice").role is Role.VIEWER


def test_a_token_is_whose_it_is_until_it_is_revoked(people: People):
    people.add("alice", Role.TRADER, None)
    people.add("bob", Role.VIEWER, None)
    first, second, other = people.issue_token("alice"), people.issue_token("alice"), people.issue_token("bob")
    assert first != second
    assert people.by_token(second).name == "alice"
    assert people.by_token(other).role is Role.VIEWER
    for rubbish in ("", "tf_", first[:-1], first + "x", first.upper(), first.removeprefix("tf_"), "tf_' or 1=1 --"):
        assert people.by_token(rubbish) is None
    assert people.revoke("alice") == 2
    assert people.by_token(first) is None
    assert people.by_token(other) is not None


def test_whoever_is_removed_is_out_at_once(people: People, sessions: Sessions):
    people.add("alice", Role.TRADER, PASSWORD)
    token, session = people.issue_token("alice"), sessions.begin("alice")
    people.remove("alice")
    assert people.by_token(token) is None
    assert people.by_password("alice", PASSWORD) is None
    assert sessions.caller(session) is None
    people.add("alice", Role.ADMIN, None)
    assert people.by_token(token) is None, "a namesake does not inherit"
    for act in (people.remove, people.issue_token, people.revoke, lambda name: people.set_password(name, PASSWORD)):
        with pytest.raises(RequestError, match="access list"):
            act("nobody")


def test_a_new_password_ends_the_sessions_of_the_old(people: People, sessions: Sessions):
    people.add("alice", Role.TRADER, PASSWORD)
    session = sessions.begin("alice")
    people.set_password("alice", "another long password")
    assert sessions.caller(session) is None
    assert people.by_password("alice", PASSWORD) is None
    assert people.by_password("alice", "another long password") is not None


def test_a_session_ends_when_nobody_asks(people: People, sessions: Sessions, clock: ManualClock):
    people.add("alice", Role.TRADER, None)
    session = sessions.begin("alice")
    clock.set_ms(clock.now_ms() + IDLE_MS - 1)
    assert sessions.caller(session).name == "alice"
    clock.set_ms(clock.now_ms() + IDLE_MS - 1)
    assert sessions.caller(session) is not None, "asking keeps it"
    clock.set_ms(clock.now_ms() + IDLE_MS)
    assert sessions.caller(session) is None
    assert sessions.caller(session) is None


def test_a_session_ends_however_much_is_asked(people: People, sessions: Sessions, clock: ManualClock):
    people.add("alice", Role.TRADER, None)
    session, began_ms = sessions.begin("alice"), clock.now_ms()
    while clock.now_ms() < began_ms + LONGEST_MS - IDLE_MS // 2:
        assert sessions.caller(session) is not None
        clock.set_ms(clock.now_ms() + IDLE_MS // 2)
    clock.set_ms(began_ms + LONGEST_MS)
    assert sessions.caller(session) is None


def test_a_session_that_was_ended_or_never_was_is_nobodys(people: People, sessions: Sessions):
    assert sessions.caller("rubbish") is None
    people.add("alice", Role.TRADER, None)
    session = sessions.begin("alice")
    sessions.end(session)
    for secret in (session, "", "x" * 10_000, "' or 1=1 --"):
        assert sessions.caller(secret) is None


def test_the_oldest_of_many_sessions_goes(people: People, sessions: Sessions):
    people.add("alice", Role.TRADER, None)
    begun = [sessions.begin("alice") for _ in range(25)]
    assert sessions.caller(begun[0]) is None
    assert all(sessions.caller(session) is not None for session in begun[-20:])

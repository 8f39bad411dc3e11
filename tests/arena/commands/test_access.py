"""``tradefloor access``: people, tokens that are shown once, and what ``serve`` asks for before it opens up."""

import io
import socket
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from arena.access import People, passwords

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def light_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed fast."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts text on stdin, which is no terminal."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def access(lab: Any, tmp_path: Path) -> Callable[..., Any]:
    """``tradefloor access ...`` over a home of its own."""
    return lambda *words: lab.call("access", *words, "--home", tmp_path)


def test_somebody_is_added_listed_changed_and_removed(access, type_in, tmp_path: Path):
    assert "tradefloor access add" in access("list").out
    type_in(f"{PASSWORD}\n")
    added = access("add", "alice", "--role", "trader", "--json").document
    assert added["created_at"].endswith("Z")
    assert {**added, "created_at": None} == {
        "name": "alice", "role": "trader", "has_password": True, "tokens": [], "created_at": None,
    }  # fmt: skip
    access("add", "robot", "--role", "viewer", "--no-password")
    token = access("token", "robot", "--json").document["token"]
    assert People(tmp_path).by_token(token).name == "robot"
    people = access("list", "--json").document["people"]
    assert [(one["name"], one["has_password"], len(one["tokens"])) for one in people] == [
        ("alice", True, 0), ("robot", False, 1),
    ]  # fmt: skip
    listed = access("list").out
    assert "password" in listed
    assert token not in listed
    type_in("another long password\n")
    assert access("passwd", "alice").code == 0
    assert People(tmp_path).by_password("alice", "another long password") is not None
    assert access("revoke", "robot", "--json").document == {"name": "robot", "revoked_tokens": 1}
    assert access("remove", "alice", "--json").document == {"name": "alice", "removed": True}
    assert [one["name"] for one in access("list", "--json").document["people"]] == ["robot"]
    assert stat.S_IMODE((tmp_path / "access.sqlite").stat().st_mode) == 0o600


def test_a_token_alone_stands_on_stdout(access):
    access("add", "robot", "--role", "viewer", "--no-password")
    said = access("token", "robot")
    assert said.out.startswith("tf_")
    assert said.out.count("\n") == 1
    assert "shown once" in said.err


def test_changes_stand_in_the_audit_without_secrets(access, type_in, tmp_path: Path):
    type_in(f"{PASSWORD}\n")
    access("add", "alice", "--role", "admin")
    token = access("token", "alice").out.strip()
    access("remove", "alice")
    document = access("audit", "--json").document
    assert [line["act"] for line in document["lines"]] == ["add alice as admin", "token for alice", "remove alice"]
    assert document["damaged"] == 0
    kept = (tmp_path / "audit.jsonl").read_text()
    assert PASSWORD not in kept
    assert token not in kept
    assert "remove alice" in access("audit", "--count", "1").out
    assert "add alice" not in access("audit", "--count", "1").out


def test_an_audit_of_nothing_says_so_and_a_damaged_one_counts(access, tmp_path: Path):
    assert access("audit", "--json").document == {"lines": [], "damaged": 0}
    assert "nothing" in access("audit").out
    (tmp_path / "audit.jsonl").write_bytes(b"\xff\x00rubbish\n{}\n")
    said = access("audit")
    assert said.code == 0
    assert "2 of these lines are damaged" in said.err


@pytest.mark.parametrize(
    ("words", "typed", "told"),
    [
        (("add", "alice", "--role", "king"), PASSWORD, "viewer, trader, admin"),
        (("add", "alice"), PASSWORD, "--role"),
        (("add", "Alice!", "--role", "viewer"), PASSWORD, "cannot be a name"),
        (("add", "alice", "--role", "viewer"), "", "no password on stdin"),
        (("add", "alice", "--role", "viewer"), "\n", "no password on stdin"),
        (("add", "alice", "--role", "viewer"), "short\n", "12 to 256"),
        (("add", "alice", "--role", "viewer"), "x" * 5_000, "12 to 256"),
        (("token", "nobody"), "", "access list"),
        (("passwd", "nobody"), PASSWORD, "access list"),
        (("remove", "nobody"), "", "access list"),
        (("revoke", "nobody"), "", "access list"),
        (("audit", "--count", "0"), "", "--count"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_changes_nothing(access, type_in, tmp_path: Path, words, typed, told):
    type_in(typed)
    said = access(*words)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert told in said.err
    assert People(tmp_path).everyone() == []
    assert not (tmp_path / "audit.jsonl").exists()


def test_a_damaged_file_is_told_and_left(access, tmp_path: Path):
    (tmp_path / "access.sqlite").write_bytes(b"rubbish" * 1_000)
    (tmp_path / "access.sqlite").chmod(0o600)
    for words in (("list",), ("add", "alice", "--role", "admin", "--no-password"), ("token", "alice")):
        said = access(*words)
        assert said.code == 2
        assert said.err.count("\n") == 1
        assert "access.sqlite" in said.err
    assert (tmp_path / "access.sqlite").read_bytes() == b"rubbish" * 1_000


@pytest.mark.parametrize(
    "options",
    [
        ("--host", "0.0.0.0"),
        ("--host", "::"),
        ("--host", "192.0.2.1"),
        ("--host", "trade.example"),
        ("--allow-host", "trade.example"),
        ("--trusted-proxy", "127.0.0.1"),
        ("--https",),
        ("--login",),
    ],
)
def test_what_lets_others_in_needs_somebody_who_can_log_in(lab: Any, access, tmp_path: Path, options: tuple[str, ...]):
    access("add", "ghost", "--role", "admin", "--no-password")
    said = lab.call("serve", *options, "--home", tmp_path)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "tradefloor access add NAME --role admin" in said.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--host", "0.0.0.0"), "--allow-host trade.example"),
        (("--host", "0.0.0.0", "--allow-host", "https://trade.example"), "a name alone"),
        (("--trusted-proxy", "everybody"), "address of the proxy"),
    ],
)
def test_options_that_make_no_sense_are_refused(lab: Any, access, tmp_path: Path, options, told: str):
    access("add", "robot", "--role", "admin", "--no-password")
    access("token", "robot")
    said = lab.call("serve", *options, "--home", tmp_path)
    assert said.code == 2
    assert told in said.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_open_house_asks_for_a_login_and_believes_its_proxy_alone(lab: Any, access, tmp_path: Path, free_port: int):
    access("add", "robot", "--role", "viewer", "--no-password")
    token = access("token", "robot").out.strip()
    options = ("--host", "0.0.0.0", "--allow-host", "trade.example", "--trusted-proxy", "127.0.0.1")
    process = lab.spawn("serve", *options, "--home", tmp_path, "--port", free_port)

    def get(path: str, **headers: str) -> tuple[int, Any]:
        address = f"http://127.0.0.1:{free_port}{path}"
        request = urllib.request.Request(address, headers={"Host": "trade.example", **headers})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer
        except urllib.error.HTTPError as refused:
            return refused.code, refused
        except OSError:
            return 0, None

    lab.wait_until(lambda: get("/healthz")[0] == 200, timeout_s=240, every_s=0.1)
    assert get("/api/v1/snapshot")[0] == 401
    assert get("/api/v1/me", Authorization=f"Bearer {token}")[0] == 200
    assert get("/healthz", Host="evil.example")[0] == 400
    plain = get("/login")[1]
    https = get("/login", **{"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"})[1]
    assert "Secure" not in plain.headers["set-cookie"]
    assert "Secure" in https.headers["set-cookie"]
    assert https.headers["strict-transport-security"]
    process.terminate()
    ended = lab.ended(process)
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    assert token not in ended.err

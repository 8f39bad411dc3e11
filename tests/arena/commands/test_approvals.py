"""A conservative season: a person answers before anything is sent, from a process of its own, or nobody does."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest

from trading.risk.approvals import ApprovalBoard, Asked
from trading.storage.journal import read_events

SEASON = """
[season]
name = "careful"
seed = 3
start = 2026-01-01T00:00:00Z
end = 2026-01-01T06:00:00Z
every = "1h"
capital = 10000
mode = "conservative"
approval_deadline = "30s"

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[[desk]]
name = "buyhold"
model = "house/buyhold"
"""

Judge = Callable[[Asked], tuple[bool, str, str]]


@pytest.fixture
def season(tmp_path: Path) -> Path:
    path = tmp_path / "careful.toml"
    path.write_text(SEASON, "utf-8")
    return path


def events(home: Path, run: str = "*-1") -> list[Any]:
    (journal,) = home.glob(f"runs/{run}/journal.sqlite")
    return [stored.event() for stored in read_events(journal)]


def of_kind(found: list[Any], kind: str) -> list[Any]:
    return [event for event in found if event.kind == kind]


@contextmanager
def people(home: Path, judge: Judge) -> Iterator[None]:
    """Somebody who answers what waits until the season is over."""
    board, over = ApprovalBoard(home), Flag()

    def sit() -> None:
        while not over.is_set():
            for asked in board.waiting():
                approved, who, reason = judge(asked)
                board.answer(asked.proposal, approved=approved, who=who, reason=reason)
            time.sleep(0.02)

    thread = Thread(target=sit)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_only_what_a_person_approved_is_sent(lab: Any, season: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    judged: list[str] = []

    def judge(asked: Asked) -> tuple[bool, str, str]:
        judged.append(asked.decision_id)
        return len(judged) == 2, "ada", f"answer {len(judged)}"

    with people(home, judge):
        said = lab.call("run", season, "--home", home, "--json")
    assert said.code == 0, said.err
    found = events(home)
    answers = of_kind(found, "approval_answered")
    assert [event.decision_id for event in answers] == judged
    assert [event.payload["approved"] for event in answers] == [False, True]
    assert of_kind(found, "ordered")
    approved = {event.decision_id for event in answers if event.payload["approved"]}
    assert {event.decision_id for event in of_kind(found, "ordered")} <= approved
    assert {event.payload["by"] for event in answers} == {"ada"}
    assert all(event.payload["at_ms"] > 0 for event in answers)
    rejected = [event for event in of_kind(found, "decided") if "not approved by ada: answer 1" in str(event.payload)]
    assert [event.payload["status"] for event in rejected] == ["held"]
    assert lab.call("journal", "verify", "--home", home).code == 0


def test_replayed_the_season_is_answered_as_it_was(lab: Any, season: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with people(home, lambda asked: (asked.round_index == 2, "ada", "by its round")):
        first = lab.call("run", season, "--home", home, "--json").document
    (run,) = (home / "runs").glob("*-1")
    (run / "cassette.sqlite").touch()  # rule-based desks leave none of their own
    again = lab.call("run", season, "--home", home, "--json", "--cassette", "replay")
    assert again.code == 0, again.err
    assert again.document["journal"]["head"] == first["journal"]["head"]
    (tmp_path / "bare.sqlite").touch()
    bare = lab.call("run", season, "--home", home, "--cassette", f"replay:{tmp_path / 'bare.sqlite'}")
    assert (bare.code, "no journal lies beside it" in bare.err) == (2, True)


def test_when_nobody_answers_the_desk_abstains_by_name(lab: Any, season: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    brief = ("--set", "season.approval_deadline=1s", "--set", "season.end=2026-01-01T02:00:00Z")
    said = lab.call("run", season, "--home", home, "--json", *brief)
    assert said.code == 0, said.err
    found = events(home)
    answers = of_kind(found, "approval_answered")
    assert answers
    assert {(event.payload["approved"], event.payload["by"], event.payload["at_ms"]) for event in answers} == {
        (False, None, None)
    }
    reasons = {event.payload["abstain_reason"] for event in of_kind(found, "decided")}
    assert "approval: nobody answered in time" in reasons
    assert not of_kind(found, "ordered")
    listed = lab.call("approvals", "list", "--all", "--home", home).out
    assert "nobody answered in time" in listed
    assert lab.call("approvals", "list", "--home", home, "--json").document == {"approvals": []}


def test_a_rehearsal_is_recorded_as_one_and_repeats(lab: Any, season: Path, tmp_path: Path) -> None:
    heads = set()
    for home in (tmp_path / "one", tmp_path / "two"):
        said = lab.call("run", season, "--home", home, "--json", "--approve", "all")
        assert said.code == 0, said.err
        heads.add(said.document["journal"]["head"])
        answers = of_kind(events(home), "approval_answered")
        assert {(event.payload["by"], event.payload["note"]) for event in answers} == {
            ("--approve all", "nobody looked")
        }
    assert len(heads) == 1
    assert said.document["desks"][0]["fills"] > 0


@pytest.mark.slow
def test_a_proposal_outlives_the_process_that_made_it(lab: Any, season: Path, tmp_path: Path) -> None:
    """Killed while it waits, answered while it is dead: it goes on with the answer and asks no model again."""
    home, brief = tmp_path / "home", ("--set", "season.end=2026-01-01T01:00:00Z")
    process = lab.fork("run", season, "--home", home, "--json", *brief)
    board = ApprovalBoard(home)
    lab.wait_until(board.waiting, every_s=0.05)
    process.kill()
    (asked,) = board.waiting()
    told = lab.call("approvals", "approve", asked.proposal, "--who", "ada", "--reason", "fine", "--home", home)
    assert (told.code, "approved by ada: fine" in told.out) == (0, True)
    said = lab.call("run", season, "--home", home, "--json", *brief)
    assert said.code == 0, said.err
    (answer,) = of_kind(events(home), "approval_answered")
    assert (answer.payload["proposal"], answer.payload["by"]) == (asked.proposal, "ada")
    assert of_kind(events(home), "ordered")
    assert len(board.all()) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("approvals", "approve", "p-0", "--who", "ada"), "no proposal of that id"),
        (("approvals", "reject", "p-0", "--who", " ", "--reason", "x"), "--who is needed"),
        (("approvals", "reject", "p-0", "--who", "ada"), "--reason"),
        (("run", "SEASON", "--approve", "some"), "expected all"),
        (("run", "SEASON", "--approve", "all", "--set", "season.mode=balanced"), "approval_deadline"),
    ],
)
def test_rubbish_is_one_line(lab: Any, season: Path, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    said = lab.call(*[season if word == "SEASON" else word for word in words], "--home", tmp_path / "home")
    assert said.code == 2
    assert told in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_a_rehearsal_of_what_asks_nobody_is_refused(lab: Any, invented: Path, tmp_path: Path) -> None:
    said = lab.call("run", invented, "--home", tmp_path, "--approve", "all")
    assert (said.code, "nobody is asked in mode 'balanced'" in said.err) == (2, True)
    assert not (tmp_path / "runs").exists()

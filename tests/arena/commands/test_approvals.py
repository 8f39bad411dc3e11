"""A conservative season: a person answers before anything is sent, from a process of its own, or nobody does."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest

from arena.mcp.desk import Chosen, Desk
from arena.seasons.conduct import Conduct
from arena.settings import Settings
from arena.traces import TraceArchive
from arena.ui.decision.steps import decision_steps
from trading.risk.approvals import ApprovalBoard, Asked
from trading.risk.edits import LegChange
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
Editor = Callable[[Asked], list[LegChange] | None]


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
def people(home: Path, judge: Judge, edit: Editor = lambda _: None) -> Iterator[None]:
    """Somebody who answers what waits until the season is over, or changes it."""
    board, over = ApprovalBoard(home), Flag()

    def sit() -> None:
        while not over.is_set():
            for asked in board.waiting():
                approved, who, reason = judge(asked)
                board.answer(asked.proposal, approved=approved, who=who, reason=reason, changes=edit(asked))
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


def test_what_a_person_changed_is_sent_and_on_record_and_repeats(lab: Any, season: Path, tmp_path: Path) -> None:
    home, brief = tmp_path / "home", ("--set", "season.end=2026-01-01T02:00:00Z")

    def edit(asked: Asked) -> list[LegChange]:
        """Far too much first, which the gate does not let through; then a tenth of what it would."""
        most = Decimal(asked.rulings[0]["quantity_after"])
        lot = Decimal(asked.lots[asked.rulings[0]["intent"]["instrument"]])
        wanted = Decimal(900_000) if not asked.changed else most / 10 // lot * lot
        return [LegChange(leg=1, values={"quantity": str(wanted)})]

    with people(home, lambda _: (True, "ada", "a tenth"), edit):
        first = lab.call("run", season, "--home", home, "--json", *brief)
    assert first.code == 0, first.err
    found = events(home)
    decision_id = of_kind(found, "approval_answered")[0].decision_id
    mine = [event for event in found if event.decision_id == decision_id]
    told = [event.payload for event in of_kind(mine, "approval_answered")]
    assert [(one["approved"], one["by"], one["edits"][0]["name"]) for one in told] == [(True, "ada", "quantity")] * 2
    wanted = of_kind(mine, "intended")
    instrument = wanted[0].payload["instrument"]
    sizes = [event.payload["quantity"] for event in wanted if event.payload["instrument"] == instrument]
    assert sizes[1] == "900000"
    assert (told[0]["edits"][0]["old"], told[0]["edits"][0]["new"]) == (sizes[0], sizes[1])
    assert told[1]["edits"][0]["new"] == sizes[2]
    (sent,) = [event for event in of_kind(mine, "ordered") if event.payload["instrument"] == instrument]
    assert sent.payload["quantity"] == sizes[2]
    assert [event.payload.get("edited", False) for event in wanted] == [False, False, True, True, True, True]
    cut = [event for event in of_kind(mine, "ruled") if event.payload["ruling"] != "allowed"]
    assert cut
    counts = Conduct()
    for event in found:
        counts.apply(event)
    assert counts.desks["buyhold"].limits_hit == {}, "the gate's word to a person is not held against the desk"
    assert lab.call("journal", "verify", "--home", home).code == 0
    (run,) = (home / "runs").glob("*-1")
    (run / "cassette.sqlite").touch()
    again = lab.call("run", season, "--home", home, "--json", "--cassette", "replay", *brief)
    assert again.code == 0, again.err
    assert again.document["journal"]["head"] == first.document["journal"]["head"]
    trace = TraceArchive(home).trace(run.name, decision_id)
    assert [answer.edits[0].new for answer in trace.answers] == sizes[1:]
    assert trace.edited_attempts == {0, 1}
    shown = decision_steps(trace, {}, 1)
    assert f"{instrument} quantity from {sizes[0]} to 900000" in shown
    assert "Edited by ada" in shown
    newest = Desk(Settings.load({"home": home}), Chosen()).decisions()["decisions"]
    told_mcp = [answer for one in newest if one["decision_id"] == decision_id for answer in one["answers"]]
    assert [answer["edits"][0].rpartition(" ")[2] for answer in told_mcp] == sizes[1:]


def test_a_terminal_changes_a_proposal(lab: Any, tmp_path: Path) -> None:
    board = ApprovalBoard(tmp_path)
    intent = {
        "instrument": "BTC-USDT-PERP", "side": "buy", "quantity": "2", "order_type": "limit", "limit_price": "100",
        "reduce_only": False, "good_for_rounds": 1, "reason": "", "stop_loss": "90",
    }  # fmt: skip
    board.ask(
        run_id="run-1", proposal="p-1", decision_id="d-1", desk="careful", round_index=0, rationale="because",
        rulings=[{"intent": intent, "ruling": "allowed"}, {"intent": intent, "ruling": "allowed"}],
        patience_ms=3_600_000, lots={"BTC-USDT-PERP": "0.5"},
    )  # fmt: skip
    assert "1. buy 2 BTC-USDT-PERP limit, limit price 100, stop loss 90" in lab.call(
        "approvals", "list", "--home", tmp_path
    ).out  # fmt: skip
    words = ("approvals", "edit", "p-1", "--who", "ada", "--reason", "half", "--home", tmp_path)
    for wrong, told in (
        (("--set", "1.quantity=-1"), "above zero"),
        (("--set", "1.quantity=nan"), "above zero"),
        (("--set", "1.quantity=0.7"), "steps of 0.5"),
        (("--set", "quantity=1"), "expected LEG.FIELD=VALUE"),
        (("--set", "1.side=sell"), "cannot be changed"),
        (("--set", "3.quantity=1"), "there is no leg 3"),
        (("--set", "1.quantity=1", "--set", "1.quantity=2"), "set twice"),
        (("--drop", "1", "--drop", "2"), "every leg is dropped"),
        ((), "nothing is changed"),
    ):
        said = lab.call(*words, *wrong)
        assert (said.code, told in said.err) == (2, True), said.err
        assert len(said.err.strip().splitlines()) == 1
    said = lab.call(*words, "--set", "1.quantity=1", "--set", "1.stop_loss=none", "--drop", "2")
    assert said.code == 0, said.err
    assert "changed by ada: half; BTC-USDT-PERP quantity from 2 to 1" in said.out
    assert "stop loss from 90 to none; BTC-USDT-PERP dropped" in said.out
    assert lab.call(*words, "--drop", "2").code == 2


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

"""A person approves or rejects on the page: by name, with a reason, in time, and the season goes on with it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import gradio as gr
import pytest

from arena.access import Role
from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor
from arena.seasons.reception import Reception
from arena.seasons.rulefile import load_rules
from arena.settings import Settings
from arena.ui.chat.approving import answering
from arena.ui.chat.editing import opening, sending, trying
from arena.ui.site import build_site
from graphs import DeskTeam
from tests.agents.staging import ROLES, at_most, seat
from tests.arena.commands.test_approvals import SEASON
from tests.arena.housing import house
from trading.domain.clock import ManualClock
from trading.risk import KillSwitch
from trading.risk.approvals import ApprovalBoard
from trading.storage.journal import read_events

Act = Callable[..., gr.Request]


def eventually(look: Callable[[], Any]) -> Any:
    """What ``look`` gives once it gives something; a machine at work on other tests is slow, not wrong."""
    until = monotonic() + 60
    while not (found := look()):
        assert monotonic() < until
        sleep(0.02)
    return found


@pytest.fixture
def board(tmp_path: Path) -> ApprovalBoard:
    return ApprovalBoard(tmp_path)


def ask(board: ApprovalBoard, *, patience_ms: int = 60_000, rationale: str = "") -> str:
    board.ask(
        run_id="run-1",
        proposal="p-1",
        decision_id="d-1",
        desk="momentum",
        round_index=0,
        rulings=[{"intent": "<script>"}],
        rationale=rationale,
        patience_ms=patience_ms,
    )
    return "p-1"


def test_an_answer_carries_the_name_and_the_reason(board: ApprovalBoard, asked_by: Act) -> None:
    assert answering(board, approved=False)(ask(board), " too   much ", asked_by(name="ada")) == ""
    (asked,) = board.all()
    assert asked.answer is not None
    assert (asked.answer.approved, asked.answer.by, asked.answer.note) == (False, "ada", "too much")


@pytest.mark.parametrize(
    ("proposal", "reason", "role", "approved", "why"),
    [
        ("p-1", "fine", Role.VIEWER, True, "this needs a trader"),
        ("p-1", " ", Role.TRADER, False, "a rejection needs a reason"),
        ("", "fine", Role.TRADER, True, "has just changed"),
        ("p-2", "fine", Role.TRADER, True, "no proposal of that id"),
        ("<script>" * 50, "fine", Role.TRADER, True, "no proposal of that id"),
    ],
)
def test_what_may_not_be_answered_is_refused(
    board: ApprovalBoard, asked_by: Act, proposal: str, reason: str, role: Role, approved: bool, why: str
) -> None:
    ask(board)
    with pytest.raises(gr.Error, match=why):
        answering(board, approved=approved)(proposal, reason, asked_by(role))
    assert [asked.proposal for asked in board.waiting()] == ["p-1"]


def test_what_expired_or_was_answered_is_refused(tmp_path: Path, asked_by: Act) -> None:
    clock = ManualClock(1_000)
    board = ApprovalBoard(tmp_path, clock)
    ask(board, patience_ms=10)
    clock.set_ms(1_010)
    with pytest.raises(gr.Error, match="its time is up"):
        answering(board, approved=True)("p-1", "fine", asked_by())
    ask(board, patience_ms=60_000)
    answering(board, approved=True)("p-1", "", asked_by(name="ada"))
    with pytest.raises(gr.Error, match="approved by ada already"):
        answering(board, approved=False)("p-1", "late", asked_by(name="bob"))


INTENT = {
    "instrument": "BTC-USDT-PERP", "side": "buy", "quantity": "2", "order_type": "market", "limit_price": None,
    "reduce_only": False, "good_for_rounds": 1, "reason": "<img src=x>",
}  # fmt: skip


def told(*legs: Any, proposal: str = "p-1") -> str:
    return json.dumps({"proposal": proposal, "legs": legs})


def leg(number: Any = 1, *, drop: Any = False, **values: Any) -> dict[str, Any]:
    return {"leg": number, "drop": drop, "values": values}


def ask_to_change(board: ApprovalBoard, patience_ms: int = 60_000) -> None:
    ruling = {"ruling": "allowed", "message": "", "quantity_after": "2"}
    board.ask(
        run_id="run-1", proposal="p-1", decision_id="d-1", desk="momentum", round_index=0, rationale="",
        rulings=[{"intent": INTENT, **ruling}, {"intent": {**INTENT, "side": "sell"}, **ruling}],
        patience_ms=patience_ms, lots={"BTC-USDT-PERP": "0.5"},
    )  # fmt: skip


def test_a_change_opens_with_what_was_proposed_and_is_sent_by_name(board: ApprovalBoard, asked_by: Act) -> None:
    ask_to_change(board)
    form, _ = opening(board)("p-1", asked_by(name="ada"))
    assert 'data-editing="p-1"' in form
    assert form.count('value="2"') == 2
    assert "<img" not in form
    changes = told(leg(quantity="1.5", stop_loss=None), leg(2, drop=True, quantity="7"))
    assert sending(board)(changes, " half of  it ", asked_by(name="ada")) == ("", "")
    (asked,) = board.all()
    assert asked.answer is not None
    assert (asked.answer.approved, asked.answer.by, asked.answer.note) == (True, "ada", "half of it")
    assert [edit.words for edit in asked.answer.edits] == [
        "BTC-USDT-PERP quantity from 2 to 1.5",
        "BTC-USDT-PERP dropped",
    ]
    with pytest.raises(gr.Error, match="changed by ada already"):
        sending(board)(changes, "again", asked_by(name="bob"))
    with pytest.raises(gr.Error, match="has just changed"):
        opening(board)("p-1", asked_by())


@pytest.mark.parametrize(
    ("changes", "reason", "role", "why"),
    [
        (told(leg(quantity="1")), "fine", Role.VIEWER, "this needs a trader"),
        (told(leg(quantity="1")), " ", Role.TRADER, "a change needs a reason"),
        (told(leg(quantity="-1")), "fine", Role.TRADER, "above zero"),
        (told(leg(quantity="NaN")), "fine", Role.TRADER, "above zero"),
        (told(leg(quantity="1,5")), "fine", Role.TRADER, "above zero"),
        (told(leg(quantity=None)), "fine", Role.TRADER, "above zero"),
        (told(leg(quantity="1.3")), "fine", Role.TRADER, "steps of 0.5"),
        (told(leg(side="sell")), "fine", Role.TRADER, "cannot be changed"),
        (told(leg(3, quantity="1")), "fine", Role.TRADER, "there is no leg 3"),
        (told(leg(quantity="2")), "fine", Role.TRADER, "nothing is changed"),
        (told(leg(drop=True), leg(2, drop=True)), "fine", Role.TRADER, "every leg is dropped"),
        (told(leg(quantity="1"), proposal="p-2"), "fine", Role.TRADER, "no proposal of that id"),
        (told(leg(quantity=1)), "fine", Role.TRADER, "a change that is none"),
        (told(leg("1", quantity="1")), "fine", Role.TRADER, "a change that is none"),
        (told(leg(True, quantity="1")), "fine", Role.TRADER, "a change that is none"),
        (told(leg(drop="yes")), "fine", Role.TRADER, "a change that is none"),
        (told("<script>"), "fine", Role.TRADER, "a change that is none"),
        ("", "fine", Role.TRADER, "a change that is none"),
        ("[1]", "fine", Role.TRADER, "a change that is none"),
        ('{"proposal": 1, "legs": []}', "fine", Role.TRADER, "a change that is none"),
        ("9" * 50_000, "fine", Role.TRADER, "a change that is none"),
    ],
)
def test_what_cannot_be_changed_is_refused(
    board: ApprovalBoard, asked_by: Act, changes: str, reason: str, role: Role, why: str
) -> None:
    ask_to_change(board)
    with pytest.raises(gr.Error, match=why):
        sending(board)(changes, reason, asked_by(role))
    assert [asked.proposal for asked in board.waiting()] == ["p-1"]


def test_what_is_typed_is_tried_on_the_gate_and_nothing_is_sent(board: ApprovalBoard) -> None:
    ask_to_change(board)
    reception = Reception(snapshot=lambda: None)
    desk = DeskTeam(name="momentum", models=dict.fromkeys(ROLES, "house/momentum"), seed=7)

    async def sit(decision_id: str) -> None:
        reception.seat([desk], [seat(decision_id=decision_id, preview=at_most("3"))])

    def says(changes: str, behind: Reception | None = reception) -> str:
        return asyncio.run(trying(board, behind)(changes))

    much = told(leg(quantity="500"), leg(2, drop=True))
    assert says(much, None) == ""
    assert says(much) == "", "no desk sits there, so nobody knows"
    asyncio.run(sit("d-2"))
    assert says(much) == "", "it sits in another decision by now"
    asyncio.run(sit("d-1"))
    assert "Buy 500 BTC: the gate cuts it to 3. at most 3" in says(much)
    both = says(told(leg(quantity="1")))
    assert "Buy 1 BTC: the gate lets it through" in both
    assert "Sell 2 BTC: the gate lets it through" in both
    for rubbish, why in ((told(leg(quantity="<b>")), "above zero"), ("<b>", "a change that is none")):
        assert why in says(rubbish)
        assert "<b>" not in says(rubbish)
    assert says(told(leg(quantity="1"), proposal="p-2")) == ""
    assert len(board.waiting()) == 1


def test_what_expired_or_cannot_be_read_is_not_changed(tmp_path: Path, asked_by: Act) -> None:
    clock = ManualClock(1_000)
    board = ApprovalBoard(tmp_path, clock)
    ask(board)
    with pytest.raises(gr.Error, match="cannot be read"):
        opening(board)("p-1", asked_by())
    with pytest.raises(gr.Error, match="this needs a trader"):
        opening(board)("p-1", asked_by(Role.VIEWER))
    clock.set_ms(100_000)
    with pytest.raises(gr.Error, match="its time is up"):
        sending(board)(told(leg(quantity="1")), "late", asked_by())


def test_hostile_words_of_a_desk_stay_words(tmp_path: Path, make_floor: Any) -> None:
    ask(ApprovalBoard(tmp_path), rationale="<img src=x onerror=alert(1)>")
    page = build_site(house(make_floor(None), home=tmp_path)).pages["chat"]
    _, panel = json.loads(page.changes({}))["tf-waiting"]
    assert 'data-proposal="p-1"' in panel
    assert "A proposal that cannot be read" in panel
    assert "<img" not in panel


def begun(tmp_path: Path) -> tuple[BackgroundSeason, LiveFloor, Reception, Settings]:
    """A conservative season as it is served, with no pause between rounds."""
    rules = tmp_path / "careful.toml"
    rules.write_text(SEASON, "utf-8")
    settings = Settings.load({"home": tmp_path / "home"})
    floor = LiveFloor(KillSwitch(settings.home))
    reception = Reception(snapshot=floor.snapshot)
    season = BackgroundSeason(
        load_rules(rules, ["season.end=2026-01-01T03:00:00Z"]),
        settings,
        floor,
        round_s=0.0,
        warmup_rounds=0,
        reception=reception,
    )
    season.start()
    return season, floor, reception, settings


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[tuple[BackgroundSeason, LiveFloor, Reception, Settings]]:
    """Such a season, stopped after the test."""
    found = begun(tmp_path)
    yield found
    found[0].stop()


def test_a_season_that_waits_is_stopped_and_goes_on_with_what_it_asked(tmp_path: Path, asked_by: Act) -> None:
    season, _, _, settings = begun(tmp_path)
    board = ApprovalBoard(settings.home)
    (asked,) = eventually(board.waiting)
    season.stop()
    assert not season.is_alive
    answering(board, approved=True)(asked.proposal, "while it was away", asked_by(name="ada"))
    again, floor, _, _ = begun(tmp_path)
    eventually(lambda: floor.snapshot().status == "finished")
    again.stop()
    assert [one.proposal for one in board.all()].count(asked.proposal) == 1
    (journal,) = (settings.home / "runs").glob("*/journal.sqlite")
    events = [stored.event() for stored in read_events(journal)]
    answers = [event.payload for event in events if event.kind == "approval_answered"]
    assert [(one["proposal"], one["by"]) for one in answers] == [(asked.proposal, "ada")]
    assert any(event.kind == "ordered" for event in events)


def test_a_served_season_resumes_with_the_answer_of_the_page(careful: Any, asked_by: Act) -> None:
    _, floor, reception, settings = careful
    board = ApprovalBoard(settings.home)
    page = build_site(house(floor, home=settings.home, reception=reception)).pages["chat"]
    answered: list[tuple[str, bool]] = []
    while len(answered) < 2:
        (asked,) = eventually(board.waiting)
        _, panel = json.loads(page.changes({}))["tf-waiting"]
        assert f'data-proposal="{asked.proposal}"' in panel
        assert "Buy" in panel
        assert 'Fees, estimate</dt><dd class="tf-num">$' in panel, "its seat is known, so the numbers are"
        approved = bool(answered)
        answering(board, approved=approved)(asked.proposal, "seen", asked_by(name="ada"))
        answered.append((asked.proposal, approved))
    eventually(lambda: floor.snapshot().status == "finished")
    (journal,) = (settings.home / "runs").glob("*/journal.sqlite")
    events = [stored.event() for stored in read_events(journal)]
    told = [event.payload for event in events if event.kind == "approval_answered"]
    assert [(one["proposal"], one["approved"]) for one in told] == answered
    assert {(one["by"], one["note"]) for one in told} == {("ada", "seen")}
    approved_decisions = {e.decision_id for e in events if e.kind == "approval_answered" and e.payload["approved"]}
    assert {event.decision_id for event in events if event.kind == "ordered"} == approved_decisions

"""The board of proposals: answered once, in time, by somebody who says why; rubbish changes nothing."""

import sqlite3
from pathlib import Path
from threading import Thread

import pytest

from trading.domain.clock import ManualClock
from trading.domain.errors import ConfigError, RequestError
from trading.risk.approvals import ApprovalBoard, Asked

PATIENCE_MS = 60_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000_000)


@pytest.fixture
def board(tmp_path: Path, clock: ManualClock) -> ApprovalBoard:
    return ApprovalBoard(tmp_path, clock)


def ask(board: ApprovalBoard, proposal: str = "p-1", run_id: str = "run-1") -> Asked:
    return board.ask(
        run_id=run_id,
        proposal=proposal,
        decision_id="d-1",
        desk="careful",
        round_index=3,
        rulings=({"intent": {"side": "buy"}, "ruling": "allowed"},),
        rationale="wanted",
        patience_ms=PATIENCE_MS,
    )


def test_an_answer_is_seen_by_whoever_asked(board: ApprovalBoard, tmp_path: Path, clock: ManualClock) -> None:
    ask(board)
    assert board.look("run-1", "p-1") is None
    elsewhere = ApprovalBoard(tmp_path, clock)
    assert [asked.proposal for asked in elsewhere.waiting()] == ["p-1"]
    elsewhere.answer("p-1", approved=False, who=" ada ", reason="too\nbig")
    found = board.look("run-1", "p-1")
    assert found is not None
    assert (found.approved, found.by, found.note, found.at_ms) == (False, "ada", "too big", 1_000_000)
    assert board.waiting() == []


def test_asked_again_it_keeps_its_answer_and_otherwise_gets_its_time_anew(
    board: ApprovalBoard, clock: ManualClock
) -> None:
    ask(board)
    clock.set_ms(clock.now_ms() + PATIENCE_MS)
    nobody = board.look("run-1", "p-1")
    assert nobody is not None
    assert (nobody.approved, nobody.by) == (False, None)
    again = ask(board)
    assert (again.answer, again.deadline_ms) == (None, clock.now_ms() + PATIENCE_MS)
    board.answer("p-1", approved=True, who="ada", reason="fine")
    clock.set_ms(clock.now_ms() + 10 * PATIENCE_MS)
    kept = ask(board).answer
    assert kept is not None
    assert kept.approved


def test_what_is_late_second_or_unknown_is_refused(board: ApprovalBoard, clock: ManualClock) -> None:
    for proposal in ("p-1", "p-2"):
        ask(board, proposal)
    board.answer("p-1", approved=True, who="ada", reason="fine")
    with pytest.raises(RequestError, match="approved by ada already"):
        board.answer("p-1", approved=False, who="bob", reason="no")
    clock.set_ms(clock.now_ms() + PATIENCE_MS)
    with pytest.raises(RequestError, match="its time is up"):
        board.answer("p-2", approved=True, who="ada", reason="late")
    with pytest.raises(RequestError, match="no proposal of that id"):
        board.answer("p-3'; drop table proposals", approved=True, who="ada", reason="x")
    with pytest.raises(RequestError, match="--who is needed"):
        board.answer("p-1", approved=True, who=" \n", reason="x")
    assert [asked.proposal for asked in board.all()] == ["p-1", "p-2"]


def test_of_many_who_answer_at_once_one_is_first(board: ApprovalBoard, tmp_path: Path, clock: ManualClock) -> None:
    ask(board)
    heard: list[str] = []

    def answer(name: str, approved: bool) -> None:
        try:
            ApprovalBoard(tmp_path, clock).answer("p-1", approved=approved, who=name, reason="x")
            heard.append(name)
        except RequestError:
            pass

    threads = [Thread(target=answer, args=(f"person-{number}", number % 2 == 0)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = board.look("run-1", "p-1")
    assert found is not None
    assert heard == [found.by]


def test_a_damaged_board_is_one_line(board: ApprovalBoard, tmp_path: Path) -> None:
    ask(board)
    with sqlite3.connect(tmp_path / "approvals.sqlite") as db:
        db.execute("update proposals set body = '[1'")
    db.close()
    with pytest.raises(ConfigError, match="damaged"):
        board.waiting()
    (tmp_path / "approvals.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(ConfigError, match="cannot be read"):
        board.waiting()

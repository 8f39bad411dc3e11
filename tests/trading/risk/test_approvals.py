"""The board of proposals: answered once, in time, by somebody who says why; rubbish changes nothing."""

import sqlite3
from pathlib import Path
from threading import Thread

import pytest

from trading.domain.clock import ManualClock
from trading.domain.errors import ConfigError, RequestError
from trading.risk.approvals import ApprovalBoard, Asked
from trading.risk.edits import LegChange

PATIENCE_MS = 60_000
INTENT = {
    "instrument": "BTC-USDT-PERP",
    "side": "buy",
    "quantity": "2",
    "order_type": "market",
    "limit_price": None,
    "reduce_only": False,
}


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


def test_a_change_is_kept_with_the_answer(board: ApprovalBoard, tmp_path: Path, clock: ManualClock) -> None:
    ask(board)
    with pytest.raises(RequestError, match="leg 1 cannot be read"):
        board.answer("p-1", approved=True, who="ada", reason="less", changes=[LegChange(leg=1, drop=True)])
    board.ask(
        run_id="run-1", proposal="p-2", decision_id="d-2", desk="careful", round_index=4,
        rulings=({"intent": INTENT, "ruling": "allowed"},), rationale="wanted", patience_ms=PATIENCE_MS,
        lots={"BTC-USDT-PERP": "0.5"},
    )  # fmt: skip
    less = [LegChange(leg=1, values={"quantity": "1.5"})]
    for changes, why in (([LegChange(leg=1, values={"quantity": "1.4"})], "steps of 0.5"), ([], "nothing is changed")):
        with pytest.raises(RequestError, match=why):
            board.answer("p-2", approved=True, who="ada", reason="less", changes=changes)
    with pytest.raises(RequestError, match="what is rejected is not sent"):
        board.answer("p-2", approved=False, who="ada", reason="less", changes=less)
    assert len(board.waiting()) == 2, "what was refused changed nothing"
    board.answer("p-2", approved=True, who="ada", reason="less", changes=less)
    found = ApprovalBoard(tmp_path, clock).look("run-1", "p-2")
    assert found is not None
    assert (found.approved, found.by, found.note) == (True, "ada", "less")
    assert [edit.words for edit in found.edits] == ["BTC-USDT-PERP quantity from 2 to 1.5"]
    with pytest.raises(RequestError, match="changed by ada already"):
        board.answer("p-2", approved=True, who="bob", reason="more", changes=less)
    clock.set_ms(clock.now_ms() + PATIENCE_MS)
    with pytest.raises(RequestError, match="its time is up"):
        board.answer("p-1", approved=True, who="ada", reason="less", changes=less)


def test_a_board_of_an_older_version_is_read(board: ApprovalBoard, tmp_path: Path) -> None:
    ask(board)
    with sqlite3.connect(tmp_path / "approvals.sqlite") as db:
        db.execute("drop table edits")
        db.execute("""update proposals set body = '{"rulings": [], "rationale": "old"}'""")
    db.close()
    (asked,) = board.waiting()
    assert (asked.rationale, asked.lots, asked.changed) == ("old", {}, ())

"""The audit: one line a write, whole or told as damaged, whoever writes at the same time."""

import json
import logging
import threading
from pathlib import Path

import pytest

from arena.access import Audit, Caller, Role, Trail
from trading.domain.clock import ManualClock
from trading.domain.errors import RequestError

ALICE = Caller(name="alice", role=Role.TRADER)


def line(audit: Audit, number: int = 0, **changed: object) -> None:
    given = {"caller": "alice", "role": "trader", "method": "POST", "path": "/api/v1/halt", "status": 200}
    audit.record(**given | {"request_id": f"{number:016x}"} | changed)


def record_many(home: Path, start: int) -> None:
    audit = Audit(home)
    for number in range(start, start + 40):
        line(audit, number)


def test_a_line_says_who_did_what_when_and_with_what_answer(tmp_path: Path):
    line(Audit(tmp_path, ManualClock(1_760_659_200_000)), 7)
    (text,) = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert json.loads(text) == {
        "at": "2025-10-17T00:00:00Z", "caller": "alice", "role": "trader", "method": "POST", "path": "/api/v1/halt",
        "status": 200, "request_id": "0000000000000007", "act": "",
    }  # fmt: skip
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o777 == 0o600


def test_before_the_first_write_there_is_nothing(tmp_path: Path):
    assert Audit(tmp_path / "nowhere").last(10) == ([], 0)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("count", [1, 2, 999, 1_000, 1_001, 5_000])
def test_the_newest_lines_are_read_from_the_end(tmp_path: Path, count: int):
    line(Audit(tmp_path), 0)
    row = json.loads((tmp_path / "audit.jsonl").read_text())
    rows = (json.dumps(row | {"request_id": str(number)}) + "\n" for number in range(1_000))
    (tmp_path / "audit.jsonl").write_text("".join(rows))
    lines, damaged = Audit(tmp_path).last(count)
    assert [one.request_id for one in lines] == [str(number) for number in range(max(0, 1_000 - count), 1_000)]
    assert damaged == 0


def test_damaged_lines_are_counted_and_take_nothing_with_them(tmp_path: Path):
    audit = Audit(tmp_path)
    line(audit, 1)
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'\xff\xfe\n{"at": 3}\n[]\n{"at":"2025-10-17T00:00:00Z","caller":"al')
    line(audit, 2)
    lines, damaged = audit.last(100)
    assert [one.request_id[-1] for one in lines] == ["1", "2"]
    assert damaged == 4


def test_hostile_text_stays_in_its_line(tmp_path: Path):
    audit = Audit(tmp_path)
    line(audit, path="/a\nb\r\x1b[31m" + "x" * 500, act='"},{"caller":"admin')
    (found,), damaged = audit.last(10)
    assert damaged == 0
    assert found.path.startswith("/a\nb")
    assert len(found.path) == 200
    assert (tmp_path / "audit.jsonl").read_bytes().count(b"\n") == 1


def test_writers_at_once_lose_no_line(tmp_path: Path):
    """Each has a lock of its own, as in processes of their own: what keeps lines apart is the file."""
    writers = [threading.Thread(target=record_many, args=(tmp_path, start)) for start in (0, 100, 200)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    lines, damaged = Audit(tmp_path).last(1_000)
    assert damaged == 0
    assert len({one.request_id for one in lines}) == 120


def test_a_full_disk_is_told_to_the_log_and_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "audit.jsonl").mkdir()
    with caplog.at_level(logging.CRITICAL, "tradefloor.access"):
        line(Audit(tmp_path))
    assert "cannot be written" in caplog.text
    assert "/api/v1/halt" in caplog.text
    with pytest.raises(RequestError, match="cannot be read"):
        Audit(tmp_path).last(1)


def test_acts_of_a_page_are_lines_and_its_other_requests_are_none(tmp_path: Path):
    audit = Audit(tmp_path)
    for acts in ((), ("halt",), ("halt", "resume")):
        trail = Trail(audit, ALICE, method="POST", path="/gradio_api/run/predict", request_id="r", by_act=True)
        for act in acts:
            trail.act(act, is_allowed=True)
        trail.close(200)
        trail.close(500)
    assert [(one.act, one.status) for one in audit.last(10)[0]] == [("halt", 200), ("halt", 200), ("resume", 200)]


def test_an_act_after_the_answer_or_not_allowed_is_a_line_at_once(tmp_path: Path):
    audit = Audit(tmp_path)
    trail = Trail(audit, ALICE, method="POST", path="/gradio_api/queue/join", request_id="r", by_act=True)
    trail.act("halt", is_allowed=False)
    trail.close(200)
    trail.act("chat", is_allowed=True)
    assert [(one.act, one.status) for one in audit.last(10)[0]] == [("halt", 403), ("chat", 202)]

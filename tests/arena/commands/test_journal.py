"""``journal``: a record that holds is said to hold, a touched one is refused by event, and its tables add up."""

import random
import re
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from trading.storage.journal import event_hash


@pytest.fixture
def journal(home_copy: Path) -> Path:
    return next(home_copy.glob("runs/*/journal.sqlite"))


def test_a_finished_run_verifies(finished: Any, lab: Any) -> None:
    home, said = finished
    plain = lab.call("journal", "verify", "--home", home)
    assert plain.code == 0
    assert plain.err == ""
    assert said.document["journal"]["head"] in plain.out
    report = lab.call("journal", "verify", said.document["run_id"], "--home", home, "--json").document
    assert report == {
        "run_id": said.document["run_id"], "ok": True, "sealed": True, "book_fills": 0,
        "problem": None,
        "marks": 2 * (lab.rounds + 1), **said.document["journal"],
    }  # fmt: skip


def test_reading_a_run_changes_nothing_of_it(finished: Any, lab: Any, tmp_path: Path) -> None:
    home = finished[0]
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for words in (("standings",), ("runs",), ("journal", "verify"), ("journal", "export", "--to", tmp_path)):
        assert lab.call(*words, "--home", home).code == 0
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_one_changed_byte_anywhere_is_found_and_placed(lab: Any, home_copy: Path, journal: Path) -> None:
    whole = journal.read_bytes()
    draw = random.Random(11)
    for _ in range(25):
        at = draw.randrange(len(whole))
        journal.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << draw.randrange(8))]) + whole[at + 1 :])
        said = lab.call("journal", "verify", "--home", home_copy)
        assert said.code == 1, f"byte {at} was changed and nobody saw it"
        assert said.err.count("\n") == 1
        assert re.search(r"event \d+", said.err), said.err


@pytest.mark.parametrize("kind", ["deposited", "decided", "filled", "marked", "season_closed"])
def test_a_changed_event_is_the_one_that_is_named(lab: Any, home_copy: Path, journal: Path, kind: str) -> None:
    seq, payload = _one(journal, kind)
    digit = re.search(r"[1-8]", payload)
    assert digit is not None
    changed = payload[: digit.start()] + "9" + payload[digit.end() :]
    _sql(journal, "UPDATE events SET payload_json = ? WHERE seq = ?", changed, seq)
    said = lab.call("journal", "verify", "--home", home_copy, "--json")
    assert said.code == 1
    assert f"event {seq} ({kind}) was changed" in said.err
    assert said.document["ok"] is False
    assert f"event {seq} ({kind})" in said.document["problem"]


@pytest.mark.parametrize("sealed", [True, False])
def test_money_that_was_invented_with_good_hashes_is_found_by_the_accounts(
    lab: Any, home_copy: Path, journal: Path, sealed: bool
) -> None:
    """Whoever changes an event and chains all that follows anew still has to make every later mark fit."""
    seq, payload = _one(journal, "filled")
    fill = orjson.loads(payload)
    fill["fee"] = "0"
    _sql(journal, "UPDATE events SET payload_json = ? WHERE seq = ?", orjson.dumps(fill).decode(), seq)
    _rechain(journal)
    if not sealed:
        journal.with_suffix(".seal").unlink()
    said = lab.call("journal", "verify", "--home", home_copy)
    assert said.code == 1
    assert re.search(r"event \d+ \(marked\)", said.err)


@pytest.mark.parametrize("spoil", ["DELETE FROM events WHERE seq = 20", "DELETE FROM events WHERE seq > 20"])
def test_a_missing_event_is_named(lab: Any, home_copy: Path, journal: Path, spoil: str) -> None:
    _sql(journal, spoil)
    said = lab.call("journal", "verify", "--home", home_copy)
    assert said.code == 1
    assert re.search(r"event 2[01] is missing", said.err), said.err


def test_an_export_holds_every_table_and_adds_up(finished: Any, lab: Any, tmp_path: Path) -> None:
    home, said = finished
    exported = lab.call("journal", "export", "--home", home, "--to", tmp_path / "out", "--json").document
    tables = {path.stem: pq.read_table(path) for path in (tmp_path / "out").glob("*.parquet")}
    assert set(tables) == {
        "decisions", "llm_calls", "tool_calls", "forecasts", "intents", "verdicts", "orders", "fills", "cash", "marks",
        "events",
    }  # fmt: skip
    assert exported["rows"] == {name: table.num_rows for name, table in tables.items()}
    assert tables["events"].num_rows == said.document["journal"]["events"]
    assert tables["events"]["hash"][-1].as_py() == said.document["journal"]["head"]
    assert None not in tables["decisions"]["latency_ms"].to_pylist()
    for desk in said.document["desks"]:
        name = desk["desk"]
        mine = {key: [row for row in table.to_pylist() if row.get("desk") == name] for key, table in tables.items()}
        assert len(mine["decisions"]) == desk["decisions"]
        assert len(mine["llm_calls"]) == desk["llm_calls"]
        assert len(mine["forecasts"]) == desk["forecasts"]
        assert len(mine["fills"]) == desk["fills"]
        assert sum(Decimal(row["fee"]) for row in mine["fills"]) == Decimal(desk["fees"])
        assert mine["marks"][-1]["equity"] == desk["equity_end"]
        paid = sum(Decimal(row["amount"]) for row in mine["cash"])
        assert paid == Decimal(mine["marks"][-1]["cash"]), "cash movements add up to the cash"
    known = [row for row in tables["forecasts"].to_pylist() if row["outcome_return"] is not None]
    assert known
    assert all(row["outcome_up"] == (row["outcome_return"] > 0) for row in known)


def test_an_export_to_a_place_that_cannot_be_written_is_refused(finished: Any, lab: Any, trial: Path) -> None:
    said = lab.call("journal", "export", "--home", finished[0], "--to", trial)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert str(trial) in said.err


def _one(journal: Path, kind: str) -> tuple[int, str]:
    with closing(sqlite3.connect(journal)) as db:
        return db.execute("SELECT seq, payload_json FROM events WHERE kind = ? LIMIT 1", (kind,)).fetchone()


def _sql(journal: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(journal)) as db:
        db.execute(statement, values)
        db.commit()


def _rechain(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as db:
        head = "0" * 64
        for seq, ts, kind, decision_id, payload in db.execute(
            "SELECT seq, ts, kind, decision_id, payload_json FROM events ORDER BY seq"
        ).fetchall():
            digest = event_hash(head, seq, ts, kind, decision_id, payload)
            db.execute("UPDATE events SET prev_hash = ?, hash = ? WHERE seq = ?", (head, digest, seq))
            head = digest
        db.commit()

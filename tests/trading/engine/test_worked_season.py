"""A season on recorded candles in which everything is worked: the same record twice, and after it was killed."""

import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from memory.derive import derive
from tests.trading.engine import worked_season
from trading.domain import EventKind
from trading.ledger import audit_journal
from trading.ledger.export import export_journal
from trading.storage.journal import read_events

D = Decimal
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("whole") / "journal.sqlite"
    return path, worked_season.play(path)


def rows(path, *kinds):
    return [stored.event() for stored in read_events(path) if not kinds or stored.event().kind in kinds]


def test_it_is_played_alike_twice_and_its_accounts_follow_from_its_record(whole, tmp_path):
    path, head = whole
    assert worked_season.play(tmp_path / "again.sqlite") == head
    assert audit_journal(path).problem is None


@pytest.mark.parametrize("kill_at", [40, 200, 330])
def test_killed_in_the_middle_it_goes_on_to_the_same_record(whole, tmp_path, kill_at):
    path = tmp_path / "journal.sqlite"
    command = [sys.executable, "-m", "tests.trading.engine.worked_season", str(path), str(kill_at)]
    died = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300, check=False)  # our own module
    assert died.returncode == -9, died.stderr.decode()
    assert len(rows(path, EventKind.ORDERED)) <= kill_at
    assert worked_season.play(path) == whole[1]


def test_what_was_worked_is_what_was_asked_to_the_last_lot(whole):
    begun = {event.payload["order_id"]: event.payload for event in rows(whole[0], EventKind.WORK_STARTED)}
    ended = {event.payload["order_id"]: event.payload for event in rows(whole[0], EventKind.WORK_ENDED)}
    parts = rows(whole[0], EventKind.ORDERED)
    sent: Counter[str] = Counter()
    for event in parts:
        row = event.payload
        asked = begun[row["parent_id"]]
        assert asked["sent_ms"] <= row["sent_ms"] < asked["until_ms"]
        sent[row["parent_id"]] += D(row["quantity"])
    assert len(begun) == 5
    for order_id, asked in begun.items():
        left = D(ended[order_id]["left"]) if order_id in ended else D(0)
        assert sent[order_id] + left == D(asked["quantity"])
    assert [row["reason"] for row in ended.values()][-1] == "the desk closes the position or goes the other way"
    first = [event.payload for event in parts if event.payload["parent_id"] == next(iter(begun))]
    assert len(first) == 120
    assert sum(D(row["quantity"]) for row in first) == 5
    limited = next(row for row in begun.values() if row["limit_price"] is not None)
    bought = [e.payload for e in rows(whole[0], EventKind.FILLED) if e.payload["parent_id"] == limited["order_id"]]
    assert all(D(row["price"]) <= D(limited["limit_price"]) for row in bought)


def test_parts_count_for_the_decision_that_asked_for_them(whole):
    """Memory and the exported tables join what was filled with the intent it came from."""
    derived = derive(whole[0], horizon_ms=4 * 3_600_000)
    first = next(episode for episode in derived.episodes if episode.round_index == 0)
    assert (first.status, first.action, first.kind) == ("acted", "enter", "realised")


def test_exported_tables_tell_how_it_was_worked(whole, tmp_path):
    export_journal(whole[0], tmp_path / "none.sqlite", tmp_path)
    intents = pq.read_table(tmp_path / "intents.parquet").to_pylist()
    assert [(row["style"], row["window_s"]) for row in intents][:3] == [
        ("twap", 14_400),
        ("vwap", 14_400),
        ("pov", 7200),
    ]
    orders = pq.read_table(tmp_path / "orders.parquet").to_pylist()
    assert {row["intent_id"] for row in orders} == {row["intent_id"] for row in intents}
    assert len({row["parent_id"] for row in orders}) == 5

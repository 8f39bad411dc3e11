"""``tradefloor limits`` and ``alerts``: from another terminal, with rubbish, and into a season that is playing."""

import json
from pathlib import Path
from typing import Any

import pytest

from trading.risk.alerts import AlertDesk, FileChannel, LogChannel


def call(lab: Any, home: Path, *words: str) -> Any:
    return lab.call("limits", *words, "--home", home, "--json")


def by_name(said: Any) -> dict[str, dict[str, Any]]:
    assert said.code == 0, said.err
    return {row["name"]: row for row in said.document["limits"]}


def test_a_limit_is_set_listed_and_loosened_slowly(lab: Any, tmp_path: Path) -> None:
    assert by_name(call(lab, tmp_path, "list"))["max_leverage"]["who"] is None
    done = call(lab, tmp_path, "set", "max_leverage", "2", "--who", "ada", "--reason", "calm").document
    assert (done["old"], done["value"], done["kind"]) == ("3", "2", "tighten")
    refused = call(lab, tmp_path, "set", "max_leverage", "2.5", "--who", "ada", "--reason", "calm")
    assert refused.code == 2
    assert "--confirm" in refused.err
    waits = call(lab, tmp_path, "set", "max_leverage", "2.5", "--who", "ada", "--reason", "calm", "--confirm").document
    assert waits["from_ms"] - waits["at_ms"] == 300_000
    row = by_name(call(lab, tmp_path, "list"))["max_leverage"]
    assert (row["value"], row["house"], row["who"]) == ("2", "3", "ada")
    shown = lab.call("limits", "list", "--home", tmp_path).out
    assert "max_leverage: 3 -> 2 (tighten by ada), counts from" in shown


def test_an_override_takes_two(lab: Any, tmp_path: Path) -> None:
    asked = call(
        lab, tmp_path, "override", "max_leverage", "4", "--who", "ada", "--reason", "x", "--for", "30m"
    ).document
    assert asked["from_ms"] is None
    alone = call(lab, tmp_path, "approve", asked["origin"], "--who", "ada")
    assert (alone.code, "second person" in alone.err) == (2, True)
    both = call(lab, tmp_path, "approve", asked["origin"], "--who", "grace").document
    assert (both["approver"], both["until_ms"] - both["from_ms"]) == ("grace", 1_800_000)
    assert by_name(call(lab, tmp_path, "list"))["max_leverage"]["value"] == "4"


@pytest.mark.parametrize(
    "words",
    [
        ("set", "max_leverge", "1"),
        ("set", "max_leverage", "lots"),
        ("set", "max_leverage", "99"),
        ("set", "max_open_orders", "1e3"),
        ("override", "max_leverage", "4", "--for", "a while"),
        ("override", "max_leverage", "4", "--for", "9h"),
    ],
)
def test_rubbish_is_one_line_and_changes_nothing(lab: Any, tmp_path: Path, words: tuple[str, ...]) -> None:
    said = call(lab, tmp_path, *words, "--who", "ada", "--reason", "x")
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1
    assert call(lab, tmp_path, "list").document["changes"] == []


def test_a_redis_that_is_not_there_is_named(lab: Any, tmp_path: Path) -> None:
    said = lab.call("limits", "list", "--home", tmp_path, TRADEFLOOR_REDIS_URL="redis://127.0.0.1:1/0")
    assert said.code == 2
    assert "TRADEFLOOR_REDIS_URL: Redis does not answer" in said.err


def test_an_alert_is_answered_by_name(lab: Any, tmp_path: Path) -> None:
    AlertDesk(tmp_path, (LogChannel(), FileChannel(tmp_path))).raise_alert("fire", critical=True)
    (alert,) = lab.call("alerts", "list", "--home", tmp_path, "--json").document["alerts"]
    assert "critical: fire" in lab.call("alerts", "list", "--home", tmp_path).out
    assert lab.call("alerts", "ack", "a-none", "--who", "ada", "--home", tmp_path).code == 2
    done = lab.call("alerts", "ack", alert["alert_id"], "--who", "ada", "--home", tmp_path, "--json")
    assert done.document["text"] == "fire"
    assert lab.call("alerts", "list", "--home", tmp_path, "--json").document == {"alerts": []}


def test_a_season_takes_a_limit_that_stands_into_its_journal(lab: Any, invented: Path, tmp_path: Path) -> None:
    call(lab, tmp_path, "set", "max_leverage", "0.2", "--who", "ada", "--reason", "calm")
    said = lab.call("run", invented, "--home", tmp_path, "--json")
    assert said.code == 0, said.err
    assert lab.call("journal", "verify", said.document["run_id"], "--home", tmp_path).code == 0
    lab.call("journal", "export", said.document["run_id"], "--home", tmp_path, "--to", tmp_path / "out")
    import pyarrow.parquet as pq

    rows = pq.read_table(tmp_path / "out" / "events.parquet").to_pylist()
    (event,) = [json.loads(row["payload_json"]) for row in rows if row["kind"] == "limits_changed"]
    assert [(change["name"], change["new"]) for change in event["changes"]] == [("max_leverage", "0.2")]

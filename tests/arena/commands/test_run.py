"""``run``: what it prints, that it repeats to the last event, and that it plays every kind of season."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arena.settings import CONFIG

SHA256 = re.compile(r"[0-9a-f]{64}")
NUMBER = (int, float)
MAYBE = (int, float, type(None))
DESK: dict[str, Any] = {
    "desk": str, "kind": str, "models": dict, "status": str, "equity_start": str, "equity_end": str,
    "return": float, "return_ci95": (list, type(None)), "sharpe": MAYBE, "sharpe_ci95": (list, type(None)),
    "max_drawdown": float, "fees": str, "funding": str, "turnover": float, "decisions": int, "acted": int,
    "held": int, "abstained": int, "failovers": int, "refused_intents": int, "orders": int, "fills": int,
    "forecasts": int, "brier": MAYBE, "brier_skill": MAYBE, "llm_calls": int, "tokens_in": int, "tokens_out": int,
    "usd": NUMBER, "latency_ms_p50": NUMBER, "latency_ms_p95": NUMBER, "luck_percentile": MAYBE, "rank": int,
    "tied_with": list,
}  # fmt: skip


def test_run_json_is_one_document_with_the_fields_that_others_rely_on(finished: Any, lab: Any) -> None:
    document = finished[1].document
    assert finished[1].out.count("\n") == 1
    assert document["season"] == "trial"
    assert document["rounds"] == document["rounds_done"] == lab.rounds
    assert document["status"] == "finished"
    assert document["halt_reason"] is None
    assert document["market"]["kind"] == "replay"
    assert document["market"]["simulated"] is False
    for digest in (document["rules_sha256"], document["market"]["data_sha256"], document["journal"]["head"]):
        assert SHA256.fullmatch(digest)
    assert document["journal"]["events"] > lab.rounds * 2
    assert {desk["desk"] for desk in document["desks"]} == {"momentum", "random"}
    for desk in document["desks"]:
        for field, kind in DESK.items():
            assert isinstance(desk[field], kind), f"{field} is {desk[field]!r}"
        assert desk["kind"] == "rule-based"
        assert set(desk["models"]) == {"analyst", "forecaster", "risk", "executor"}
        assert desk["decisions"] == lab.rounds == desk["acted"] + desk["held"] + desk["abstained"]
        assert desk["forecasts"] > 0
        assert desk["llm_calls"] >= 4 * lab.rounds
        gained = (Decimal(desk["equity_end"]) - Decimal(desk["equity_start"])) / Decimal(desk["equity_start"])
        assert desk["return"] == pytest.approx(float(gained), abs=1e-12)
        assert 1 <= desk["rank"] <= 2
    assert any(desk["fills"] for desk in document["desks"])


def test_progress_and_notes_go_to_stderr_in_plain_lines(finished: Any, lab: Any) -> None:
    lines = finished[1].err.splitlines()
    assert lines[0].startswith("run trial-")
    assert "recorded candles: BTC-USDT-PERP, SOL-USDT-PERP" in lines[0]
    assert lines[-1].startswith(f"round {lab.rounds} of {lab.rounds}")
    assert len(lines) <= 4


def test_another_process_with_other_hashes_gives_the_same_journal(
    finished: Any, lab: Any, trial: Path, recordings: Path, tmp_path: Path
) -> None:
    first = finished[1].document
    process = lab.spawn(
        "run", trial, "--headless", "--json", "--data-root", recordings, "--home", tmp_path, PYTHONHASHSEED="4711"
    )
    said = lab.ended(process)
    assert said.code == 0, said.err
    second = said.document
    assert second["journal"] == first["journal"]
    measured = {"latency_ms_p50", "latency_ms_p95"}
    for one, other in zip(first["desks"], second["desks"], strict=True):
        assert {name: value for name, value in one.items() if name not in measured} == {
            name: value for name, value in other.items() if name not in measured
        }


def test_a_finished_season_is_run_anew_beside_the_first(lab: Any, invented: Path, tmp_path: Path) -> None:
    heads, runs = [], []
    for _ in range(2):
        document = lab.call("run", invented, "--home", tmp_path, "--json").document
        heads.append(document["journal"]["head"])
        runs.append(document["run_id"])
    assert heads[0] == heads[1]
    assert runs[0] != runs[1]
    listed = lab.call("runs", "--home", tmp_path, "--json").document["runs"]
    assert [run["run_id"] for run in listed] == runs
    assert {run["status"] for run in listed} == {"finished"}
    latest = lab.call("standings", "--home", tmp_path, "--json").document
    assert latest["run_id"] == runs[1]


def test_another_seed_is_another_run(lab: Any, invented: Path, tmp_path: Path) -> None:
    first = lab.call("run", invented, "--home", tmp_path, "--json").document
    second = lab.call("run", invented, "--home", tmp_path, "--json", "--set", "season.seed=8").document
    assert first["rules_sha256"] != second["rules_sha256"]
    assert first["market"]["data_sha256"] != second["market"]["data_sha256"]
    assert first["journal"]["head"] != second["journal"]["head"]


def test_a_simulated_market_says_so_wherever_it_is_shown(lab: Any, invented: Path, tmp_path: Path) -> None:
    said = lab.call("run", invented, "--home", tmp_path)
    assert "SIMULATED market" in said.out
    assert "a simulated market" in said.err
    document = lab.call("standings", "--home", tmp_path, "--json").document
    assert document["market"]["kind"] == "simulated"
    assert document["market"]["simulated"] is True


def test_the_table_shows_what_is_not_known_as_such(lab: Any, invented: Path, tmp_path: Path) -> None:
    said = lab.call("run", invented, "--home", tmp_path, "--set", "season.end=2026-01-01T01:00:00Z")
    row = next(line for line in said.out.splitlines() if "voltarget" in line)
    assert "rules, no LLM" in row
    assert "n/a" in row
    assert "nan" not in said.out.lower()
    assert "-0.00 %" not in said.out


@pytest.mark.parametrize(
    ("name", "start", "end", "rounds", "instruments"),
    [
        ("october", "2025-10-17T00:00:00Z", "2025-10-17T03:00:00Z", 3, 3),
        ("spot", "2025-09-01T00:00:00Z", "2025-09-01T03:00:00Z", 3, 9),
        ("crash", "2024-08-05T00:00:00Z", "2024-08-05T00:20:00Z", 4, 2),
    ],
)
def test_the_seasons_of_the_house_run_on_recorded_candles(
    lab: Any, recordings: Path, tmp_path: Path, name: str, start: str, end: str, rounds: int, instruments: int
) -> None:
    said = lab.call(
        "run", CONFIG / "seasons" / f"{name}.toml", "--data-root", recordings, "--home", tmp_path, "--json",
        "--set", f"season.start={start}", "--set", f"season.end={end}",
    )  # fmt: skip
    assert said.code == 0, said.err
    document = said.document
    assert document["rounds_done"] == rounds
    assert len(document["desks"]) == 8
    assert all(desk["abstained"] == 0 for desk in document["desks"])
    assert any(desk["fills"] for desk in document["desks"])
    assert all(desk["forecasts"] == rounds * instruments for desk in document["desks"])
    verified = lab.call("journal", "verify", "--home", tmp_path, "--json")
    assert verified.code == 0
    assert verified.document["marks"] == 8 * (rounds + 1)


def test_what_the_command_line_sets_counts(lab: Any, invented: Path, tmp_path: Path) -> None:
    said = lab.call("run", invented, "--home", tmp_path, "--json", "--set", "desk.voltarget.model=house/buyhold")
    assert said.document["desks"][0]["models"]["executor"] == "house/buyhold"

"""The small verbs: help, standings, runs, data check, doctor, halt and resume, and what all of them have in common."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from agents.llm.house import house_models
from arena.commands.standings import print_standings

VERBS = (
    ("run",), ("serve",), ("standings",), ("runs",), ("journal", "verify"), ("journal", "export"), ("data", "check"),
    ("halt",), ("resume",), ("doctor",), ("risk", "report"), ("risk", "simulate"), ("limits", "list"),
    ("limits", "set"), ("limits", "override"), ("limits", "approve"), ("alerts", "list"), ("alerts", "ack"),
    ("approvals", "list"), ("approvals", "approve"), ("approvals", "reject"),
    ("features",), ("access", "add"), ("access", "token"), ("access", "list"), ("access", "passwd"),
    ("access", "revoke"), ("access", "remove"), ("access", "audit"),
    ("order", "place"), ("order", "list"),
)  # fmt: skip
HEAVY = (
    "litellm", "openai", "langgraph", "langchain_core", "gradio", "fastapi", "uvicorn", "pandas", "pyarrow", "numba",
    "scipy", "talib", "plotly", "arch", "numpy",
)  # fmt: skip
LIGHT_HELP = """
import sys, time
from arena.cli import app
try:
    app([*sys.argv[1:], "--help"], standalone_mode=False)
except SystemExit:
    pass
print(f"{time.process_time():.3f} s of the processor", *{name.partition(".")[0] for name in sys.modules}, sep="\\n")
"""


@pytest.mark.parametrize("verb", [(), ("run",)])
def test_help_answers_in_under_a_second_without_heavy_libraries(lab: Any, verb: tuple[str, ...]) -> None:
    said = lab.ended(lab.spawn(*verb, program=("-c", LIGHT_HELP)))
    assert said.code == 0, said.err
    page, _, rest = said.out.rpartition("\n0.")  # the time of a busy machine's clock would say nothing
    assert page.startswith("Usage:"), f"it took a second or more: {said.out[-2000:]}"
    assert not set(HEAVY) & set(rest.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_page_of_help(lab: Any, verb: tuple[str, ...]) -> None:
    said = lab.call(*verb, "--help")
    assert said.code == 0
    assert said.out.startswith("Usage:")
    if verb != ("serve",):
        assert "--json" in said.out


def test_halt_stands_until_resume_and_keeps_its_first_reason(lab: Any, invented: Path, tmp_path: Path) -> None:
    first = lab.call("halt", "--reason", "smoke in the\nserver room", "--home", tmp_path, "--json").document
    assert first["halted"] is True
    assert first["scope"] == "everything"
    assert first["reason"] == "smoke in the server room"
    assert isinstance(first["since_ms"], int)
    second = lab.call("halt", "--reason", "another", "--home", tmp_path, "--json").document
    assert second == first
    refused = lab.call("run", invented, "--home", tmp_path)
    assert refused.code == 4
    assert refused.err.count("\n") == 1
    assert "smoke in the server room" in refused.err
    assert "tradefloor resume --reason" in refused.err
    assert not (tmp_path / "runs").exists()
    problems = lab.call("doctor", "--home", tmp_path, "--json").document["problems"]
    assert any("smoke in the server room" in problem["what"] and "resume" in problem["do"] for problem in problems)
    cleared = lab.call("resume", "--reason", "it was toast", "--home", tmp_path, "--json").document
    assert cleared == {"halted": False, "cleared": [{"scope": "everything", "reason": "smoke in the server room"}]}
    assert lab.call("run", invented, "--home", tmp_path).code == 0


def test_resume_with_nothing_to_resume_and_reasons_that_say_nothing_are_refused(lab: Any, tmp_path: Path) -> None:
    for words in (("resume", "--reason", "x"), ("resume",), ("halt", "--reason", "  ")):
        said = lab.call(*words, "--home", tmp_path)
        assert said.code == 2
        assert said.err.count("\n") == 1


def test_a_halt_that_cannot_be_latched_is_never_reported_as_one(lab: Any, invented: Path) -> None:
    said = lab.call("halt", "--home", invented)
    assert said.code == 2
    assert "NOT HALTED" in said.err
    assert said.out == ""


def test_a_damaged_latch_halts_and_can_be_resumed(lab: Any, invented: Path, tmp_path: Path) -> None:
    (tmp_path / "halts").mkdir()
    (tmp_path / "halts" / "everything.json").write_text("{")
    assert lab.call("run", invented, "--home", tmp_path).code == 4
    assert lab.call("resume", "--reason", "mended", "--home", tmp_path).code == 0
    assert lab.call("run", invented, "--home", tmp_path).code == 0


def test_standings_and_runs_speak_of_the_finished_run(finished: Any, lab: Any) -> None:
    home, said = finished
    assert lab.call("standings", "--home", home, "--json").document == said.document
    assert lab.call("standings", said.document["run_id"], "--home", home, "--json").document == said.document
    runs = lab.call("runs", "--home", home, "--json").document["runs"]
    assert runs == [
        {
            "run_id": said.document["run_id"], "season": "trial", "market": "replay", "status": "finished",
            "rules_sha256": said.document["rules_sha256"],
        }
    ]  # fmt: skip
    table = lab.call("standings", "--home", home).out
    assert "recorded market" in table
    assert f"round {lab.rounds} of {lab.rounds}" in table
    for desk in said.document["desks"]:
        assert re.search(rf"^ *[12](-2)? +{desk['desk']} +rules, no LLM", table, re.MULTILINE), table


def test_runs_without_any_says_how_to_start_one(lab: Any, tmp_path: Path) -> None:
    assert lab.call("runs", "--home", tmp_path, "--json").document == {"runs": []}
    assert "tradefloor run" in lab.call("runs", "--home", tmp_path).out


def test_data_check_reports_each_file(lab: Any, recordings: Path, tmp_path: Path) -> None:
    good = recordings / "ohlcv" / "binance-perp" / "SOL-USDT-PERP-1h.parquet"
    bad = tmp_path / "ETH-USDT-1h.csv"
    rows = ["2025-01-01T00:00:00Z,5,6,4,5,1", "2025-01-01T01:00:00Z,5,3,4,5,1", "2025-01-01T01:00:00Z,5,6,4,5,1"]
    bad.write_text("\n".join(["ts,open,high,low,close,volume", *rows]) + "\n")
    said = lab.call("data", "check", good, tmp_path, "--json")
    assert said.code == 1
    first, second = said.document["files"]
    assert first["path"] == str(good)
    assert first["ok"] is True
    assert first["rows"] > 10_000
    assert first["problems"] == []
    assert isinstance(first["gaps"], int)
    assert isinstance(first["missing_bars"], int)
    assert second["ok"] is False
    assert {problem["row"] for problem in second["problems"]} >= {1, 2}
    assert all(problem["reason"] for problem in second["problems"])
    plain = lab.call("data", "check", bad)
    assert plain.code == 1
    assert plain.out.startswith("BAD")
    assert lab.call("data", "check", good).code == 0


def test_data_check_of_nothing_is_refused(lab: Any, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.parquet"):
        said = lab.call("data", "check", path)
        assert said.code == 2
        assert str(path) in said.err


def test_doctor_names_values_sources_models_and_remedies(lab: Any, tmp_path: Path) -> None:
    said = lab.call(
        "doctor", "--home", tmp_path / "home", "--json",
        TRADEFLOOR_PORT="7999", TRADEFLOOR_DATA=str(tmp_path / "gone"), TRADEFLOOR_DATABASE_URL="postgresql://u:pw@h/d",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "pw" not in said.out + said.err
    document = said.document
    settings = {row["key"]: (row["value"], row["source"]) for row in document["settings"]}
    assert settings["home"] == (str(tmp_path / "home"), "command line")
    assert settings["port"] == ("7999", "TRADEFLOOR_PORT")
    assert settings["host"] == ("127.0.0.1", "default")
    assert settings["database_url"] == ("set", "TRADEFLOOR_DATABASE_URL")
    models = {row["id"]: row for row in document["models"]}
    assert set(house_models()) <= set(models)
    assert all(models[name]["usable"] and models[name]["missing"] == [] for name in house_models())
    assert document["venues"][0]["id"] == "simulated"
    assert any("gone" in problem["what"] and problem["do"] for problem in document["problems"])
    assert not (tmp_path / "home").exists(), "asking changes nothing"


def test_doctor_survives_what_it_diagnoses(lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "seasons").mkdir()
    (tmp_path / "seasons" / "broken.toml").write_text("[season")
    (tmp_path / "limits.toml").write_text("max_leverage = 'much'")
    monkeypatch.setattr("arena.diagnosis.CONFIG", tmp_path)
    home = tmp_path / "seasons" / "broken.toml"
    problems = lab.call("doctor", "--home", home, "--json").document["problems"]
    found = " ".join(problem["what"] for problem in problems)
    assert "broken.toml: not TOML" in found
    assert "max_leverage" in found
    assert f"{home} cannot be written" in found
    plain = lab.call("doctor", "--home", home)
    assert plain.code == 0
    assert plain.out.count("     do: ") == len(problems)


def test_a_dot_env_file_counts_where_the_command_is_given(lab: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"TRADEFLOOR_HOME={tmp_path / 'elsewhere'}\nTRADEFLOOR_PORT=\n")
    said = lab.ended(lab.spawn("standings", "nowhere", folder=tmp_path))
    assert said.code == 2
    assert str(tmp_path / "elsewhere" / "runs") in said.err


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_a_table_never_cuts_a_number(finished: Any, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.commands.standings.WIDTH", width)
    out = io.StringIO()
    with redirect_stdout(out):
        print_standings(finished[1].document)
    table = out.getvalue()
    assert "\N{HORIZONTAL ELLIPSIS}" not in table
    assert max(map(len, table.splitlines()[2:-3])) <= width
    for desk in finished[1].document["desks"]:
        row = next(line for line in table.splitlines() if f" {desk['desk']} " in line)
        assert f"{desk['return'] * 100:+.2f} %" in row
    assert ("Left out for want of width" in table) == (width < 140)

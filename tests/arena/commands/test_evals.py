"""The eval verbs from the outside: run, compare, gate, rescore, leaderboard."""

import json
from pathlib import Path

import pytest

from arena import cli


def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["tradefloor", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture
def tradefloor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def run(*arguments: str) -> tuple[int, str, str]:
        return call(capsys, monkeypatch, *arguments, "--home", str(tmp_path / "home"))

    return run


def test_run_compare_gate_and_rescore(tradefloor) -> None:
    run = ["eval", "run", "decisions", "--variant", "a=house/momentum", "--variant", "b=house/random", "--cases", "8"]
    code, out, _ = tradefloor(*run, "--json")
    assert code == 0
    assert json.loads(out)["attempts"] == {"found": 0, "done": 16, "errors": 0, "unpaid": 0}
    code, out, _ = tradefloor(*run, "--json")
    assert json.loads(out)["attempts"]["found"] == 16
    code, out, _ = tradefloor("eval", "compare", "a", "b", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["verdict"] in ("better", "worse", "not separable")
    assert found["n"] == 8
    assert found.keys() >= {"difference", "ci95", "p_value", "n_needed", "wins", "ties", "losses"}
    code, out, _ = tradefloor("eval", "gate", "a", "--baseline", "a", "--json")
    assert (code, json.loads(out)["passed"]) == (0, True)
    code, out, err = tradefloor("eval", "gate", "b", "--baseline", "a", "--protect", "grounded")
    assert (code, "FAILS" in out, "grounded" in err) == (100, True, True)
    code, out, _ = tradefloor("eval", "rescore", "decisions", "--json")
    assert json.loads(out) == {"suite": "decisions", "scored": 16, "strange": 0}
    code, out, _ = tradefloor("eval", "list", "--json")
    assert next(row for row in json.loads(out)["suites"] if row["suite"] == "decisions")["attempts"] == 16


def test_held_out_looks_are_counted(tradefloor) -> None:
    run = ["eval", "run", "decisions", "--variant", "a=house/momentum", "--cases", "6", "--split", "heldout", "--json"]
    assert json.loads(tradefloor(*run)[1])["looks"] == {"a": 1}
    assert json.loads(tradefloor(*run)[1])["looks"] == {"a": 2}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["eval", "run", "nonsense", "--variant", "house/momentum"], "no suite"),
        (["eval", "run", "decisions", "--variant", "house/nobody"], "the house has"),
        (["eval", "run", "decisions", "--variant", "openai/gpt-5"], "OPENAI_API_KEY"),
        (["eval", "run", "decisions", "--variant", "="], "expected MODEL"),
        (["eval", "run", "decisions", "--variant", "house/momentum", "--split", "secret"], "secret"),
        (["eval", "compare", "a", "b"], "eval run"),
        (["eval", "compare", "a", "b", "--scorer", "nonsense"], "no scorer"),
        (["eval", "gate", "a", "--suite", "nonsense"], "no suite"),
        (["leaderboard", "--regime", "sideways"], "expected one of"),
        (["leaderboard", "--after", "tomorrow"], "ISO 8601"),
        (["leaderboard", "--format", "pdf"], "expected one of"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(tradefloor, arguments: list[str], said: str) -> None:
    code, out, err = tradefloor(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_the_leaderboard_of_a_short_season(tradefloor, tmp_path: Path) -> None:
    path = tmp_path / "season.toml"
    path.write_text(
        '[season]\nname = "short"\nseed = 1\nstart = 2025-01-01T00:00:00Z\nend = 2025-01-02T00:00:00Z\nevery = "4h"\n'
        'capital = 10000\nmode = "balanced"\n[market]\nkind = "simulated"\nstep = "1h"\n'
        'instruments = ["BTC-USDT-PERP"]\n'
        '[[desk]]\nname = "a"\nmodel = "house/momentum"\n[[desk]]\nname = "b"\nmodel = "house/random"\n'
    )
    assert tradefloor("run", str(path), "--headless")[0] == 0
    code, out, _ = tradefloor("leaderboard", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["trials"] == 2
    assert found["simulated"] is True
    assert {desk["desk"]: desk["rank"] for desk in found["desks"]} == {"a": None, "b": None}
    assert "unranked" in tradefloor("leaderboard")[1]
    assert tradefloor("leaderboard", "--format", "csv")[1].startswith("desk,")
    assert tradefloor("leaderboard", "--format", "markdown")[1].startswith("| Rank |")


def test_every_suite_runs_on_a_house_desk(tradefloor) -> None:
    for suite in ("tool_use", "consistency", "injection", "leakage", "risk_discipline"):
        code, out, err = tradefloor("eval", "run", suite, "--variant", "a=house/momentum", "--cases", "3", "--json")
        assert code == 0, err
        found = json.loads(out)
        assert found["attempts"]["done"] == 3
        assert found["variants"][0]["rule_based"]
    code, out, _ = tradefloor("eval", "twins", "consistency", "a", "--json")
    assert code == 0
    assert [row["alteration"] for row in json.loads(out)["twins"]] == ["paraphrase", "reorder"]


def test_ablation_in_one_command(tradefloor) -> None:
    ablate = ["eval", "ablate", "--variant", "a=house/momentum", "--cases", "2", "--without", "analyst"]
    code, out, err = tradefloor(*ablate, "--without", "tools", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["attempts"]["done"] == 6
    assert [row["without"] for row in document["ablations"]] == ["analyst", "tools"]
    for row in document["ablations"]:
        assert row["verdict"] == "not separable"
        assert row["saved"]["usd"] == 0.0
    code, out, _ = tradefloor(*ablate)
    assert (code, out.count("without ")) == (0, 1)


SEASON = """
[season]
name = "again"
seed = 3
start = 2026-01-01T00:00:00Z
end = 2026-01-01T03:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[[desk]]
name = "random"
model = "house/random"
"""


def test_seasons_are_repeated_once_and_found_again(tradefloor, tmp_path: Path) -> None:
    path = tmp_path / "again.toml"
    path.write_text(SEASON, "utf-8")
    later = "2026-02-01T00:00:00Z..2026-02-01T03:00:00Z"
    play = ["eval", "seasons", str(path), "--window", later, "--window", "2026-01-01T00:00:00Z..2026-01-01T03:00:00Z"]
    code, out, err = tradefloor(*play, "--repeat", "2", "--mask", "5", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert [(row["repeat"], row["seed"], row["mask"], row["found"]) for row in document["seasons"]] == [
        (0, 3, 5, False),
        (1, 4, 6, False),
    ] * 2
    assert [desk["seasons"] for desk in document["desks"]] == [4]
    again = json.loads(tradefloor(*play, "--repeat", "2", "--mask", "5", "--json")[1])
    assert all(row["found"] for row in again["seasons"])
    assert [row["returns"] for row in again["seasons"]] == [row["returns"] for row in document["seasons"]]
    more = json.loads(tradefloor(*play, "--repeat", "3", "--mask", "5", "--json")[1])
    assert [row["found"] for row in more["seasons"]] == [True, True, False] * 2
    board = json.loads(tradefloor("leaderboard", "--json")[1])
    assert [desk["seasons"] for desk in board["desks"]] == [6]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ablate", "--variant", "house/momentum", "--without", "lunch"], "no lunch to leave out"),
        (["ablate", "--variant", "house/momentum", "--suite", "nonsense"], "no suite"),
        (["ablate", "--variant", "house/momentum", "--scorer", "charm"], "no scorer"),
        (["ablate", "--variant", "house/nobody"], "the house has"),
        (["twins", "decisions", "a"], "no dev cases with a twin"),
        (["twins", "leakage", "a"], "eval run"),
        (["twins", "leakage", "a", "--after", "soon"], "soon"),
        (["seasons", "nowhere.toml"], "no such file"),
        (["seasons", "SEASON", "--window", "yesterday"], "START..END"),
        (["seasons", "SEASON", "--window", "2026-01-01..2026-01-02"], "--window"),
        (["seasons", "SEASON", "--window", "2026-01-02T00:00:00Z..2026-01-01T00:00:00Z"], "later than start"),
        (
            ["seasons", "SEASON", "--repeat", "1000", *["--window", "2026-01-01T00:00:00Z..2026-01-02T00:00:00Z"] * 3],
            "2000",
        ),
        (["seasons", "SEASON", "--set", "market.mask=-1"], "mask"),
    ],
)
def test_rubbish_to_the_new_verbs_is_one_line(tradefloor, tmp_path: Path, arguments: list[str], said: str) -> None:
    path = tmp_path / "again.toml"
    path.write_text(SEASON, "utf-8")
    code, _, err = tradefloor("eval", *[str(path) if word == "SEASON" else word for word in arguments])
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "home" / "runs").exists()

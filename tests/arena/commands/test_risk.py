"""``risk``: figures that numpy gives too, parts that add up, a run's desks, and one line for each thing wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trading.domain import parse_instant, to_ms
from trading.marketdata import read_candles

AT = "2025-06-01T00:00:00Z"
HELD = {"BTC-USDT": 0.5, "ETH-USDT": -3.0}


@pytest.fixture
def candles(recordings: Path) -> str:
    return str(recordings / "ohlcv" / "binance" / "*-USDT-1h.parquet")


@pytest.fixture
def positions(tmp_path: Path) -> Path:
    rows = [{"instrument": symbol, "quantity": str(quantity)} for symbol, quantity in HELD.items()]
    path = tmp_path / "positions.json"
    path.write_text(json.dumps({"cash": "1000", "positions": rows}), "utf-8")
    return path


def test_a_positions_file_by_numpy(lab: Any, positions: Path, candles: str, recordings: Path) -> None:
    said = lab.call("risk", "report", "--positions", positions, "--data", candles, "--at", AT, "--json")
    assert said.code == 0, said.err
    found = said.document
    at_ms = to_ms(parse_instant(AT))
    closes = {}
    for symbol in HELD:
        series = read_candles(recordings / "ohlcv" / "binance" / f"{symbol}-1h.parquet")
        closes[symbol] = series.between(at_ms - 365 * 86_400_000, at_ms).close
    equity = 1000 + sum(quantity * closes[symbol][-1] for symbol, quantity in HELD.items())
    returns = sum(
        quantity * closes[symbol][-1] / equity * (closes[symbol][24:] / closes[symbol][:-24] - 1)
        for symbol, quantity in HELD.items()
    )
    assert float(found["equity"]) == pytest.approx(equity, rel=1e-9)
    assert found["observations"] == len(returns)
    for level in (0.95, 0.99):
        quantile = np.quantile(returns, 1 - level)
        assert found["var"]["historical"][str(level)] == pytest.approx(-quantile, rel=1e-6)
        assert found["cvar"]["historical"][str(level)] == pytest.approx(-returns[returns <= quantile].mean(), rel=1e-6)
    for method in ("historical", "parametric", "cornish_fisher", "filtered", "monte_carlo"):
        assert 0 < found["var"][method]["0.95"] < found["var"][method]["0.99"] < found["cvar"][method]["0.99"] < 1
    assert sum(row["component_var"] for row in found["components"]) == pytest.approx(found["var"]["parametric"]["0.99"])
    assert found["correlation"]["matrix"][0][1] == pytest.approx(0.8, abs=0.15)
    assert found["backtest"]["parametric"]["passes"] is False
    assert {row["shock"] for row in found["stress"]} >= {"prices -10 %", "correlation to one"}


def test_it_says_the_same_twice_and_speaks_to_people(lab: Any, positions: Path, candles: str) -> None:
    words = ("risk", "report", "--positions", positions, "--data", candles, "--at", AT)
    assert lab.call(*words, "--json").out == lab.call(*words, "--json").out
    plain = lab.call(*words)
    assert "monte carlo" in plain.out
    assert "component VaR" in plain.out


def test_what_comes_after_the_instant_makes_no_difference(
    lab: Any, positions: Path, recordings: Path, tmp_path: Path
) -> None:
    import pandas as pd

    folder = tmp_path / "changed"
    folder.mkdir()
    for symbol in HELD:
        table = pd.read_parquet(recordings / "ohlcv" / "binance" / f"{symbol}-1h.parquet")
        later = table["ts"] >= pd.Timestamp(AT).tz_localize(None)
        table.loc[later, ["open", "high", "low", "close"]] *= 2
        table.to_parquet(folder / f"{symbol}-1h.parquet")
    words = ("risk", "report", "--positions", positions, "--at", AT, "--json", "--data")
    before = lab.call(*words, str(recordings / "ohlcv" / "binance" / "*-USDT-1h.parquet"))
    after = lab.call(*words, str(folder / "*.parquet"))
    assert after.code == 0, after.err
    assert after.out == before.out


def test_too_short_a_past_is_unknown_not_zero(lab: Any, positions: Path, candles: str) -> None:
    said = lab.call(
        "risk", "report", "--positions", positions, "--data", candles, "--at", AT, "--lookback", "7d", "--json"
    )
    assert said.code == 0, said.err
    assert said.document["var"]["historical"] == {"0.95": None, "0.99": None}
    assert said.document["var"]["filtered"]["0.99"] is None
    assert any("too few" in note for note in said.document["notes"])


def test_a_run_and_its_desks(lab: Any, finished: Any, recordings: Path) -> None:
    home, said = finished
    report = lab.call(
        "risk",
        "report",
        said.document["run_id"],
        "--home",
        home,
        "--data-root",
        recordings,
        "--lookback",
        "90d",
        "--json",
    )
    assert report.code == 0, report.err
    found = report.document
    assert float(found["equity"]) == pytest.approx(sum(float(d["equity_end"]) for d in said.document["desks"]))
    if found["components"]:
        assert {row["desk"] for row in found["desks"]} == {"momentum", "random"}
        parts = sum(row["component_var"] for row in found["desks"])
        assert parts == pytest.approx(found["var"]["parametric"]["0.99"])
    assert found["margin"]["used"] < 1


def test_a_run_s_season_is_judged_and_its_page_written(
    lab: Any, finished: Any, recordings: Path, tmp_path: Path
) -> None:
    home, said = finished
    page = tmp_path / "report.html"
    words = ("risk", "report", said.document["run_id"], "--home", home, "--data-root", recordings)
    report = lab.call(*words, "--propose", "SOL-USDT-PERP=-5", "--html", page, "--json")
    assert report.code == 0, report.err
    found = report.document
    judged = found["season_backtest"]
    assert judged["horizon_s"] == 3600
    assert judged["reason"] or {row["desk"] for row in judged["desks"]} <= {"momentum", "random"}
    assert found["proposal"]["after"]["net"] < found["proposal"]["before"]["net"]
    assert page.read_text("utf-8").startswith("<!doctype html>")
    plain = lab.call(*words)
    assert "back-test of the season" in plain.out
    assert "margin used" in plain.out
    strange = lab.call(*words, "--propose", "NONE-USDT=1")
    assert (strange.code, strange.out) == (2, "")
    assert "NONE-USDT" in strange.err


def test_the_past_again_and_shocks_by_position(lab: Any, positions: Path, candles: str) -> None:
    found = lab.call("risk", "report", "--positions", positions, "--data", candles, "--at", AT, "--json").document
    named = {row["window"]: row for row in found["windows"]}
    # By the candles of both days: BTC fell by 29.7 %, ETH by 31.0 % from the close before 12 March 2020.
    assert {"March 2020", "5 August 2024", "worst 1"} <= set(named)
    assert "10 October 2025" not in named
    assert named["worst 1"]["loss"] > named["worst 2"]["loss"] > 0
    for row in (*found["windows"], *found["stress"]):
        assert sum(row["positions"].values()) == pytest.approx(-row["loss"], abs=1e-12)
    assert found["concentration"]["effective_bets"] == pytest.approx(1.5, abs=0.5)
    assert found["backtest"]["parametric"]["verdict"].startswith("fails: too many losses")


def test_options_are_valued_anew_by_shocks(lab: Any, tmp_path: Path, candles: str) -> None:
    path = tmp_path / "options.json"
    put = {"option": "BTC-27JUN25-100000-P", "quantity": "1", "volatility": "0.5"}
    coin = {"instrument": "BTC-USDT", "quantity": "1"}
    path.write_text(json.dumps({"cash": "0", "positions": [coin], "options": [put]}), "utf-8")
    words = ("risk", "report", "--positions", path, "--data", candles, "--at", AT)
    found = lab.call(*words, "--json").document
    (greeks,) = found["options"]["by_coin"].values()
    assert -0.5 < greeks["delta"] < -0.2
    assert greeks["gamma_1pct"] > 0 > greeks["theta_1d"]
    assert found["components"][0]["weight"] == pytest.approx(
        (1 + greeks["delta"]) * (float(found["equity"]) - greeks["value"]) / float(found["equity"])
    )
    fall = next(row for row in found["stress"] if row["shock"] == "prices -30 %")
    # A coin and a put on it: below the strike the loss ends.
    floor = 100_000 / float(found["equity"]) - 1
    assert -fall["loss"] == pytest.approx(floor, abs=0.01)
    assert any("delta" in note for note in found["notes"])
    assert "options on BTC" in lab.call(*words).out


def test_a_scenario_of_a_file(lab: Any, positions: Path, candles: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nvolatility = 0\nshock = -0.5\n[shock_by_base]\nETH = 0.0\n', "utf-8")
    page = tmp_path / "fan.html"
    words = ("risk", "simulate", "--positions", positions, "--data", candles, "--at", AT, "--paths", 500)
    said = lab.call(*words, "--scenario", path, "--html", page, "--json")
    assert said.code == 0, said.err
    assert said.document["scenario"] == "mine"
    btc = lab.call("risk", "report", "--positions", positions, "--data", candles, "--at", AT, "--json").document
    weight = next(row["weight"] for row in btc["components"] if row["instrument"] == "BTC-USDT")
    assert said.document["terminal"]["0.5"] == pytest.approx(1 - 0.5 * weight)
    assert "polygon" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name", "not TOML"),
        ('name = "x"\nshock = -1.0', "shock"),
        ('name = "x"\nvolatility = nan', "volatility"),
        ('name = "x"\nspeed = 1', "speed"),
        ("drift = 1.0", "name"),
        ('name = "x"\n[shock_by_base]\nbtc = 0.1', "shock_by_base"),
    ],
)
def test_a_wrong_scenario_file(
    lab: Any, positions: Path, candles: str, tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(content, "utf-8")
    call = ("risk", "simulate", "--positions", positions, "--data", candles, "--at", AT, "--scenario")
    said = lab.call(*call, path)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1
    assert "no such file" in lab.call(*call, tmp_path / "none.toml").err


def test_capital_of_a_run(lab: Any, finished: Any) -> None:
    home, said = finished
    run_id = said.document["run_id"]
    found = lab.call("risk", "allocate", run_id, "--home", home, "--cap", "0.6", "--json").document
    assert sum(row["share"] for row in found["desks"]) == pytest.approx(1)
    assert not found["moved"]
    assert "chance" in found["reason"]
    assert "capital stays" in lab.call("risk", "allocate", run_id, "--home", home, "--cap", "0.6").out
    for option, value, words in (
        ("--cap", "0.3", "no shares"),
        ("--horizon", "90m", "whole number"),
        ("--cost", "nan", "finite"),
    ):
        wrong = lab.call("risk", "allocate", run_id, "--home", home, option, value)
        assert (wrong.code, wrong.out, wrong.err.count("\n")) == (2, "", 1)
        assert words in wrong.err


def test_a_simulated_run(lab: Any, invented: Path, tmp_path: Path) -> None:
    played = lab.call("run", invented, "--home", tmp_path, "--json")
    assert played.code == 0, played.err
    report = lab.call("risk", "report", played.document["run_id"], "--home", tmp_path, "--json")
    assert report.code == 0, report.err
    assert report.document["source"] == "simulated"


@pytest.mark.parametrize("model", ["gbm", "bootstrap", "garch", "jumps", "regimes"])
def test_simulate(lab: Any, positions: Path, candles: str, model: str) -> None:
    words = ("risk", "simulate", "--positions", positions, "--data", candles, "--at", AT, "--paths", 2000, "--json")
    said = lab.call(*words, "--model", model)
    assert said.code == 0, said.err
    found = said.document
    assert (found["model"], found["scenario"], found["paths"]) == (model, "baseline", 2000)
    assert 0.8 < found["terminal"]["0.5"] < 1.2
    assert len(found["fan"]["0.5"]) == 31
    crash = lab.call(*words, "--model", model, "--scenario", "crash").document
    assert crash["terminal"]["0.05"] < found["terminal"]["0.05"]
    assert lab.call(*words, "--model", model, "--seed", 1).out != said.out


def test_a_scenario_of_ones_own(lab: Any, positions: Path, candles: str) -> None:
    words = ("risk", "simulate", "--positions", positions, "--data", candles, "--at", AT, "--paths", 500)
    said = lab.call(*words, "--scenario", "custom", "--shock", "-0.5", "--volatility", "0", "--json")
    assert said.code == 0, said.err
    assert said.document["terminal"]["0.01"] == pytest.approx(said.document["terminal"]["0.99"])
    assert "VaR 99 %" in lab.call(*words).out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[]", "expected"),
        ('{"cash": "1", "positions": [], "extra": 1}', "extra"),
        ('{"cash": "1", "positions": []}', "no positions"),
        ('{"cash": "NaN", "positions": []}', "cash"),
        ('{"cash": "1", "positions": [{"instrument": "BTC", "quantity": "1"}]}', "BASE-QUOTE"),
        ('{"cash": "1", "positions": [{"instrument": "BTC-USDT", "quantity": "x"}]}', "quantity"),
        ('{"cash": "1", "positions": [{"instrument": "NONE-USDT", "quantity": "1"}]}', "NONE-USDT"),
        ('{"cash": "-1e9", "positions": [{"instrument": "BTC-USDT", "quantity": "1"}]}', "equity"),
        (
            '{"cash": "1", "positions": [{"instrument": "BTC-USDT", "quantity": "1"},'
            ' {"instrument": "BTC-USDT", "quantity": "2"}]}',
            "more than once",
        ),
        ('{"cash": "1", "positions": [], "options": [{"option": "BTC", "quantity": "1", "volatility": 1}]}', "option"),
        (
            '{"cash": "1", "positions": [], "options":'
            ' [{"option": "BTC-1JAN20-1-C", "quantity": "1", "volatility": 0.5}]}',
            "expired",
        ),
        (
            '{"cash": "1", "positions": [], "options":'
            ' [{"option": "BTC-26DEC25-1-C", "quantity": "1", "volatility": -1}]}',
            "volatility",
        ),
        (
            '{"cash": "1", "positions": [{"instrument": "BTC-USDT", "quantity": "1"},'
            ' {"instrument": "BTC-USDC", "quantity": "2"}]}',
            "one currency",
        ),
    ],
)
def test_a_wrong_positions_file(lab: Any, tmp_path: Path, candles: str, content: str, words: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content, "utf-8")
    said = lab.call("risk", "report", "--positions", path, "--data", candles, "--at", AT)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--horizon", "90m"), "whole number of bars"),
        (("--horizon", "soon"), "duration"),
        (("--at", "2025-06-01"), "zone"),
        (("--at", "2010-01-01T00:00:00Z"), "no bar"),
        (("some-run",), "both"),
        (("--propose", "BTC-USDT"), "INSTRUMENT=QUANTITY"),
        (("--propose", "BTC-USDT=many"), "INSTRUMENT=QUANTITY"),
        (("--propose", "BTC-USDT=1e400"), "INSTRUMENT=QUANTITY"),
        (("--propose", "BTC=1"), "BASE-QUOTE"),
        (("--html", "/no/such/folder/page.html"), "cannot be written"),
    ],
)
def test_a_wrong_question(
    lab: Any, positions: Path, candles: str, options: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    said = lab.call("risk", "report", "--positions", positions, "--data", candles, "--home", tmp_path, *options)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model", "prophecy"), "expected one of gbm"),
        (("--scenario", "doom"), "expected one of baseline"),
        (("--shock", "-0.1"), "belongs to --scenario custom"),
        (("--scenario", "custom", "--shock", "-1"), "shocks above -1"),
        (("--scenario", "custom", "--drift", "nan"), "finite"),
        (("--paths", "1"), "--paths"),
        (("--step", "7h"), "whole number of steps"),
        (("--lookback", "30d"), "look back further"),
    ],
)
def test_a_wrong_simulation(lab: Any, positions: Path, candles: str, options: tuple[str, ...], words: str) -> None:
    said = lab.call("risk", "simulate", "--positions", positions, "--data", candles, "--at", AT, *options)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1


def test_nothing_to_look_at(lab: Any, positions: Path, tmp_path: Path) -> None:
    assert "neither" in lab.call("risk", "report").err
    said = lab.call("risk", "report", "--positions", positions, "--home", tmp_path)
    assert said.code == 2
    assert "--data" in said.err

"""``train``, ``forecast``, ``importance`` and ``models``: one model from candles to a scored forecast, and rubbish."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from arena.seasons.forecast_board import forecast_board
from trading.marketdata import SimulationSpec, simulate

HOUR_MS = 3_600_000
START_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
SYMBOL = "BTC-USDT"
UNTIL, LATER = "2025-05-01T00:00:00Z", "2025-05-03T00:00:00Z"
TRAIN = ("train", SYMBOL, "--horizon", "4h", "--until", UNTIL, "--folds", "2", "--json")


def write(folder: Path, name: str, rows: list[list[float]]) -> Path:
    path = folder / name
    lines = [",".join(map(repr, row)) for row in rows]
    path.write_text("\n".join(["ts,open,high,low,close,volume", *lines]), "utf-8")
    return path


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated hourly candles of 125 days, imported as a CSV file."""
    tape = simulate(
        SimulationSpec(symbols=(SYMBOL,), start_ms=START_MS, end_ms=START_MS + 3000 * HOUR_MS, step_ms=HOUR_MS, seed=7)
    )
    prices = (tape.open[0], tape.high[0], tape.low[0], tape.close[0], tape.volume[0])
    rows = [list(row) for row in zip(tape.open_ms.tolist(), *(column.tolist() for column in prices), strict=True)]
    return write(tmp_path_factory.mktemp("candles"), f"{SYMBOL}-1h.csv", rows)


def spoken(lab: Any, candles: Path, folder: Path, start: str) -> float:
    """The first probability that the forecaster of a season from ``start`` on passes on."""
    day = start[:10]
    season = folder / f"{day}.toml"
    season.write_text(
        f"""[season]
name = "spoken-{day}"
seed = 1
start = {start}
end = {day}T03:00:00Z
every = "1h"
capital = 10000

[market]
kind = "replay"
paths = ["{candles}"]
instruments = ["{SYMBOL}"]

[[desk]]
name = "momentum"
model = "house/momentum"
""",
        "utf-8",
    )
    run = lab.call("run", season, "--json", "--home", folder / "home")
    assert run.code == 0, run.err
    to = folder / day
    assert lab.call("journal", "export", run.document["run_id"], "--to", to, "--home", folder / "home").code == 0
    table = pq.read_table(next(to.rglob("forecasts.parquet")))
    return float(table["p_up"][0].as_py())


@pytest.mark.slow
def test_from_candles_to_a_scored_forecast(lab: Any, candles: Path, tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home")
    answer = lab.call(*TRAIN, "--data", candles, *home)
    assert answer.code == 0, answer.err
    trained = answer.document
    assert set(trained) >= {"model_id", "folds", "metrics", "ci95", "baselines"}
    assert (trained["too_good"], trained["cpcv"]) == ({}, None)
    assert set(trained["metrics"]) >= {"accuracy", "auc", "brier_skill", "crps_skill", "coverage90", "break_even_bps"}
    assert len(trained["folds"]) == 2
    assert set(trained["baselines"]) == {"climatology", "naive", "drift", "ewma", "har", "garch"}
    assert trained["trained_to"] == UNTIL
    assert "train BTC-USDT 4h:" in answer.err

    asked = ("forecast", SYMBOL, "--horizon", "4h", "--data", candles, "--json", *home)
    said = lab.call(*asked, "--at", UNTIL).document
    fields = {"symbol", "interval", "current_price", "predicted_price", "change_pct", "p_up", "quantiles", "confidence"}
    assert set(said) >= fields | {"model_id", "model_type", "validation", "features_used"}
    assert said["model_id"] == trained["model_id"]
    assert said["validation"]["metrics"] == trained["metrics"]
    assert said["validation"]["record"]["issued"] == 1
    assert said["quantiles"]["0.05"] < said["quantiles"]["0.5"] < said["quantiles"]["0.95"]
    assert said["quantiles"]["0.5"] == said["predicted_price"]
    assert 0.5 <= said["confidence"] < 1

    before = lab.call(*asked, "--at", "2025-04-30T00:00:00Z").document
    assert before["model_id"] == "volatility_scaled"  # the model learnt from later bars and keeps silent
    named = lab.call(*asked, "--at", "2025-04-30T00:00:00Z", "--model", trained["model_id"])
    assert (named.code, "learnt from bars up to" in named.err) == (2, True)

    listed = lab.call("models", "list", "--json", *home).document
    assert [row["model_id"] for row in listed["models"]] == [trained["model_id"]]
    lab.call("models", "promote", trained["model_id"], "--reason", "a test", *home)
    assert lab.call("models", "list", "--json", *home).document["models"][0]["stage"] == "champion"
    assert spoken(lab, candles, tmp_path, UNTIL) == pytest.approx(said["p_up"], rel=1e-5)
    assert spoken(lab, candles, tmp_path, "2025-04-30T00:00:00Z") == pytest.approx(before["p_up"], rel=1e-5)
    assert lab.call("models", "rollback", trained["model_id"], "--reason", "a test", *home).code == 0

    scored = lab.call("models", "score", SYMBOL, "--data", candles, "--json", *home).document
    ended = {row["model_id"]: row["ended"] for row in scored["scores"]}
    assert ended == {trained["model_id"]: 1, "volatility_scaled": 2, "climatology": 2}


@pytest.mark.slow
@pytest.mark.timeout(300)  # it trains twice
def test_a_champion_is_made_anew_in_a_process_of_its_own(lab: Any, candles: Path, tmp_path: Path) -> None:
    home = ("--home", tmp_path / "home")
    trained = lab.call(*TRAIN, "--promote", "never", "--data", candles, *home).document
    lab.call("models", "promote", trained["model_id"], "--reason", "a test", *home)
    look = ("retrain", SYMBOL, "--data", candles, "--json", *home)
    (kept,) = lab.call(*look, "--until", UNTIL).document["models"]
    assert (kept["champion"], kept["reason"], kept["made"]) == (trained["model_id"], None, None)
    (made,) = lab.call(*look, "--every", "1d").document["models"]
    assert "more than 1d ago" in made["reason"]
    assert made["made"] not in (None, trained["model_id"])
    assert made["speaks"] in (made["made"], trained["model_id"])
    board = forecast_board({}, tmp_path / "home")
    assert board.trouble is None
    assert {row.model_id for row in board.models} >= {made["made"], made["speaks"]} - {None}


@pytest.mark.slow
def test_importance_in_the_shape_of_the_mission(lab: Any, candles: Path, tmp_path: Path) -> None:
    found = lab.call(
        "importance",
        SYMBOL,
        "--target",
        "volatility",
        "--folds",
        "2",
        "--seeds",
        "1",
        "--data",
        candles,
        "--json",
        "--home",
        tmp_path,
    ).document
    assert found["analysis_type"] == "feature_importance"
    assert len(found["top_features_permutation"]) == 10
    assert sum(found["top_categories"].values()) == pytest.approx(1.0)
    assert set(found["recommendations"]) >= {"features_to_prioritize", "categories_to_reconsider"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "ETH-USDT"), "no 1h candles of ETH-USDT in the data; there are BTC-USDT 1h"),
        (("train", SYMBOL, "--timeframe", "5m"), "no 5m candles of BTC-USDT"),
        (("train", SYMBOL, "--horizon", "15m"), "whole number of bars of 1h"),
        (("train", SYMBOL, "--horizon", "soon"), "soon"),
        (("train", SYMBOL, "--until", "2025-02-01T00:00:00Z"), "744 bars, a model needs at least 2500"),
        (("train", SYMBOL, "--until", "2030-01-01T00:00:00Z"), "the data ends at"),
        (("train", SYMBOL, "--until", "2020-01-01T00:00:00Z"), "the data begins at"),
        (("train", SYMBOL, "--folds", "1"), "--folds 1"),
        (("train", SYMBOL, "--device", "abacus"), "abacus"),
        (("train", SYMBOL, "--promote", "surely"), "surely"),
        (("train", SYMBOL, "--cv", "leave-one-out"), "leave-one-out"),
        (("forecast", SYMBOL, "--model", "nobody"), "no model 'nobody'"),
        (("forecast", SYMBOL, "--at", "2025-01-02T00:00:00Z"), "needs 97 closed bars, there are 24"),
        (("forecast", SYMBOL, "--at", "2025-03-01T00:30:00Z"), "bars of 1h do not close then"),
        (("forecast", SYMBOL, "--model", "timegpt"), "set NIXTLA_API_KEY"),
        (("importance", SYMBOL, "--target", "luck"), "luck"),
        (("retrain",), "no champion of any instrument"),
        (("retrain", "ETH-USDT"), "no champion of ETH-USDT"),
        (("retrain", "--every", "often"), "often"),
        (("retrain", "--watch", "--until", UNTIL), "--watch looks at the latest bars"),
        (("models", "score", "ETH-USDT"), "no 1h candles of ETH-USDT"),
    ],
)
def test_rubbish_is_refused_in_one_line(
    lab: Any, candles: Path, arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIXTLA_API_KEY", raising=False)
    answer = lab.call(*arguments, "--data", candles, "--home", tmp_path)
    assert answer.code == 2, answer.err
    line = [line for line in answer.err.splitlines() if line.startswith("tradefloor")]
    assert len(line) == 1
    assert said in line[0]


def test_a_price_that_stands_still_is_refused(lab: Any, tmp_path: Path) -> None:
    rows = [[START_MS + at * HOUR_MS, 7.0, 7.0, 7.0, 7.0, 1.0] for at in range(3000)]
    still = write(tmp_path, "TUSD-USDT-1h.csv", rows)
    trained = lab.call("train", "TUSD-USDT", "--data", still, "--home", tmp_path)
    assert (trained.code, "stood still" in trained.err) == (2, True)
    said = lab.call("forecast", "TUSD-USDT", "--data", still, "--home", tmp_path)
    assert (said.code, "no price change" in said.err) == (2, True)

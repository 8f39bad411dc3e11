"""``regime`` and ``lookahead``: the fields of the contract, from candles that had closed by then, and rubbish."""

from pathlib import Path
from typing import Any

import pytest

from trading.marketdata import SimulationSpec, simulate

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000
SYMBOL = "BTC-USDT"
AT = "2025-12-10T00:00:00Z"
BARS_AT = 54 * 24


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated hourly candles, one file."""
    tape = simulate(
        SimulationSpec(symbols=(SYMBOL,), start_ms=START_MS, end_ms=START_MS + 1400 * HOUR_MS, step_ms=HOUR_MS, seed=7)
    )
    path = tmp_path_factory.mktemp("candles") / f"{SYMBOL}-1h.csv"
    rows = ["ts,open,high,low,close,volume"]
    prices = (tape.open[0], tape.high[0], tape.low[0], tape.close[0], tape.volume[0])
    for ts, *numbers in zip(tape.open_ms.tolist(), *(column.tolist() for column in prices), strict=True):
        rows.append(",".join(map(repr, [ts, *numbers])))
    path.write_text("\n".join(rows), "utf-8")
    return path


def test_the_regime_has_the_fields_of_the_contract(lab: Any, candles: Path) -> None:
    found = lab.call("regime", SYMBOL, "--timeframe", "1h", "--at", AT, "--data", candles, "--json").document
    names = {"bull", "bear", "ranging", "volatile"}
    assert set(found["probs"]) == names
    assert sum(found["probs"].values()) == pytest.approx(1)
    assert found["regime"] == max(found["probs"], key=lambda name: found["probs"][name])
    assert 0 <= found["confidence"] <= 1
    assert found["data_end"] == AT
    assert set(found["methods"]) == {"rule", "kmeans", "gaussian_mixture", "hidden_markov"}
    assert all(set(probs) == names for probs in found["methods"].values())


def test_what_came_later_changes_nothing(lab: Any, candles: Path, tmp_path: Path) -> None:
    whole = lab.call("regime", SYMBOL, "--at", AT, "--data", candles, "--json").document
    cut = tmp_path / candles.name
    cut.write_text("\n".join(candles.read_text("utf-8").splitlines()[: 1 + BARS_AT]), "utf-8")
    assert lab.call("regime", SYMBOL, "--at", AT, "--data", cut, "--json").document == whole
    assert lab.call("regime", SYMBOL, "--data", cut, "--json").document == whole
    between = lab.call("regime", SYMBOL, "--at", AT.replace(":00:00Z", ":59:59Z"), "--data", candles, "--json")
    assert between.document["probs"] == whole["probs"]


def test_the_table_names_every_method(lab: Any, candles: Path) -> None:
    text = lab.call("regime", SYMBOL, "--at", AT, "--data", candles).out
    for word in ("rule", "kmeans", "gaussian mixture", "hidden markov", "volatile", "confidence"):
        assert word in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("regime", "ETH-USDT", "--at", AT), "ETH-USDT"),
        (("regime", SYMBOL, "--at", "yesterday"), "yesterday"),
        (("regime", SYMBOL, "--at", "2030-01-01T00:00:00Z"), "2025-12-14T08:00:00Z"),
        (("regime", SYMBOL, "--at", "2020-01-01T00:00:00Z"), "had closed by"),
        (("regime", SYMBOL, "--at", "2025-10-20T00:00:00Z"), "needs 481"),
        (("regime", SYMBOL, "--timeframe", "5m"), "5m"),
        (("regime", SYMBOL, "--timeframe", "soon"), "soon"),
        (("lookahead", SYMBOL, "--features", "nothing_of_that_name"), "nothing_of_that_name"),
        (("lookahead", SYMBOL, "--samples", "0"), "samples"),
        (("lookahead", "ETH-USDT"), "ETH-USDT"),
        (("lookahead", SYMBOL, "--timeframe", "5m"), "5m"),
    ],
)
def test_rubbish_is_refused_in_one_line(lab: Any, candles: Path, arguments: tuple[str, ...], said: str) -> None:
    answer = lab.call(*arguments, "--data", candles)
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert said in answer.err


def test_nothing_looks_ahead(lab: Any, candles: Path) -> None:
    for pattern, least in (("rsi_*", 1), ("regime_*", 20), ("anomaly_*", 8)):
        arguments = ("--features", pattern, "--samples", "2", "--bars", "900", "--json")
        found = lab.call("lookahead", SYMBOL, "--data", candles, *arguments).document
        assert found["moved"] == []
        assert found["checked"] >= least
        assert (found["samples"], found["bars"]) == (2, 900)


def test_what_looks_ahead_is_named_and_fails(lab: Any, candles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trading.features import lookahead

    def peeks(frame: Any) -> dict[str, Any]:
        close = frame.columns["close"]
        return {"regime_of_tomorrow": close / close[-1]}

    monkeypatch.setattr(lookahead, "regime_recipe", peeks)
    answer = lab.call("lookahead", "--data", candles, "--features", "regime_*", "--samples", "2", "--json")
    assert answer.code == 1
    (moved,) = answer.document["moved"]
    assert moved["name"] == "regime_of_tomorrow"
    assert moved["whole"] != moved["other"]
    assert moved["bar"].endswith("Z")
    assert "regime_of_tomorrow" in lab.call("lookahead", "--data", candles, "--features", "regime_*").out

"""``features``: the vector of the contract, from candles that had closed by then."""

import math
from pathlib import Path
from typing import Any

import pytest

from trading.marketdata import SimulationSpec, simulate

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000
SYMBOL = "BTC-USDT"
AT = "2025-11-20T00:00:00Z"


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty days of invented hourly candles, one file."""
    tape = simulate(
        SimulationSpec(symbols=(SYMBOL,), start_ms=START_MS, end_ms=START_MS + 1200 * HOUR_MS, step_ms=HOUR_MS, seed=7)
    )
    path = tmp_path_factory.mktemp("candles") / f"{SYMBOL}-1h.csv"
    rows = ["ts,open,high,low,close,volume"]
    prices = (tape.open[0], tape.high[0], tape.low[0], tape.close[0], tape.volume[0])
    for ts, *numbers in zip(tape.open_ms.tolist(), *(column.tolist() for column in prices), strict=True):
        rows.append(",".join(map(repr, [ts, *numbers])))
    path.write_text("\n".join(rows), "utf-8")
    return path


def test_the_vector_has_every_feature_in_a_group_and_no_number_that_is_none(lab: Any, candles: Path) -> None:
    found = lab.call("features", SYMBOL, "--at", AT, "--data", candles, "--json").document
    assert (found["instrument"], found["at"]) == (SYMBOL, AT)
    assert found["count"] == len(found["features"]) >= 138
    assert sorted(name for names in found["groups"].values() for name in names) == sorted(found["features"])
    known = [value for value in found["features"].values() if value is not None]
    assert len(known) > 100
    assert all(math.isfinite(value) for value in known)
    assert 0 <= found["features"]["rsi_14"] <= 100


def test_what_came_later_changes_nothing(lab: Any, candles: Path, tmp_path: Path) -> None:
    whole = lab.call("features", SYMBOL, "--at", AT, "--data", candles, "--json").document
    lines = candles.read_text("utf-8").splitlines()
    kept = 1 + (34 * 24)  # the header, and the bars from 17 October to the close at AT
    cut = tmp_path / candles.name
    cut.write_text("\n".join(lines[:kept]), "utf-8")
    assert lab.call("features", SYMBOL, "--at", AT, "--data", cut, "--json").document == whole


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ETH-USDT", "--at", AT), "ETH-USDT"),
        ((SYMBOL, "--at", "2025-11-20T00:30:00Z"), "2025-11-20T00:00:00Z"),
        ((SYMBOL, "--at", "yesterday"), "yesterday"),
        ((SYMBOL, "--at", AT, "--timeframe", "5m"), "5m"),
        ((SYMBOL, "--at", "2030-01-01T00:00:00Z"), "BTC-USDT"),
    ],
)
def test_rubbish_is_refused_in_one_line(lab: Any, candles: Path, arguments: tuple[str, ...], said: str) -> None:
    answer = lab.call("features", *arguments, "--data", candles)
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert said in answer.err


def test_the_snapshot_is_made_of_the_shortest_bars_there_are(lab: Any, recordings: Path) -> None:
    at, pattern = "2024-08-18T17:00:00Z", recordings / "ohlcv/binance/BTC-USDT-1*.parquet"
    found = lab.call("features", SYMBOL, "--at", at, "--data", pattern, "--json").document["snapshot"]
    assert (found["symbol"], found["timestamp"], found["timeframe"]) == (SYMBOL, at, "1m")
    assert (found["current_price"], found["priced_at"]) == (59840.45, at)
    assert None not in found.values()
    later = lab.call("features", SYMBOL, "--at", "2025-08-18T17:00:00Z", "--data", pattern, "--json").document
    assert later["snapshot"]["timeframe"] == "1h"  # the minutes were not recorded then
    assert later["snapshot"]["rsi_5m"] is None
    told = lab.call("features", SYMBOL, "--at", at, "--data", pattern).out
    assert "snapshot of bars of 1m" in told


def test_without_data_the_store_is_read(lab: Any, candles: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert lab.call("data", "import", candles, "--venue", "binance", "--home", home).code == 0
    stored = lab.call("features", SYMBOL, "--at", AT, "--home", home, "--json").document
    assert stored == lab.call("features", SYMBOL, "--at", AT, "--data", candles, "--json").document
    empty = lab.call("features", SYMBOL, "--at", AT, "--home", tmp_path / "other")
    assert (empty.code, "data fetch" in empty.err) == (2, True)

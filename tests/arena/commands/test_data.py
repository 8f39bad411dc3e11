"""``data import``, ``list`` and ``check``: files in, what is there, what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from trading.marketdata import read_candles

START_MS = 1_735_689_600_000
HOUR_MS = 3_600_000


def rows(first: int, end: int) -> list[list[float]]:
    return [[START_MS + n * HOUR_MS, 100.0 + n, 102.0 + n, 99.0 + n, 101.0 + n, 1.0 + n] for n in range(first, end)]


def write_json(path: Path, content: list[list[float]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_real_recordings_become_a_store_that_lists_and_checks_itself(lab: Any, recordings: Path, tmp_path) -> None:
    source = recordings / "ohlcv/kraken"
    (row,) = lab.call("data", "import", source, "--home", tmp_path, "--json").document["files"]
    assert (row["venue"], row["instrument"], row["timeframe"], row["added"]) == ("kraken", "BTC-USDC", "1m", 15_719)
    (listed,) = lab.call("data", "list", "--home", tmp_path, "--json").document["series"]
    assert (listed["rows"], listed["gaps"], listed["missing_bars"]) == (15_719, 5916, 14_520)
    (checked,) = lab.call("data", "check", "--home", tmp_path, "--json").document["files"]
    assert (checked["ok"], checked["rows"], checked["outliers"], checked["largest_gap_bars"]) == (True, 15_719, 17, 33)
    (again,) = lab.call("data", "import", source, "--home", tmp_path, "--json").document["files"]
    assert (again["added"], again["repeated"], again["conflict_bars"]) == (0, 15_719, 0)
    told = lab.call("data", "list", "--home", tmp_path).out
    assert "15,719 bars" in told
    assert "5916 gaps" in told


def test_files_of_freqtrade_are_joined_and_disagreement_is_reported(lab: Any, tmp_path) -> None:
    first = write_json(tmp_path / "old/binance/BTC_USDT-1h.json", rows(0, 10))
    changed = rows(5, 15)
    changed[1][5] = 77.0
    second = write_json(tmp_path / "new/binance/BTC_USDT-1h.json", changed)
    said = lab.call("data", "import", first, second, "--home", tmp_path / "home", "--json").document["files"]
    assert [(row["added"], row["repeated"], row["conflict_bars"]) for row in said] == [(10, 0, 0), (5, 5, 1)]
    (conflict,) = said[1]["conflicts"]
    assert conflict == {"at": "2025-01-01T06:00:00Z", "column": "volume", "kept": 7.0, "refused": 77.0}
    stored = read_candles(tmp_path / "home/data/binance/BTC-USDT-1h.parquet")
    assert stored.volume.tolist() == [1.0 + n for n in range(15)]
    told = lab.call("data", "import", second, "--home", tmp_path / "home")
    assert "1 bars differ" in told.err


def test_one_bad_file_leaves_the_store_as_it_was(lab: Any, tmp_path) -> None:
    good = write_json(tmp_path / "binance/BTC_USDT-1h.json", rows(0, 10))
    bad_rows = rows(0, 10)
    bad_rows[3][2] = 1.0
    bad = write_json(tmp_path / "binance/ETH_USDT-1h.json", bad_rows)
    said = lab.call("data", "import", good, bad, "--home", tmp_path / "home")
    assert said.code == 2
    assert "row 3: low 102.0 > high 1.0" in said.err
    assert "--skip-bad" in said.err
    assert not (tmp_path / "home/data").exists()
    mended = lab.call("data", "import", good, bad, "--skip-bad", "--home", tmp_path / "home", "--json").document
    assert [(row["added"], row["refused"]) for row in mended["files"]] == [(10, 0), (9, 1)]


def test_what_the_name_does_not_say_is_asked_for(lab: Any, tmp_path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("time,open,high,low,close,volume\n1735689600,1,2,1,2,5\n1735693200,2,3,2,3,5\n")
    home = ("--home", tmp_path / "home")
    assert "--instrument" in lab.call("data", "import", path, *home).err
    given = ("--instrument", "BTC-EUR", "--timeframe", "1h")
    asked = lab.call("data", "import", path, *given, *home)
    assert (asked.code, "--venue" in asked.err) == (2, True)
    said = lab.call("data", "import", path, *given, "--venue", "bitstamp", *home, "--json")
    assert said.document["files"][0]["added"] == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "nowhere"), "no such file"),
        (("import", "."), "no candle file"),
        (("check", "nowhere"), "no such file"),
        (("check",), "is empty"),
    ],
)
def test_rubbish_is_refused_in_one_line(lab: Any, tmp_path, monkeypatch, arguments, says: str) -> None:
    monkeypatch.chdir(tmp_path)
    said = lab.call("data", *arguments, "--home", tmp_path / "home")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert says in said.err


def test_an_empty_store_says_what_to_type(lab: Any, tmp_path) -> None:
    said = lab.call("data", "list", "--home", tmp_path)
    assert said.code == 0
    assert "data fetch" in said.out
    assert lab.call("data", "list", "--home", tmp_path, "--json").document["series"] == []


def test_a_damaged_file_in_the_store_is_named(lab: Any, tmp_path) -> None:
    path = tmp_path / "data/binance/BTC-USDT-1h.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 and nothing more")
    listed = lab.call("data", "list", "--home", tmp_path, "--json").document
    assert [each["path"] for each in listed["refused"]] == [str(path)]
    checked = lab.call("data", "check", "--home", tmp_path, "--json")
    assert (checked.code, checked.document["files"][0]["ok"]) == (1, False)


def test_every_recording_is_reported_to_a_person(lab: Any, recordings: Path) -> None:
    said = lab.call("data", "check", recordings / "ohlcv/binanceus", recordings / "ohlcv/kraken")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "4 files, 106,439 rows, 14,520 bars missing: all sound"
    assert "bars without a trade: 12,971 (42.89%)" in said.out
    assert "2023-03-13T04:14:00Z: low 22575.3" in said.out

"""Ticks on the command line: imported, listed, checked, recorded from a loopback exchange, and read by ``features``."""

from pathlib import Path
from typing import Any

import pytest

from tests.exchanges.threaded import threaded_exchange

AT = "2024-08-08T23:59:58Z"
PERP = "BTC-USDT-PERP"


@pytest.fixture(scope="module")
def home(lab: Any, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the recorded books of two venues."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("binance-usdm", "binance-spot/BTC-USDT-20240808-trades.parquet"):
        assert lab.call("data", "import", recordings / "orderbook" / name, "--home", folder).code == 0
    return folder


def test_recordings_are_listed_and_checked_with_the_rest(lab: Any, home: Path) -> None:
    listed = lab.call("data", "list", "--home", home, "--json").document
    assert listed["series"] == []
    found = {(row["venue"], row["series"], row["period"]): row for row in listed["ticks"]}
    assert found["binance-usdm", "trades", "2024-08-08"]["rows"] == 21_313
    assert found["binance-usdm", "bbo", "2024-08-08"]["rows"] == 66_088
    checked = lab.call("data", "check", "--home", home, "--json")
    assert (checked.code, len(checked.document["files"])) == (0, len(listed["ticks"]))
    assert "rows" in lab.call("data", "list", "--home", home).out


def test_a_recording_is_taken_in_once(lab: Any, home: Path, recordings: Path) -> None:
    rows = lab.call("data", "import", recordings / "orderbook/binance-usdm", "--home", home, "--json").document["files"]
    assert [(row["series"], row["added"]) for row in rows] == [("bbo", 0), ("l2", 0), ("trades", 0)]


def test_features_know_the_book_and_the_trades(lab: Any, home: Path) -> None:
    asked = ("features", PERP, "--timeframe", "2s", "--at", AT, "--json")
    found = lab.call(*asked, "--home", home).document
    names = [name for name in found["groups"]["microstructure"] if not name.startswith(("sentiment",))]
    assert all(found["features"][name] is not None for name in names)
    assert found["features"]["spread_bps"] == pytest.approx(0.016215, rel=1e-4)
    assert found["snapshot"]["timeframe"] == "2s"
    named = lab.call(*asked, "--ticks", home / "ticks", "--home", home / "nowhere").document
    assert named == found


def test_a_venue_is_asked_for_where_there_are_two(lab: Any, home: Path, recordings: Path, tmp_path: Path) -> None:
    source = recordings / "orderbook/binance-usdm/BTC-USDT-PERP-20240808-trades.parquet"
    for venue in ("binance", "bybit"):
        assert lab.call("data", "import", source, "--venue", venue, "--home", tmp_path).code == 0
    asked = ("features", PERP, "--timeframe", "2s", "--at", AT, "--home", tmp_path)
    said = lab.call(*asked)
    assert (said.code, "binance, bybit" in said.err, "--venue" in said.err) == (2, True, True)
    assert lab.call(*asked, "--venue", "bybit").code == 0


def test_candles_of_two_venues_are_told_apart(lab: Any, tmp_path: Path) -> None:
    start, hour = 1_735_689_600_000, 3_600_000
    for venue, price in (("binance", 100.0), ("kraken", 200.0)):
        lines = ["ts,open,high,low,close,volume"]
        lines += [f"{start + n * hour},{price},{price + 1},{price - 1},{price + 0.5},1" for n in range(60)]
        path = tmp_path / venue / "BTC-USDT-1h.csv"
        path.parent.mkdir()
        path.write_text("\n".join(lines))
        assert lab.call("data", "import", path, "--home", tmp_path / "home").code == 0
    at = ("--at", "2025-01-03T00:00:00Z", "--home", tmp_path / "home")
    for verb in ("features", "regime"):
        said = lab.call(verb, "BTC-USDT", *at)
        assert (said.code, "binance, kraken" in said.err) == (2, True)
    found = lab.call("features", "BTC-USDT", *at, "--venue", "kraken", "--json").document
    assert found["snapshot"]["current_price"] == 200.5
    said = lab.call("features", "BTC-USDT", *at, "--venue", "coinbase")
    assert (said.code, "coinbase" in said.err) == (2, True)


def test_longer_bars_are_made_of_shorter_ones(lab: Any, recordings: Path, tmp_path: Path) -> None:
    at = ("--at", "2024-08-18T17:00:00Z", "--json")
    minutes = recordings / "ohlcv/binance/BTC-USDT-1m*.parquet"
    hours = recordings / "ohlcv/binance/BTC-USDT-1h*.parquet"
    recorded = lab.call("features", "BTC-USDT", *at, "--data", hours).document["features"]
    made = lab.call("features", "BTC-USDT", *at, "--data", minutes).document["features"]
    short = {name: value for name, value in made.items() if value is not None}
    assert len(short) > 120
    assert short == pytest.approx({name: recorded[name] for name in short}, rel=1e-9, abs=1e-12)
    said = lab.call("lookahead", "BTC-USDT", "--timeframe", "4h", "--features", "rsi_*", *at, "--data", minutes)
    assert (said.code, said.document["moved"]) == (0, [])
    finer = lab.call("features", "BTC-USDT", "--timeframe", "5m", *at, "--data", hours)
    assert (finer.code, "no 5m candles" in finer.err) == (2, True)


def test_funding_beside_the_candles_is_known(lab: Any, recordings: Path) -> None:
    patterns = (recordings / "ohlcv/binance-perp/BTC-USDT-PERP-1h.parquet", recordings / "funding/binance/*.parquet")
    words = [word for pattern in patterns for word in ("--data", pattern)]
    found = lab.call("features", PERP, "--at", "2024-08-18T17:00:00Z", *words, "--json").document["features"]
    known = [name for name, value in found.items() if name.startswith("funding") and value is not None]
    assert len(known) == 6


def test_a_live_exchange_is_written_down(lab: Any, tmp_path: Path) -> None:
    with threaded_exchange("kraken") as venue:
        words = ("data", "record", "kraken", "BTC-USD", "--for", "4s", "--endpoint", venue.endpoints.rest)
        said = lab.call(*words, "--home", tmp_path, "--json")
    assert said.code == 0, said.err
    rows = {(row["instrument"], row["series"]): row["rows"] for row in said.document["recorded"]}
    assert rows["BTC-USD", "bbo"] > 10
    listed = lab.call("data", "list", "--home", tmp_path, "--json").document["ticks"]
    stored = {(row["instrument"], row["series"]): row["rows"] for row in listed}
    assert all(stored[key] == count for key, count in rows.items() if key[1] != "bars")
    assert lab.call("data", "check", "--home", tmp_path).code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("data", "record", "nowhere", "BTC-USDT"), "nowhere"),
        (("data", "record", "../x", "BTC-USDT"), "venue"),
        (("data", "record", "kraken", "BTC/USD"), "BTC/USD"),
        (("data", "record", "kraken", "BTC-USD", "--for", "soon"), "soon"),
        (("data", "record", "kraken", "BTC-USD", "--endpoint", "ftp://x"), "address"),
        (("features", PERP, "--timeframe", "2s", "--at", AT, "--ticks", "nowhere"), "no such folder"),
        (("features", PERP, "--timeframe", "2s", "--at", AT, "--ticks", "."), "holds no ticks"),
    ],
)
def test_rubbish_is_refused_in_one_line(lab: Any, tmp_path: Path, monkeypatch, arguments, says: str) -> None:
    monkeypatch.chdir(tmp_path)
    said = lab.call(*arguments, "--home", tmp_path / "home")
    assert said.code == 2, said.err
    assert says in said.err.splitlines()[-1]
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_recording_that_is_none_leaves_the_store_as_it_was(lab: Any, tmp_path: Path) -> None:
    path = tmp_path / "kraken/BTC-USD-20240808-trades.parquet"
    path.parent.mkdir()
    path.write_text("no Parquet")
    said = lab.call("data", "import", path, "--home", tmp_path / "home")
    assert (said.code, "Parquet" in said.err) == (2, True)
    assert not (tmp_path / "home/ticks").exists()

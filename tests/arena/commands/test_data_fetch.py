"""``data fetch`` with ccxt's own class against an exchange on this machine: pages, faults, interrupts, resumption."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.exchanges import Fault, Venue
from tests.exchanges.threaded import threaded_exchange
from trading.marketdata import check_file, read_candles

HOUR_MS = 3_600_000
START_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
SINCE, UNTIL = "2025-01-01T00:00:00Z", "2025-04-11T00:00:00Z"
HOURS = 2400
NAME = "BTC-USDT-1h.parquet"


@pytest.fixture
def exchange() -> Iterator[Venue]:
    with threaded_exchange("binance", step_s=3600) as venue:
        yield venue


def pages(exchange: Venue) -> list[int]:
    """From when the candles were that were asked for, page by page."""
    return [int(each.fields["startTime"]) for each in exchange.asked if each.path.endswith("/klines")]


def words(exchange: Venue, home: Path, *more: object, until: str = UNTIL) -> list[object]:
    span = ["--since", SINCE, "--until", until]
    return [
        "data",
        "fetch",
        "binance",
        "BTC-USDT",
        *span,
        "--endpoint",
        exchange.endpoints.rest,
        "--home",
        home,
        "--json",
        *more,
    ]


def assert_whole(exchange: Venue, home: Path, hours: int = HOURS) -> None:
    series = read_candles(home / "data/binance" / NAME)
    market = exchange.markets["BTC-USDT"]
    expected = market.candles(HOUR_MS, START_MS, START_MS + hours * HOUR_MS)
    assert series.open_ms.tolist() == [row[0] for row in expected]
    assert series.close.tolist() == [float(market.listing.price(row[4])) for row in expected]
    assert series.volume.tolist() == [float(market.listing.size(row[5])) for row in expected]


def test_pages_become_one_sound_series_and_are_not_asked_for_twice(lab: Any, exchange: Venue, tmp_path) -> None:
    said = lab.call(*words(exchange, tmp_path))
    assert said.code == 0, said.err
    (row,) = said.document["series"]
    assert (row["added"], row["rows"], row["refused"], row["pages"]) == (HOURS, HOURS, 0, 3)
    assert_whole(exchange, tmp_path)
    assert check_file(tmp_path / "data/binance" / NAME).ok
    asked = len(pages(exchange))
    (row,) = lab.call(*words(exchange, tmp_path)).document["series"]
    assert (row["added"], row["pages"], len(pages(exchange))) == (0, 0, asked)
    (row,) = lab.call(*words(exchange, tmp_path, "--again")).document["series"]
    assert (row["added"], row["repeated"], row["conflict_bars"]) == (0, HOURS, 0)
    assert "2400 of 2400" in said.err


def test_only_what_is_missing_is_asked_for(lab: Any, exchange: Venue, tmp_path) -> None:
    lab.call(*words(exchange, tmp_path, until="2025-01-02T00:00:00Z"))
    exchange.asked.clear()
    (row,) = lab.call(*words(exchange, tmp_path, until="2025-01-03T00:00:00Z")).document["series"]
    assert (row["added"], row["rows"]) == (24, 48)
    assert pages(exchange) == [START_MS + 24 * HOUR_MS]
    later = ["data", "fetch", "binance", "BTC-USDT", "--until", "2025-01-04T00:00:00Z", "--home", tmp_path, "--json"]
    (row,) = lab.call(*later, "--endpoint", exchange.endpoints.rest).document["series"]
    assert (row["added"], row["rows"]) == (24, 72)  # without --since it goes on from the last bar
    assert_whole(exchange, tmp_path, 72)


def test_several_instruments_go_into_files_of_their_own(lab: Any, exchange: Venue, tmp_path) -> None:
    said = lab.call(*words(exchange, tmp_path, "ETH-USDT", until="2025-01-02T00:00:00Z"))
    assert [row["instrument"] for row in said.document["series"]] == ["BTC-USDT", "ETH-USDT"]
    listed = lab.call("data", "list", "--home", tmp_path, "--json").document["series"]
    assert [(row["instrument"], row["rows"]) for row in listed] == [("BTC-USDT", 24), ("ETH-USDT", 24)]
    assert listed[0]["origins"][0]["source"] == "binance REST"
    assert listed[0]["covered"] == [{"from": SINCE, "to": "2025-01-02T00:00:00Z"}]


def test_bad_rows_are_refused_and_counted(lab: Any, exchange: Venue, tmp_path) -> None:
    exchange.markets["BTC-USDT"].spoilt |= {START_MS + 5 * HOUR_MS, START_MS + 6 * HOUR_MS}
    said = lab.call(*words(exchange, tmp_path, until="2025-01-02T00:00:00Z"))
    (row,) = said.document["series"]
    assert (row["added"], row["refused"]) == (22, 2)
    (listed,) = lab.call("data", "list", "--home", tmp_path, "--json").document["series"]
    assert (listed["gaps"], listed["missing_bars"], listed["refused_rows"]) == (1, 2, 2)


def test_a_rate_limit_is_waited_out(lab: Any, exchange: Venue, tmp_path) -> None:
    exchange.weather.arm(Fault.RATE_LIMIT)
    said = lab.call(*words(exchange, tmp_path, until="2025-01-02T00:00:00Z"))
    assert (said.code, said.document["series"][0]["added"]) == (0, 24)


@pytest.mark.slow
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_it_goes_on_where_it_stopped(lab: Any, exchange: Venue, tmp_path, name: signal.Signals) -> None:
    exchange.weather.delay_s = 0.5
    process = lab.spawn(*words(exchange, tmp_path, until="2025-12-27T00:00:00Z"))
    stored = tmp_path / "data/binance" / NAME
    wanted = stored.exists if name == signal.SIGKILL else lambda: len(pages(exchange)) >= 3
    lab.wait_until(wanted)
    process.send_signal(name)
    said = lab.ended(process)
    assert said.code == (130 if name == signal.SIGINT else -signal.SIGKILL)
    kept = len(read_candles(stored))
    assert 0 < kept < 8640
    assert check_file(stored).ok
    exchange.weather.delay_s = 0.0
    exchange.asked.clear()
    (row,) = lab.call(*words(exchange, tmp_path, until="2025-12-27T00:00:00Z")).document["series"]
    assert (row["added"], row["rows"]) == (8640 - kept, 8640)
    assert pages(exchange)[0] == START_MS + kept * HOUR_MS
    assert_whole(exchange, tmp_path, 8640)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere", "BTC-USDT", "--since", SINCE), "nowhere"),
        (("binance", "DOGE-USDT", "--since", SINCE), "DOGE-USDT"),
        (("binance", "BTC/USDT", "--since", SINCE), "BTC/USDT"),
        (("binance", "BTC-USDT"), "--since"),
        (("binance", "BTC-USDT", "--since", "lately"), "lately"),
        (("binance", "BTC-USDT", "--since", "2090-01-01T00:00:00Z"), "since must lie before"),
        (("binance", "BTC-USDT", "--since", SINCE, "--timeframe", "7x"), "7x"),
        (("binance", "BTC-USDT", "--since", SINCE, "--timeframe", "7m"), "7m"),
        (("../x", "BTC-USDT", "--since", SINCE), "venue"),
    ],
)
def test_rubbish_is_refused_in_one_line_and_changes_nothing(
    lab: Any, exchange: Venue, tmp_path, arguments: tuple[str, ...], says: str
) -> None:
    said = lab.call("data", "fetch", *arguments, "--endpoint", exchange.endpoints.rest, "--home", tmp_path / "home")
    assert said.code == 2, said.err
    assert says in said.err.splitlines()[-1]
    assert not list((tmp_path / "home").rglob("*.parquet"))


@pytest.mark.parametrize("endpoint", ["nonsense", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_refused(lab: Any, tmp_path, endpoint: str) -> None:
    said = lab.call(
        "data", "fetch", "binance", "BTC-USDT", "--since", SINCE, "--endpoint", endpoint, "--home", tmp_path
    )
    assert said.code == 2
    assert "address" in said.err

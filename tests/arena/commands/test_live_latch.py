"""``run`` with a live or paper market from the command line: what is missing is named, and nothing was changed."""

from pathlib import Path
from typing import Any

import pytest

from arena.settings import CONFIG

SEASON = """
[season]
name = "october"
start = 2035-01-01T00:00:00Z
end = 2035-01-02T00:00:00Z
every = "1h"
capital = 1000

[market]
kind = "live"
venue = "binance"
instruments = ["BTC-USDT"]

[[desk]]
name = "momentum"
model = "house/momentum"
"""


@pytest.fixture
def season(tmp_path: Path) -> Path:
    path = tmp_path / "october.toml"
    path.write_text(SEASON, "utf-8")
    return path


def test_live_without_its_keys_names_each(lab: Any, season: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    told = lab.call("run", season, "--home", home)
    assert told.code == 2
    for words in ("TRADEFLOOR_LIVE_ACKNOWLEDGED=october", "live-limits.toml", "--max-live-notional"):
        assert words in told.err
    assert not (home / "runs").exists()

    home.mkdir()
    (home / "live-limits.toml").write_text('max_order_value = "100"\nmax_gross_exposure = "1"\n', "utf-8")
    named = {"TRADEFLOOR_LIVE_ACKNOWLEDGED": "october"}
    told = lab.call("run", season, "--home", home, **named)
    assert told.code == 2
    assert "lacks the cap --max-live-notional" in told.err
    told = lab.call("run", season, "--home", home, "--max-live-notional", "50", **named)
    assert told.code == 2
    assert "TRADEFLOOR_BINANCE_KEY" in told.err
    assert "TRADEFLOOR_BINANCE_SECRET" in told.err
    assert not (home / "runs").exists()


def opened(home: Path) -> dict[str, str]:
    """Every key but those of the exchange: what the command line and the environment lack then is told."""
    home.mkdir()
    (home / "live-limits.toml").write_text('max_order_value = "100"\nmax_gross_exposure = "1"\n', "utf-8")
    return {"TRADEFLOOR_LIVE_ACKNOWLEDGED": "october", "TRADEFLOOR_MAX_LIVE_NOTIONAL": "50"}


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ((), "set TRADEFLOOR_BINANCE_KEY and TRADEFLOOR_BINANCE_SECRET"),
        (("market.testnet=true",), "set TRADEFLOOR_BINANCE_TESTNET_KEY and TRADEFLOOR_BINANCE_TESTNET_SECRET"),
        (("market.venue=hyperliquid",), "TRADEFLOOR_HYPERLIQUID_PRIVATE_KEY"),
        (("market.venue=bitstamp",), "orders cannot be sent to 'bitstamp'"),
        (("market.venue=nowhere",), "nowhere"),
        (("market.testnet=maybe",), "market.testnet"),
        (("market.kind=paper", "market.testnet=true"), "market.testnet"),
    ],
)
def test_an_account_that_cannot_be_opened_is_named(
    lab: Any, season: Path, tmp_path: Path, sets: tuple[str, ...], words: str
) -> None:
    home = tmp_path / "home"
    named = opened(home)
    told = lab.call("run", season, "--home", home, *(part for one in sets for part in ("--set", one)), **named)
    assert told.code == 2
    assert words in told.err
    assert not (home / "runs").exists()


def test_a_live_season_of_a_spot_market_is_refused(lab: Any, season: Path, tmp_path: Path) -> None:
    named = opened(tmp_path / "home") | {"TRADEFLOOR_BINANCE_KEY": "key", "TRADEFLOOR_BINANCE_SECRET": "secret"}
    told = lab.call("run", season, "--home", tmp_path / "home", **named)
    assert told.code == 2
    assert "BTC-USDT is spot" in told.err
    assert not (tmp_path / "home" / "runs").exists()


def test_a_live_season_of_two_desks_is_refused(lab: Any, season: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    named = opened(home)
    season.write_text(SEASON + '[[desk]]\nname = "meanrev"\nmodel = "house/meanrev"\n', "utf-8")
    told = lab.call("run", season, "--home", home, **named)
    assert told.code == 2
    assert "one desk, found 2" in told.err
    assert not (home / "runs").exists()


def test_the_testnet_season_of_the_house_names_what_it_lacks(lab: Any, tmp_path: Path) -> None:
    told = lab.call("run", CONFIG / "seasons" / "testnet.toml", "--home", tmp_path / "home")
    assert told.code == 2
    assert "TRADEFLOOR_LIVE_ACKNOWLEDGED=testnet" in told.err


@pytest.mark.parametrize("amount", ["0", "-1", "nan", "much"])
def test_a_cap_that_is_no_amount_is_refused(lab: Any, season: Path, tmp_path: Path, amount: str) -> None:
    told = lab.call("run", season, "--home", tmp_path / "home", "--max-live-notional", amount)
    assert told.code == 2
    assert "max_live_notional" in told.err


def test_an_exchange_that_is_not_there_is_said(lab: Any, season: Path, tmp_path: Path) -> None:
    wrong = {"TRADEFLOOR_EXCHANGE_URL": "not an address"}
    told = lab.call("run", season, "--home", tmp_path / "home", "--set", "market.kind=paper", **wrong)
    assert told.code == 2
    assert "not an address" in told.err


def test_a_season_that_is_over_is_not_followed(lab: Any, season: Path, tmp_path: Path) -> None:
    times = ("--set", "season.start=2020-01-01T00:00:00Z", "--set", "season.end=2020-01-02T00:00:00Z")
    told = lab.call("run", season, "--home", tmp_path / "home", "--set", "market.kind=paper", *times)
    assert told.code == 2
    assert "has passed" in told.err


def test_a_rehearsal_lists_orders_and_records_nothing(lab: Any, tmp_path: Path) -> None:
    path = tmp_path / "sim.toml"
    simulated = SEASON.replace('kind = "live"', 'kind = "simulated"').replace('venue = "binance"', "")
    path.write_text(simulated.replace("momentum", "buyhold"), "utf-8")
    home = tmp_path / "home"
    told = lab.call("run", path, "--home", home, "--rehearse", "--json")
    assert told.code == 0, told.err
    (order,) = told.document["orders"]
    assert told.document["worked"] == []
    assert (order["desk"], order["instrument"], order["side"]) == ("buyhold", "BTC-USDT", "buy")
    assert order["client_order_id"].startswith("tf-")
    assert not list(home.glob("runs/*"))
    plain = lab.call("run", path, "--home", home, "--rehearse")
    assert "1 orders would be sent, none was" in plain.err

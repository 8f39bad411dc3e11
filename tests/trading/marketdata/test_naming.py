from pathlib import Path

import pytest

from trading.domain.errors import DataError
from trading.marketdata import CandleFileName, SeriesKind, parse_candle_name, parse_funding_name
from trading.marketdata.naming import is_funding_name


@pytest.mark.parametrize(
    ("name", "symbol", "step_ms", "label", "series"),
    [
        ("BTC-USDT-1h.parquet", "BTC-USDT", 3_600_000, "", "candles"),
        ("BTC-USDT-PERP-1h.csv", "BTC-USDT-PERP", 3_600_000, "", "candles"),
        ("ETH-USDT-1m-202408.parquet", "ETH-USDT", 60_000, "202408", "candles"),
        ("1000PEPE-USDC-15m-a-b.csv", "1000PEPE-USDC", 900_000, "a-b", "candles"),
        ("BTC-USDT-PERP-mark-1h.parquet", "BTC-USDT-PERP", 3_600_000, "", "mark"),
        ("BTC-USDT-mark-1d-x.csv", "BTC-USDT", 86_400_000, "x", "mark"),
    ],
)
def test_candle_name_says_what_the_file_holds(name, symbol, step_ms, label, series):
    expected = CandleFileName(symbol=symbol, step_ms=step_ms, label=label, series=SeriesKind(series))
    assert parse_candle_name(Path("some/folder") / name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "BTC-USDT.parquet",
        "BTCUSDT-1h.parquet",
        "btc-usdt-1h.parquet",
        "BTC-USDT-0h.parquet",
        "BTC-USDT-1y.parquet",
        "BTC-USDT-1h.parquet.gz",
        "BTC-USDT-1h.PARQUET",
        "BTC-USDT-1h-.parquet",
        "BTC-USDT-PERP-funding.parquet",
        "BTC-USD-PERP-20240808-l2.parquet",
        "BTC-USDT-1h.parquet\n",
    ],
)
def test_another_name_is_refused_with_the_expected_form(name):
    with pytest.raises(DataError, match=r"expected <BASE>-<QUOTE>\[-PERP\]-<timeframe>"):
        parse_candle_name(Path("folder") / name)


def test_funding_name_gives_the_perpetual():
    assert parse_funding_name(Path("x/BTC-USDT-PERP-funding.csv")) == "BTC-USDT-PERP"
    assert is_funding_name(Path("x/BTC-USDT-PERP-funding.parquet"))


@pytest.mark.parametrize("name", ["BTC-USDT-funding.parquet", "BTC-USDT-PERP-1h.parquet", "funding.parquet"])
def test_only_perpetuals_have_funding_files(name):
    assert not is_funding_name(Path(name))
    with pytest.raises(DataError, match="expected <BASE>-<QUOTE>-PERP-funding"):
        parse_funding_name(Path(name))

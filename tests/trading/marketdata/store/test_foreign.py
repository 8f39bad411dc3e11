"""Candle files of others say the same bars, and rubbish is refused by file and row."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from tests.trading.marketdata.store.conftest import bars
from trading.domain.errors import DataError
from trading.marketdata import CandleSeries, SeriesKind
from trading.marketdata.store import read_foreign
from trading.marketdata.store.merge import COLUMNS

SERIES = bars(0, 30)


def rows(series: CandleSeries = SERIES) -> list[list[float]]:
    return [
        list(row) for row in zip(series.open_ms.tolist(), *(getattr(series, n).tolist() for n in COLUMNS), strict=True)
    ]


def table(time: str, instants: pa.Array) -> pa.Table:
    return pa.table({time: instants, **{name: getattr(SERIES, name) for name in COLUMNS}})


def as_feather(folder: Path) -> Path:
    path = folder / "binance" / "BTC_USDT-1h.feather"
    feather.write_feather(table("date", pa.array(SERIES.open_ms, pa.timestamp("ms", tz="UTC"))), path)
    return path


def as_json(folder: Path) -> Path:
    path = folder / "binance" / "BTC_USDT-1h.json"
    path.write_text(json.dumps(rows()))
    return path


def as_zipped_json(folder: Path) -> Path:
    path = folder / "binance" / "BTC_USDT-1h.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows()).encode()))
    return path


def as_parquet(folder: Path) -> Path:
    path = folder / "binance" / "BTC_USDT-1h.parquet"
    pq.write_table(table("date", pa.array(SERIES.open_ms * 1_000_000, pa.timestamp("ns", tz="UTC"))), path)
    return path


def as_header_csv(folder: Path) -> Path:
    path = folder / "binance" / "BTC-USDT-1h.csv"
    lines = ["Timestamp,Open,High,Low,Close,Volume,Trades"]
    lines += [",".join(map(repr, [row[0] // 1000, *row[1:], 5])) for row in rows()]
    path.write_text("\n".join(lines) + "\n")
    return path


def as_dump(folder: Path) -> Path:
    """What exchanges publish: no header, twelve columns, microseconds since 2025."""
    path = folder / "binance" / "BTCUSDT-1h-2025-10.csv"
    path.write_text("\n".join(",".join(map(repr, [row[0] * 1000, *row[1:], 0, 0, 0, 0, 0, 0])) for row in rows()))
    return path


@pytest.mark.parametrize(
    ("write", "form"),
    [
        (as_feather, "freqtrade feather"),
        (as_json, "freqtrade JSON"),
        (as_zipped_json, "freqtrade JSON"),
        (as_parquet, "freqtrade Parquet"),
        (as_header_csv, "CSV"),
        (as_dump, "exchange CSV"),
    ],
)
def test_each_format_says_the_same_bars(tmp_path: Path, write: Callable[[Path], Path], form: str) -> None:
    (tmp_path / "binance").mkdir()
    found = read_foreign(write(tmp_path))
    assert (found.format, found.folder) == (form, "binance")
    assert (found.series.symbol, found.series.step_ms, found.series.kind) == ("BTC-USDT", 3_600_000, SeriesKind.CANDLES)
    for name in ("open_ms", *COLUMNS):
        np.testing.assert_array_equal(getattr(found.series, name), getattr(SERIES, name), err_msg=name)


@pytest.mark.parametrize(
    ("name", "symbol", "kind"),
    [
        ("BTC_USDT_USDT-1h-futures", "BTC-USDT-PERP", SeriesKind.CANDLES),
        ("BTC_USDT_USDT-1h-mark", "BTC-USDT-PERP", SeriesKind.MARK),
    ],
)
def test_freqtrade_names_of_perpetuals(tmp_path: Path, name: str, symbol: str, kind: SeriesKind) -> None:
    folder = tmp_path / "bybit" / "futures"
    folder.mkdir(parents=True)
    path = folder / f"{name}.feather"
    feather.write_feather(table("date", pa.array(SERIES.open_ms, pa.timestamp("ms", tz="UTC"))), path)
    found = read_foreign(path)
    assert (found.series.symbol, found.series.kind, found.folder) == (symbol, kind, "bybit")
    assert np.isnan(found.series.volume).all() == (kind is SeriesKind.MARK)


@pytest.mark.parametrize("per_second", [1, 1000, 10**6, 10**9])
def test_the_unit_of_numbers_is_told_by_their_size(tmp_path: Path, per_second: int) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(table("time", pa.array(SERIES.open_ms // 1000 * per_second, pa.int64())), path)
    found = read_foreign(path, symbol="BTC-USDT", step_ms=3_600_000)
    np.testing.assert_array_equal(found.series.open_ms, SERIES.open_ms)


def test_a_name_that_says_nothing_asks_for_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("x\n")
    with pytest.raises(DataError, match="--instrument"):
        read_foreign(path)
    with pytest.raises(DataError, match="--timeframe"):
        read_foreign(path, symbol="BTC-USDT")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("BTC_USDT-1h.feather", b"", "cannot be read"),
        ("BTC_USDT-1h.feather", b"\x00" * 100, "cannot be read"),
        ("BTC_USDT-1h.json", b"", "cannot be read"),
        ("BTC_USDT-1h.json", b'{"a": 1}', "expected a list"),
        ("BTC_USDT-1h.json", b"[]", "is empty"),
        ("BTC_USDT-1h.json", b"[[1,2,3]]", "row 0"),
        ("BTC_USDT-1h.json", b'[[1760659200000,1,1,1,1,1],[1760662800000,"x",1,1,1,1]]', "row 1"),
        ("BTC_USDT-1h.json", b"[[1.5,1,1,1,1,1]]", "whole number"),
        ("BTC_USDT-1h.json", b"\xff\xfe", "cannot be read"),
        ("BTC_USDT-1h.json.gz", b"not zipped", "cannot be read"),
        ("BTC-USDT-1h.csv", b"", "cannot be read"),
        ("BTC-USDT-1h.csv", b"a,b\n1,2\n", "is missing"),
        ("BTC-USDT-1h.csv", b"1760659200000,1,2\n", "no header"),
        ("BTC-USDT-1h.csv", b"ts,open,high,low,close,volume\nyesterday,1,1,1,1,1\n", "yesterday"),
        ("BTC-USDT-1h.csv", b"ts,open,high,low,close,volume\n1760659200000,1,tall,1,1,1\n", "tall"),
        ("BTC-USDT-1h.csv", b"ts,open,high,low,close,volume\n12,1,1,1,1,1\n", "1971"),
        ("BTC-USDT-1h.csv", b"\xff\xfe\x00", "cannot be read"),
        ("BTC-USDT-1h.xlsx", b"", "name"),
    ],
)  # fmt: skip
def test_rubbish_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=says) as caught:
        read_foreign(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)

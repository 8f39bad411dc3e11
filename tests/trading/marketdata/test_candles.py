from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from trading.domain.errors import DataError
from trading.marketdata import FileRefused, SeriesKind, read_candles, read_funding

NAME = "BTC-USDT-1h"
START_MS = 1_760_659_200_000


def refusal(path):
    with pytest.raises(FileRefused) as caught:
        read_candles(path)
    assert isinstance(caught.value, DataError)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_parquet_and_csv_give_the_same_candles(write_parquet, write_csv, columns):
    stored, text = write_parquet(f"{NAME}.parquet", columns(5)), write_csv(f"{NAME}.csv", columns(5))
    for path in (stored, text):
        series = read_candles(path)
        assert (series.symbol, series.step_ms, series.kind) == ("BTC-USDT", 3_600_000, SeriesKind.CANDLES)
        for name, cells in columns(5).items():
            found = series.open_ms if name == "ts" else getattr(series, name)
            assert found.tolist() == cells
        assert series.open_ms.dtype == np.int64
        assert series.close.dtype == np.float64


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_a_timestamp_of_any_unit_and_zone_is_the_same_instant(write_parquet, columns, unit, zone):
    cells = columns(3)
    cells["ts"] = [datetime.fromtimestamp(ts / 1000, UTC) for ts in cells["ts"]]
    path = write_parquet(f"{NAME}.parquet", cells, ts=pa.timestamp(unit, tz=zone))
    assert read_candles(path).open_ms.tolist() == columns(3)["ts"]


@pytest.mark.parametrize(
    "text",
    [
        ["2025-10-17T00:00:00Z", "2025-10-17T01:00:00Z"],
        ["2025-10-17T02:00:00+02:00", "2025-10-17T03:00:00+02:00"],
        ["2025-10-17 00:00:00", "2025-10-17 01:00:00.000000"],
        ["2025-10-17", "2025-10-17T01:00"],
        ["1760659200000", "1760662800000"],
    ],
)
def test_csv_times_in_any_one_form(write_csv, columns, text):
    assert read_candles(write_csv(f"{NAME}.csv", columns(2) | {"ts": text})).open_ms.tolist() == columns(2)["ts"]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (["2025-10-17T00:00:00Z", "2025-10-17T01:00:00"], 1),
        (["2025-10-17T00:00:00", "2025-10-17T01:00:00Z"], 1),
        (["1760659200000", "2025-10-17T01:00:00Z"], 1),
        (["1760659200000", "1760662800000.5"], 1),
        (["yesterday", "today"], 0),
        (["2025-10-17T00:00:00Z", ""], 1),
        (["2025-10-17T00:00:00.000001", "2025-10-17T01:00:00"], 0),
        (["1760659200", "1760662800"], 0),  # seconds
        (["1760659200000000000", "1760662800000000000"], 0),  # nanoseconds
        (["99999999999999999999", "1"], 0),
    ],
)
def test_csv_times_in_another_form_are_refused_by_row(write_csv, columns, text, row):
    refused = refusal(write_csv(f"{NAME}.csv", columns(2) | {"ts": text}))
    assert refused.row == row
    assert "ts" in refused.reason


def test_columns_may_stand_in_any_order(write_parquet, columns):
    cells = dict(reversed(columns(3).items()))
    assert read_candles(write_parquet(f"{NAME}.parquet", cells)).high.tolist() == cells["high"]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_missing_and_unknown_columns_are_named(write_parquet, write_csv, columns, ending):
    write = write_parquet if ending == "parquet" else write_csv
    cells = columns(3)
    without = {name: values for name, values in cells.items() if name != "low"}
    assert "column 'low' is missing" in refusal(write(f"{NAME}.{ending}", without)).reason
    assert "unknown column 'vwap'" in refusal(write(f"{NAME}.{ending}", cells | {"vwap": [1.0] * 3})).reason


def test_a_column_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / f"{NAME}.csv"
    path.write_text("ts,open,high,low,close,volume,open\n1760659200000,1,1,1,1,1,1\n")
    assert "twice" in refusal(path).reason


@pytest.mark.parametrize("content", [b"", b"ts,open,high,low,close,volume\n"])
def test_an_empty_csv_is_refused(tmp_path, content):
    path = tmp_path / f"{NAME}.csv"
    path.write_bytes(content)
    assert "empty" in refusal(path).reason.lower()


def test_an_empty_parquet_is_refused(write_parquet, columns):
    path = write_parquet(f"{NAME}.parquet", columns(0), **dict.fromkeys(columns(0).keys() - {"ts"}, pa.float64()))
    assert "empty" in refusal(path).reason


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a table at all", bytes(range(256)) * 8, b"PAR1" * 40])
def test_what_is_not_parquet_is_refused(tmp_path, content):
    path = tmp_path / f"{NAME}.parquet"
    path.write_bytes(content)
    assert "cannot be read as Parquet" in refusal(path).reason


def test_a_cut_or_corrupt_parquet_is_refused(write_parquet, columns):
    path = write_parquet(f"{NAME}.parquet", columns(500))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "cannot be read as Parquet" in refusal(path).reason


def test_a_missing_file_or_folder_is_refused(tmp_path):
    assert "no such file" in refusal(tmp_path / f"{NAME}.parquet").reason
    (tmp_path / f"{NAME}.csv").mkdir()
    assert "no such file" in refusal(tmp_path / f"{NAME}.csv").reason


@pytest.mark.parametrize("cell", ["abc", "1;5", "1_000", "0x10", " 7", "--1"])
def test_text_in_a_number_is_refused_by_row(write_csv, columns, cell):
    cells = columns(300)
    cells["close"][217] = cell
    refused = refusal(write_csv(f"{NAME}.csv", cells))
    assert refused.row == 217
    assert "close" in refused.reason
    assert cell in refused.reason


def test_the_first_of_several_bad_rows_is_named(write_csv, columns):
    cells = columns(50)
    cells["close"][9] = cells["close"][31] = "x"
    assert refusal(write_csv(f"{NAME}.csv", cells)).row == 9


@pytest.mark.parametrize("extra", ["1760659200000,1,1,1", "1760659200000,1,1,1,1,1,1"])
def test_a_ragged_csv_is_refused_by_row(tmp_path, extra):
    path = tmp_path / f"{NAME}.csv"
    path.write_text(f"ts,open,high,low,close,volume\n1760659200000,1,1,1,1,1\n\n{extra}\n")
    refused = refusal(path)
    assert refused.row == 1
    assert "expected 6" in refused.reason


def test_binary_rubbish_in_csv_is_refused(tmp_path):
    path = tmp_path / f"{NAME}.csv"
    path.write_bytes(b"ts,open,high,low,close,volume\n1760659200000,\xff\xfe,1,1,1,1\n")
    assert NAME in str(refusal(path))


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("close", ["1", "2"], pa.string()),
        ("close", [True, False], pa.bool_()),
        ("ts", [START_MS, START_MS + 1], pa.int64()),
        ("ts", ["2025-10-17T00:00:00Z", "x"], pa.string()),
    ],
)
def test_a_parquet_column_of_another_type_is_refused(write_parquet, columns, column, values, kind):
    path = write_parquet(f"{NAME}.parquet", columns(2) | {column: values}, **{column: kind})
    assert f"column {column!r} has type" in refusal(path).reason


def test_integers_and_small_floats_are_numbers(write_parquet, columns):
    path = write_parquet(
        f"{NAME}.parquet", columns(2) | {"volume": [1, 2], "close": [1.5, 2.5]}, volume=pa.int32(), close=pa.float32()
    )
    series = read_candles(path)
    assert series.volume.tolist() == [1.0, 2.0]
    assert series.close.tolist() == [1.5, 2.5]


def test_an_empty_cell_is_nan_and_not_zero(write_parquet, write_csv, columns):
    cells = columns(3)
    cells["close"][1] = None
    assert np.isnan(read_candles(write_parquet(f"{NAME}.parquet", cells)).close).tolist() == [False, True, False]
    cells["close"][1] = ""
    assert np.isnan(read_candles(write_csv(f"{NAME}.csv", cells)).close).tolist() == [False, True, False]


def test_an_empty_or_too_fine_time_is_refused_by_row(write_parquet, columns):
    cells = columns(3)
    cells["ts"][2] = None
    assert refusal(write_parquet(f"{NAME}.parquet", cells)).row == 2
    cells["ts"] = [START_MS * 1000, START_MS * 1000 + 1, START_MS * 1000 + 2]
    assert refusal(write_parquet(f"{NAME}.parquet", cells, ts=pa.timestamp("us"))).row == 1


def test_a_mark_series_has_no_volume(write_parquet, columns):
    cells = columns(3)
    name = "BTC-USDT-PERP-mark-1h.parquet"
    assert "unknown column 'volume'" in refusal(write_parquet(name, cells)).reason
    del cells["volume"]
    series = read_candles(write_parquet(name, cells))
    assert series.kind is SeriesKind.MARK
    assert np.isnan(series.volume).all()


def test_funding_is_read_with_the_same_strictness(write_parquet, write_csv):
    cells = {"ts": [START_MS, START_MS + 28_800_000], "funding_rate": [0.0001, -0.0002]}
    for path in (
        write_parquet("BTC-USDT-PERP-funding.parquet", cells),
        write_csv("BTC-USDT-PERP-funding.csv", cells),
    ):
        symbol, rates = read_funding(path)
        assert symbol == "BTC-USDT-PERP"
        assert rates.ts_ms.tolist() == cells["ts"]
        assert rates.rate.tolist() == cells["funding_rate"]
    with pytest.raises(FileRefused, match="unknown column 'mark'"):
        read_funding(write_parquet("BTC-USDT-PERP-funding.parquet", cells | {"mark": [1.0, 2.0]}))
    with pytest.raises(FileRefused, match="row 1: funding_rate 'high'"):
        read_funding(write_csv("BTC-USDT-PERP-funding.csv", cells | {"funding_rate": ["0.1", "high"]}))

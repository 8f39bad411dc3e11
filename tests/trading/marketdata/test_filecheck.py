import json

import pytest

from trading.marketdata import check_file, check_files


def test_a_sound_file_is_reported_as_the_command_line_prints_it(write_parquet, columns):
    path = write_parquet("BTC-USDT-PERP-1h.parquet", columns(24))
    assert check_file(path).to_json() == {
        "path": str(path),
        "ok": True,
        "symbol": "BTC-USDT-PERP",
        "timeframe": "1h",
        "series": "candles",
        "rows": 24,
        "first": "2025-10-17T00:00:00Z",
        "last": "2025-10-17T23:00:00Z",
        "gaps": 0,
        "missing_bars": 0,
        "problem_count": 0,
        "problems": [],
        "refused_rows": None,
        "zero_volume": 1,
        "outliers": 0,
        "largest_gap_bars": 0,
        "largest_gap_at": None,
        "oddities": [],
    }


def test_rubbish_is_a_report_and_never_an_exception(tmp_path, write_csv, write_parquet, columns):
    cells = columns(4)
    cells["high"][2] = "tall"
    text = write_csv("A-USDT-1h.csv", cells)
    binary = tmp_path / "B-USDT-1h.parquet"
    binary.write_bytes(b"\x00\x01\x02")
    misnamed = write_parquet("prices.parquet", columns(4))
    missing = tmp_path / "C-USDT-1h.parquet"
    funding = write_parquet("D-USDT-PERP-funding.parquet", {"ts": [0], "rate": [0.1]})

    reports = [report.to_json() for report in check_files([text, binary, misnamed, missing, funding])]
    json.dumps(reports, allow_nan=False)
    assert [report["ok"] for report in reports] == [False] * 5
    assert [report["rows"] for report in reports] == [None] * 5
    assert [report["problems"][0]["row"] for report in reports] == [2, None, None, None, None]
    reasons = [report["problems"][0]["reason"] for report in reports]
    for reason, expected in zip(
        reasons, ["high 'tall'", "as Parquet", "not the name", "no such file", "column 'funding_rate' is missing"],
        strict=True,
    ):  # fmt: skip
        assert expected in reason


def test_bad_rows_are_listed_with_their_reasons(write_csv, columns):
    cells = columns(5)
    cells["ts"][3] = cells["ts"][2]
    cells["close"][4] = "nan"
    report = check_file(write_csv("BTC-USDT-1h.csv", cells)).to_json()
    assert (report["ok"], report["rows"], report["problem_count"]) == (False, 5, 2)
    assert report["problems"] == [
        {"row": 3, "reason": "duplicate ts 2025-10-17T02:00:00Z: an earlier row has it too"},
        {"row": 4, "reason": "close is NaN or empty, expected a number"},
    ]


# Counted by an independent check when the recordings were collected.
GAPS = {
    "ADA-USDT-1h": (67_492, 25, 88),
    "AVAX-USDT-1h": (46_222, 10, 20),
    "BTC-USDT-1h": (70_006, 27, 122),
    "DOGE-USDT-1h": (56_872, 18, 44),
    "ETH-USDT-1h": (70_006, 27, 122),
    "LINK-USDT-1h": (60_938, 20, 60),
    "LTC-USDT-1h": (70_006, 27, 122),
    "SOL-USDT-1h": (47_230, 10, 20),
    "XRP-USDT-1h": (67_080, 25, 88),
    "BTC-USDT-1m-202408": (43_209, 0, 0),
    "ETH-USDT-1m-202408": (43_208, 0, 0),
}


@pytest.mark.parametrize("name", GAPS)
def test_known_gaps_of_real_recordings(recordings, name):
    report = check_file(recordings / "ohlcv" / "binance" / f"{name}.parquet")
    assert report.problems == ()
    assert report.quality is not None
    assert (report.quality.rows, report.quality.gaps, report.quality.missing_bars) == GAPS[name]


def test_minutes_without_a_trade_are_gaps(recordings):
    report = check_file(recordings / "ohlcv/kraken/BTC-USDC-1m-202303.parquet").to_json()
    assert (report["ok"], report["gaps"], report["missing_bars"]) == (True, 5916, 14_520)


def test_every_real_recording_is_sound(recordings):
    paths = [*recordings.glob("ohlcv/*/*.parquet"), *recordings.glob("funding/*/*.parquet")]
    assert len(paths) >= 30
    assert {report.path.name: report.problems for report in check_files(paths) if not report.ok} == {}

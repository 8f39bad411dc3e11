"""The crash of 5 August 2024 by the minute: a move of the market, and what is planted beside it a fault."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trading.features.anomalies import Kind, Severity, scan
from trading.features.frame import FeatureFrame
from trading.marketdata import read_candles

DATA = Path(os.environ.get("TRADEFLOOR_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
DAY = int(np.datetime64("2024-08-05T00:00").astype("datetime64[ms]").astype(int))
MINUTE_MS = 60_000
COLUMNS = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module", params=["BTC-USDT", "ETH-USDT"])
def crash(request: pytest.FixtureRequest) -> FeatureFrame:
    """Twelve hours before the day and its first twelve."""
    folder = DATA / "ohlcv" / "binance"
    own, btc = (read_candles(folder / f"{symbol}-1m-202408.parquet") for symbol in (request.param, "BTC-USDT"))
    rows, others = (
        (each.open_ms >= DAY - 720 * MINUTE_MS) & (each.open_ms < DAY + 720 * MINUTE_MS) for each in (own, btc)
    )
    columns = {name: getattr(own, name)[rows] for name in COLUMNS}
    columns["reference_close"] = btc.close[others]
    return FeatureFrame(instrument=request.param, step_ms=MINUTE_MS, open_ms=own.open_ms[rows], columns=columns)


def test_the_crash_is_a_market_move_and_no_fault(crash: FeatureFrame) -> None:
    found = scan(crash).anomalies
    hour = [each for each in found if DAY + 3_600_000 <= each.open_ms < DAY + 2 * 3_600_000 and each.what == "price"]
    critical = [each for each in hour if each.severity is Severity.CRITICAL]
    assert critical
    assert {each.kind for each in critical} == {Kind.MARKET}
    assert min(each.score for each in critical) < -10
    assert [each for each in found if each.kind is Kind.FAULT] == []


def test_faults_planted_in_the_calm_before_are_faults(crash: FeatureFrame) -> None:
    columns = {name: column.copy() for name, column in crash.columns.items()}
    columns["close"][400] *= 1.08  # a bad tick that the next bar takes back
    columns["high"][400] = max(columns["high"][400], columns["close"][400])
    columns["close"][500] /= 10  # a decimal slip
    columns["low"][500] = min(columns["low"][500], columns["close"][500])
    for name in COLUMNS:
        columns[name][550] = columns[name][549]  # the same bar twice
    for name in ("open", "high", "low", "close"):
        columns[name][600:620] = columns["close"][599]  # a feed that stands still
    columns["volume"][600:620] = 0.0
    kept = np.ones(len(crash), bool)
    kept[650:660] = False
    frame = replace(crash, open_ms=crash.open_ms[kept], columns={name: each[kept] for name, each in columns.items()})
    faults = [each for each in scan(frame).anomalies if each.method == "fault check"]
    minutes = {(each.what, int((each.open_ms - int(crash.open_ms[0])) // MINUTE_MS)) for each in faults}
    assert {("bad tick", 401), ("decimal slip", 500), ("duplicated bar", 550), ("gap", 660)} <= minutes
    assert {what for what, minute in minutes if 600 <= minute < 620} == {"stuck price", "zero volume"}
    assert {what for what, minute in minutes if minute > 720} <= {"gap"}

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.marketdata import CandleSeries, FundingRates, SeriesKind, check_funding, check_series

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000


def series(rows=6, **columns):
    whole = CandleSeries(
        symbol="BTC-USDT",
        step_ms=HOUR_MS,
        kind=SeriesKind.CANDLES,
        open_ms=START_MS + HOUR_MS * np.arange(rows),
        open=np.full(rows, 100.0),
        high=np.full(rows, 102.0),
        low=np.full(rows, 99.0),
        close=np.full(rows, 101.0),
        volume=np.zeros(rows),
    )
    return replace(whole, **columns)


def with_cell(column, row, value):
    cells = getattr(series(), column).copy()
    cells[row] = value
    return series(**{column: cells})


def found(report):
    return [(problem.row, problem.reason) for problem in report.problems]


def test_a_sound_series_has_no_problem():
    report = check_series(series())
    assert report.ok
    assert found(report) == []
    assert (report.rows, report.gaps, report.missing_bars) == (6, 0, 0)
    assert (report.first_ms, report.last_ms) == (START_MS, START_MS + 5 * HOUR_MS)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("open", np.nan, "open is NaN"),
        ("high", np.inf, "high is infinite"),
        ("low", -np.inf, "low is infinite"),
        ("close", np.nan, "close is NaN"),
        ("volume", np.nan, "volume is NaN"),
        ("open", 0.0, "open is 0.0, expected a positive price"),
        ("low", -1.0, "low is -1.0, expected a positive price"),
        ("volume", -0.5, "volume is -0.5"),
        ("low", 103.0, "low 103.0 > high 102.0"),
        ("open", 98.0, "open 98.0 is outside low 99.0 .. high 102.0"),
        ("close", 102.5, "close 102.5 is outside low 99.0 .. high 102.0"),
    ],
)
def test_a_bad_cell_is_found_in_its_row(column, value, reason):
    report = check_series(with_cell(column, 3, value))
    assert not report.ok
    assert any(row == 3 and text.startswith(reason) for row, text in found(report))
    assert {row for row, _ in found(report)} == {3}


def test_prices_at_the_bounds_of_a_bar_are_sound():
    assert check_series(series(open=np.full(6, 99.0), close=np.full(6, 102.0))).ok


def test_duplicates_and_disorder_are_told_apart():
    hours = np.array([0, 1, 1, 4, 3, 1, 5])
    report = check_series(series(7, open_ms=START_MS + HOUR_MS * hours))
    assert [row for row, text in found(report) if text.startswith("duplicate")] == [2, 5]
    assert [row for row, text in found(report) if text.startswith("unsorted")] == [4, 5]
    assert [row for row, _ in found(report)] == [2, 4, 5, 5]
    assert found(report)[0][1] == "duplicate ts 2025-10-17T01:00:00Z: an earlier row has it too"


def test_a_bar_off_the_grid_is_a_problem():
    report = check_series(with_cell("open_ms", 2, START_MS + 2 * HOUR_MS + 60_000))
    assert found(report) == [(2, "ts 2025-10-17T02:01:00Z is not on the 1h grid")]


def test_weekly_bars_open_on_mondays():
    week_ms = 168 * HOUR_MS
    monday = 1_760_313_600_000  # 2025-10-13
    weeks = monday + week_ms * np.arange(6)
    assert check_series(series(step_ms=week_ms, open_ms=weeks)).ok
    assert check_series(series(step_ms=week_ms, open_ms=weeks + 24 * HOUR_MS)).problem_count == 6


def test_gaps_are_counted_and_are_no_problem():
    report = check_series(series(open_ms=START_MS + HOUR_MS * np.array([0, 1, 3, 4, 8, 9])))
    assert report.ok
    assert (report.gaps, report.missing_bars) == (2, 4)


def test_the_first_hundred_problems_by_row_are_listed_and_all_are_counted():
    report = check_series(series(5000, open=np.full(5000, np.nan), low=np.full(5000, -1.0)))
    assert report.problem_count == 10_000
    assert len(report.problems) == 100
    assert [row for row, _ in found(report)] == [row for row in range(50) for _ in range(2)]


def test_a_mark_series_is_not_judged_by_its_volume():
    nothing = np.full(6, np.nan)
    assert check_series(series(kind=SeriesKind.MARK, volume=nothing)).ok
    assert not check_series(series(volume=nothing)).ok


@given(
    columns=st.lists(
        st.just((100.0, 102.0, 99.0, 101.0, 1.0)) | st.tuples(*[st.floats()] * 5), min_size=1, max_size=12
    ),
    hours=st.just(list(range(12))) | st.lists(st.integers(0, 14), min_size=12, max_size=12),
)
@settings(deadline=None)
def test_ok_means_exactly_that_every_row_is_sound(columns, hours):
    rows = len(columns)
    cells = np.array(columns, dtype=np.float64).T
    names = ("open", "high", "low", "close", "volume")
    report = check_series(
        series(rows, open_ms=START_MS + HOUR_MS * np.array(hours[:rows]), **dict(zip(names, cells, strict=True)))
    )

    def sound(row):
        opened, high, low, close, volume = columns[row]
        finite = all(np.isfinite(value) for value in columns[row])
        inside = 0 < low <= min(opened, close) and max(opened, close) <= high
        in_order = row == 0 or hours[row] > max(hours[:row])
        return finite and inside and volume >= 0 and in_order

    assert report.ok == all(sound(row) for row in range(rows))
    assert {row for row, _ in found(report)} == {row for row in range(rows) if not sound(row)}


def test_funding_problems_by_row():
    rates = FundingRates(
        ts_ms=START_MS + 8 * HOUR_MS * np.array([0, 1, 1, 0, 4]), rate=np.array([0.0001, np.nan, 0.01, -1.5, np.inf])
    )
    assert [(row, text.split(",")[0].partition(": an")[0]) for row, text in found(check_funding(rates))] == [
        (1, "funding_rate is NaN or empty"),
        (2, "duplicate ts 2025-10-17T08:00:00Z"),
        (3, "duplicate ts 2025-10-17T00:00:00Z"),
        (3, "unsorted ts 2025-10-17T00:00:00Z"),
        (3, "funding_rate is -1.5"),
        (4, "funding_rate is infinite"),
    ]

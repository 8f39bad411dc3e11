"""The store grows and never loses: what is in it after any order of takes, crashes and disagreements."""

import multiprocessing
import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trading.marketdata.store.conftest import HOUR_MS, KEY, NOW_MS, START_MS, bars
from trading.domain.errors import RequestError
from trading.marketdata import FileRefused, SeriesKind, check_file, read_candles
from trading.marketdata.store import CandleStore, SeriesKey, Span

COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")


def assert_same(found, expected) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def test_what_went_in_comes_out_and_the_file_is_a_candle_file(store) -> None:
    taken = store.add(KEY, bars(0, 50), source="loopback", now_ms=NOW_MS)
    assert (taken.added, taken.repeated, taken.refused, taken.unclosed, taken.conflict_bars) == (50, 0, 0, 0, 0)
    path = store.path_of(KEY)
    assert path == store.root / "binance" / "BTC-USDT-1h.parquet"
    assert_same(store.read(KEY), bars(0, 50))
    assert check_file(path).ok
    assert pq.read_schema(path).field("ts").type == pa.timestamp("ms", tz="UTC")
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".partial"] == []


def test_the_entry_says_what_is_there(store) -> None:
    store.add(KEY, bars(0, 20), source="loopback", now_ms=NOW_MS)
    store.add(KEY, bars(25, 40), source="freqtrade feather", now_ms=NOW_MS + 5)
    row = store.row_of(KEY)
    assert (row.venue, row.symbol, row.rows, row.gaps, row.missing_bars) == ("binance", "BTC-USDT", 35, 1, 5)
    assert (row.first_ms, row.last_ms) == (START_MS, START_MS + 39 * HOUR_MS)
    assert [(each.source, each.rows, each.fetched_ms) for each in row.origins] == [
        ("loopback", 20, NOW_MS),
        ("freqtrade feather", 15, NOW_MS + 5),
    ]
    assert row.covered == (
        Span(START_MS, START_MS + 20 * HOUR_MS),
        Span(START_MS + 25 * HOUR_MS, START_MS + 40 * HOUR_MS),
    )
    assert store.catalogue() == ([row], [])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(takes=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), min_size=1, max_size=6))
def test_any_order_of_takes_gives_one_series(tmp_path_factory, takes) -> None:
    store = CandleStore(tmp_path_factory.mktemp("store"))
    for first, count in takes:
        store.add(KEY, bars(first, first + count), source="loopback", now_ms=NOW_MS)
    wanted = sorted({number for first, count in takes for number in range(first, first + count)})
    whole = bars(0, 100)
    mask = np.isin(np.arange(100), wanted)
    assert_same(store.read(KEY), whole.picked(mask))
    row = store.row_of(KEY)
    assert row.rows == len(wanted)
    again = CandleStore(tmp_path_factory.mktemp("again"))
    assert again.add(KEY, whole.picked(mask), source="x", now_ms=NOW_MS).row.sha256 == row.sha256


def test_where_two_sources_disagree_the_first_stands_and_the_bar_is_named(store) -> None:
    store.add(KEY, bars(0, 10), source="loopback", now_ms=NOW_MS)
    other = bars(5, 15)
    volume = other.volume.copy()
    volume[2] = 99.0
    taken = store.add(KEY, replace(other, volume=volume), source="elsewhere", now_ms=NOW_MS)
    assert (taken.added, taken.repeated, taken.conflict_bars) == (5, 5, 1)
    (conflict,) = taken.conflicts
    assert conflict.to_json() == {"at": "2025-10-17T07:00:00Z", "column": "volume", "kept": 1.0, "refused": 99.0}
    assert_same(store.read(KEY), bars(0, 15))


def test_a_bar_that_is_not_over_is_never_kept(store) -> None:
    now_ms = START_MS + 9 * HOUR_MS + 1
    taken = store.add(KEY, bars(0, 10), source="loopback", now_ms=now_ms, covered=Span(START_MS, NOW_MS))
    assert (taken.added, taken.unclosed) == (9, 1)
    assert taken.row.covered == (Span(START_MS, START_MS + 9 * HOUR_MS),)
    assert store.add(KEY, bars(9, 10), source="loopback", now_ms=START_MS + 10 * HOUR_MS).added == 1


def test_bad_rows_are_left_out_and_counted(store) -> None:
    series = bars(0, 8)
    close = series.close.copy()
    close[3] = np.nan
    low = series.low.copy()
    low[5] = 103.0
    open_ms = series.open_ms.copy()
    open_ms[6] = open_ms[4]
    taken = store.add(KEY, replace(series, close=close, low=low, open_ms=open_ms), source="loopback", now_ms=NOW_MS)
    assert (taken.added, taken.refused) == (5, 3)
    assert taken.row.refused_rows == 3
    assert check_file(taken.row.path).ok
    assert store.add(KEY, bars(0, 8), source="loopback", now_ms=NOW_MS).added == 3


def test_nothing_sound_makes_no_file(store) -> None:
    taken = store.add(KEY, bars(0, 0), source="loopback", now_ms=NOW_MS)
    assert (taken.row, taken.added) == (None, 0)
    assert store.read(KEY) is None
    assert store.row_of(KEY) is None
    assert store.files() == []


def test_mark_candles_have_a_file_of_their_own(store) -> None:
    key = replace(KEY, symbol="BTC-USDT-PERP", kind=SeriesKind.MARK)
    series = replace(bars(0, 5), symbol="BTC-USDT-PERP", kind=SeriesKind.MARK, volume=np.full(5, np.nan))
    assert store.add(key, series, source="loopback", now_ms=NOW_MS).added == 5
    assert store.path_of(key).name == "BTC-USDT-PERP-mark-1h.parquet"
    assert store.add(key, series, source="loopback", now_ms=NOW_MS).conflict_bars == 0


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all" * 100])
def test_a_damaged_file_is_named_and_never_overwritten(store, content: bytes) -> None:
    path = store.path_of(KEY)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="BTC-USDT-1h"):
        store.add(KEY, bars(0, 5), source="loopback", now_ms=NOW_MS)
    assert path.read_bytes() == content
    rows, refused = store.catalogue()
    assert (rows, [each.path for each in refused]) == ([], [path])


def test_a_file_of_someone_else_is_not_taken_for_ours(store) -> None:
    path = store.path_of(KEY)
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"ts": pa.array([START_MS], pa.timestamp("ms"))}), path)
    with pytest.raises(FileRefused, match="data import"):
        store.add(KEY, bars(0, 5), source="loopback", now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("venue", "symbol"),
    [("../etc", "BTC-USDT"), ("", "BTC-USDT"), ("Binance", "BTC-USDT"), ("binance", "BTC/USDT"), ("binance", "../x")],
)
def test_what_could_leave_the_folder_is_refused(venue: str, symbol: str) -> None:
    with pytest.raises(RequestError, match="expected"):
        SeriesKey(venue=venue, symbol=symbol, step_ms=HOUR_MS)


def test_a_writer_waits_for_another_and_says_so_when_it_takes_too_long(store, monkeypatch) -> None:
    monkeypatch.setattr("trading.marketdata.store.writing._LOCK_WAIT_S", 0.05)
    folder = store.path_of(KEY).parent
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / ".lock", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RequestError, match="another process"):
            store.add(KEY, bars(0, 5), source="loopback", now_ms=NOW_MS)
    assert store.add(KEY, bars(0, 5), source="loopback", now_ms=NOW_MS).added == 5


def _write_for_ever(root: Path) -> None:
    store = CandleStore(root)
    for number in range(100_000):
        store.add(KEY, bars(number, number + 500), source="loopback", now_ms=NOW_MS + 10**12)


@pytest.mark.parametrize("after_s", [0.05, 0.11, 0.17])
def test_a_killed_writer_leaves_a_whole_file(store, after_s: float) -> None:
    process = multiprocessing.get_context("fork").Process(target=_write_for_ever, args=(store.root,))
    process.start()
    try:
        deadline = time.monotonic() + 20
        while not store.files():
            assert time.monotonic() < deadline, "nothing was written"
            time.sleep(0.005)
        time.sleep(after_s)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.join()
    row = store.row_of(KEY)
    assert_same(read_candles(row.path), bars(0, row.rows))
    assert store.add(KEY, bars(0, 1000), source="loopback", now_ms=NOW_MS + 10**12).row.rows >= 1000

import subprocess
import sys

import numpy as np
import pytest

from trading.domain.errors import DataError
from trading.domain.instants import parse_instant, to_ms
from trading.marketdata import expand_paths, load_tape

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_760_659_200_000


def at(text):
    return to_ms(parse_instant(text))


def load(paths, instruments, start_h=0, end_h=100, *, funding=(), history_bars=1000):
    return load_tape(
        paths,
        funding,
        instruments,
        START_MS + start_h * HOUR_MS,
        START_MS + end_h * HOUR_MS,
        history_bars=history_bars,
    )


def test_bars_from_the_history_to_the_end_and_none_after(write_parquet, columns):
    path = write_parquet("BTC-USDT-1h.parquet", columns(50))
    tape = load([path], ["BTC-USDT"], 20, 30, history_bars=5)
    assert ((tape.open_ms - START_MS) // HOUR_MS).tolist() == list(range(15, 30))
    assert tape.close[0].tolist() == columns(50)["close"][15:30]
    assert (tape.source, tape.step_ms, tape.symbols) == ("replay", HOUR_MS, ("BTC-USDT",))


def test_the_grid_is_the_union_and_what_is_missing_is_nan(write_parquet, columns):
    cells = {name: values[:2] + values[4:] for name, values in columns(6).items()}
    paths = [
        write_parquet("A-USDT-1h.parquet", columns(3)),
        write_parquet("B-USDT-1h.parquet", cells),
    ]
    tape = load(paths, ["B-USDT", "A-USDT"])
    assert tape.symbols == ("B-USDT", "A-USDT")
    assert ((tape.open_ms - START_MS) // HOUR_MS).tolist() == [0, 1, 2, 4, 5]
    for column in (tape.open, tape.high, tape.low, tape.close, tape.volume):
        assert np.isnan(column).tolist() == [[False, False, True, False, False], [False, False, False, True, True]]


def test_adjacent_files_of_one_instrument_are_joined(write_parquet, columns):
    late = write_parquet("BTC-USDT-1h-b.parquet", columns(10, START_MS + 10 * HOUR_MS))
    early = write_parquet("BTC-USDT-1h-a.parquet", columns(10))
    tape = load([late, early], ["BTC-USDT"])
    assert len(tape) == 20
    assert tape.close[0].tolist() == columns(10)["close"] * 2


def test_overlapping_files_are_refused(write_parquet, columns):
    first = write_parquet("BTC-USDT-1h-a.parquet", columns(11))
    second = write_parquet("BTC-USDT-1h-b.parquet", columns(10, START_MS + 10 * HOUR_MS))
    with pytest.raises(DataError, match=r"-1h-b.parquet begins at 2025-10-17T10:00:00Z, but .*-1h-a.parquet"):
        load([first, second], ["BTC-USDT"])


def test_mixed_timeframes_are_refused(write_parquet, columns):
    paths = [
        write_parquet("BTC-USDT-1h.parquet", columns(3)),
        write_parquet("ETH-USDT-1m.parquet", columns(3, step_ms=60_000)),
    ]
    with pytest.raises(DataError, match=r"mixed timeframes: 1m \(ETH-USDT-1m.parquet\), 1h \(BTC-USDT-1h.parquet\)"):
        load(paths, ["BTC-USDT", "ETH-USDT"])
    assert load(paths, ["BTC-USDT"]).step_ms == HOUR_MS


def test_mark_series_and_other_instruments_are_left_out_unread(tmp_path, write_parquet, columns):
    paths = [write_parquet("BTC-USDT-PERP-1h.parquet", columns(3)), tmp_path / "X-USDT-1h.parquet"]
    paths.append(tmp_path / "BTC-USDT-PERP-mark-1h.parquet")
    for path in paths[1:]:
        path.write_bytes(b"rubbish")
    assert load(paths, ["BTC-USDT-PERP"]).symbols == ("BTC-USDT-PERP",)
    with pytest.raises(DataError, match=r"X-USDT-1h\.parquet: cannot be read"):
        load(paths, ["X-USDT"])


def test_an_instrument_without_data_is_named_with_what_there_is(tmp_path, write_parquet, columns):
    path = write_parquet("BTC-USDT-1h.parquet", columns(3))
    with pytest.raises(DataError, match=r"instrument DOGE-USDT is not in the data; found: BTC-USDT$"):
        load([path], ["BTC-USDT", "DOGE-USDT"])
    with pytest.raises(DataError, match="found: no candles"):
        load([tmp_path / "BTC-USDT-mark-1h.parquet"], ["BTC-USDT"])


def test_an_instrument_without_a_bar_in_the_season_is_refused(write_parquet, columns):
    path = write_parquet("BTC-USDT-1h.parquet", columns(10))
    with pytest.raises(DataError, match="BTC-USDT has no bar from 2025-10-17T10:00:00Z"):
        load([path], ["BTC-USDT"], 10, 20)
    assert len(load([path], ["BTC-USDT"], 9, 20)) == 10


@pytest.mark.parametrize("instruments", [[], ["BTC-USDT", "BTC-USDT"]])
def test_instruments_are_listed_once(write_parquet, columns, instruments):
    with pytest.raises(DataError, match="each once"):
        load([write_parquet("BTC-USDT-1h.parquet", columns(3))], instruments)


def test_an_end_before_the_start_is_refused(write_parquet, columns):
    with pytest.raises(DataError, match="the end must be after the start"):
        load([write_parquet("BTC-USDT-1h.parquet", columns(3))], ["BTC-USDT"], 2, 1)


@pytest.mark.parametrize("row", [3, 90])
@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("close", float("nan"), "close is NaN"),
        ("low", -5.0, "low is -5.0"),
        ("low", 1e6, "low 1000000.0 > high"),
        ("ts", START_MS, "duplicate ts"),
        ("ts", START_MS - HOUR_MS, "unsorted ts"),
    ],
)
def test_a_bad_row_anywhere_in_the_file_is_refused(write_parquet, columns, row, column, value, reason):
    cells = columns(100)
    cells[column][row] = value
    path = write_parquet("BTC-USDT-1h.parquet", cells)
    with pytest.raises(DataError, match=f"BTC-USDT-1h.parquet, row {row}: {reason}") as caught:
        load([path], ["BTC-USDT"], 40, 50, history_bars=2)
    assert "\n" not in str(caught.value)


def test_how_many_more_problems_there_are_is_said(write_parquet, columns):
    cells = columns(300)
    cells["volume"] = [-1.0] * 300
    with pytest.raises(DataError, match=r"row 0: volume is -1.0.*\(and 299 more"):
        load([write_parquet("BTC-USDT-1h.parquet", cells)], ["BTC-USDT"])


def test_funding_is_cut_to_what_a_season_may_ask(write_parquet, columns):
    candles = write_parquet("BTC-USDT-PERP-1h.parquet", columns(48))
    settled = [START_MS + eight * 8 * HOUR_MS for eight in range(-200, 20)]
    rates = write_parquet("BTC-USDT-PERP-funding.parquet", {"ts": settled, "funding_rate": [0.0001] * 220})
    found = load([candles], ["BTC-USDT-PERP"], 0, 48, funding=[rates]).funding["BTC-USDT-PERP"].ts_ms
    assert found[0] == START_MS - 30 * DAY_MS
    assert found[-1] == START_MS + 2 * DAY_MS


def test_funding_of_others_is_left_out_and_twice_is_refused(write_parquet, columns):
    candles = write_parquet("BTC-USDT-PERP-1h.parquet", columns(48))
    cells = {"ts": [START_MS], "funding_rate": [0.0001]}
    other = write_parquet("ETH-USDT-PERP-funding.parquet", cells)
    assert dict(load([candles], ["BTC-USDT-PERP"], funding=[other]).funding) == {}
    mine = write_parquet("BTC-USDT-PERP-funding.parquet", cells)
    again = write_parquet("again/BTC-USDT-PERP-funding.parquet", cells)
    with pytest.raises(DataError, match="leave all but one out"):
        load([candles], ["BTC-USDT-PERP"], funding=[mine, again])
    bad = write_parquet("BTC-USDT-PERP-funding.parquet", cells | {"funding_rate": [float("nan")]})
    with pytest.raises(DataError, match=r"funding\.parquet, row 0: funding_rate is NaN"):
        load([candles], ["BTC-USDT-PERP"], funding=[bad])


def test_patterns_are_relative_to_the_root_or_absolute(tmp_path):
    root = tmp_path / "data [1]"
    for name in ("a/x.csv", "a/y.csv", "b/z.csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    outside = tmp_path / "other.csv"
    outside.touch()

    def names(*patterns):
        return [path.name for path in expand_paths(patterns, root)]

    assert names("a/*.csv") == ["x.csv", "y.csv"]
    assert names("**/*.csv", "a/x.csv") == ["x.csv", "y.csv", "z.csv"]
    assert names(str(outside), "b/z.csv") == ["z.csv", "other.csv"]
    for pattern in ("c/*.csv", "a", "a/missing.csv", str(tmp_path / "missing-*.csv")):
        with pytest.raises(DataError, match="names no file") as caught:
            names("a/*.csv", pattern)
        assert pattern in str(caught.value)


def test_a_real_season_of_perpetuals(recordings):
    start, end = at("2025-10-17T00:00:00Z"), at("2025-11-03T00:00:00Z")
    symbols = ["BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP"]
    tape = load_tape(
        expand_paths(["ohlcv/binance-perp/*-1h.parquet"], recordings),
        expand_paths(["funding/binance/*.parquet"], recordings),
        symbols,
        start,
        end,
    )
    assert tape.close.shape == (3, 1000 + 17 * 24)
    assert tape.gapless == (True, True, True)
    assert int(tape.open_ms[-1]) == end - HOUR_MS
    assert {symbol: len(rates.ts_ms) for symbol, rates in tape.funding.items()} == dict.fromkeys(symbols, 47 * 3 + 1)
    assert (
        tape.sha256
        == load_tape(
            expand_paths(["ohlcv/binance-perp/???-USDT-PERP-1h.parquet"], recordings),
            expand_paths(["funding/binance/*.parquet"], recordings),
            symbols,
            start,
            end,
        ).sha256
    )


def test_a_real_season_across_an_outage_has_holes_and_no_filling(recordings):
    tape = load_tape(
        expand_paths(["ohlcv/binance/*-1h.parquet"], recordings),
        [],
        ["BTC-USDT", "ETH-USDT"],
        at("2018-02-01T00:00:00Z"),
        at("2018-02-20T00:00:00Z"),
        history_bars=0,
    )
    assert int(np.diff(tape.open_ms).max()) > DAY_MS
    assert len(tape) < 19 * 24


def test_reading_files_imports_no_data_frames(recordings):
    code = (
        "import sys; from pathlib import Path; import trading.marketdata as md\n"
        "assert 'pyarrow' not in sys.modules, 'pyarrow is imported before a file is read'\n"
        "md.read_candles(Path(sys.argv[1]))\n"
        "assert 'pandas' not in sys.modules"
    )
    path = recordings / "ohlcv/binance-perp/BTC-USDT-PERP-1h.parquet"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

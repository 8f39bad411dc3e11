from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evals.foreign import read_logs, score_logs
from trading.domain.errors import DataError

START = pd.Timestamp("2025-01-01")
HOURS = 24 * 20


@pytest.fixture
def candles(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    for symbol, seed in (("BTC-USDT", 1), ("ETH-USDT", 2)):
        close = 100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.005, HOURS)))
        opened = np.concatenate([[100.0], close[:-1]])
        frame = pd.DataFrame(
            {
                "ts": pd.date_range(START, periods=HOURS, freq="h").as_unit("ms"),
                "open": opened,
                "high": np.maximum(opened, close),
                "low": np.minimum(opened, close),
                "close": close,
                "volume": rng.uniform(1, 2, HOURS),
            }
        )
        frame.to_parquet(tmp_path / f"{symbol}-1h.parquet")
    return tmp_path


def log_file(folder: Path, rows: list[tuple[str, str, float, str]]) -> Path:
    frame = pd.DataFrame(rows, columns=["model", "ts", "cash", "positions_json"])
    frame["ts"] = pd.to_datetime(frame["ts"])
    frame["step"] = range(len(frame))
    path = folder / "log.parquet"
    frame.to_parquet(path)
    return path


def test_equity_is_cash_and_positions_at_the_close(candles: Path) -> None:
    path = log_file(
        candles,
        [
            ("a", "2025-01-02", 1000.0, "{}"),
            ("a", "2025-01-03", 800.0, '{"BTC-USDT": 2.0}'),
            ("b", "2025-01-02", 1000.0, "{}"),
            ("b", "2025-01-15", 1000.0, "{}"),
        ],
    )
    board = score_logs(read_logs(path), ["*-1h.parquet"], candles, rng=np.random.default_rng(1))
    prices = pd.read_parquet(candles / "BTC-USDT-1h.parquet").set_index("ts")["close"]
    a = next(desk for desk in board.desks if desk.model == "a")
    expected = 800.0 + 2.0 * prices.loc["2025-01-15 23:00:00"]
    assert a.equity[-1] == pytest.approx(expected)
    assert a.equity[0] == 1000.0
    assert a.total_return == pytest.approx(expected / 1000.0 - 1.0)
    assert sum(desk.p_first or 0.0 for desk in board.desks) == pytest.approx(1.0)


def test_what_has_no_prices_is_unknown_and_never_guessed(candles: Path) -> None:
    path = log_file(
        candles,
        [
            ("a", "2025-01-02", 1000.0, "{}"),
            ("a", "2025-01-05", 500.0, '{"SUI-USDT": 100.0}'),
            ("a", "2025-01-09", 1100.0, '{"SUI-USDT": 0.0}'),
            ("b", "2025-01-02", 900.0, '{"ETH-USDT": 1.0}'),
        ],
    )
    board = score_logs(read_logs(path), ["*-1h.parquet"], candles, rng=np.random.default_rng(1))
    found = {desk.model: desk for desk in board.desks}
    assert found["a"].total_return is None
    assert found["a"].p_first is None
    assert found["a"].unknown == "SUI-USDT: no candles, held from 2025-01-05T00:00:00Z"
    assert found["a"].known_until == "2025-01-04T23:00:00Z"
    assert found["a"].equity[-1] == 1100.0
    assert found["b"].p_first == 1.0
    assert board.to_json()["desks"][0]["desk"] == "b"


def test_twins_come_first_equally_often(candles: Path) -> None:
    rows = [(model, "2025-01-02", 900.0, '{"BTC-USDT": 1.0}') for model in "ab"]
    rows += [(model, "2025-01-12", 900.0, '{"BTC-USDT": 1.0}') for model in "ab"]
    board = score_logs(read_logs(log_file(candles, rows)), ["*-1h.parquet"], candles, rng=np.random.default_rng(1))
    assert [desk.p_first for desk in board.desks] == [0.5, 0.5]
    assert board.pairs[0]["p_value"] == 1.0


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([("a", "2025-01-02", 1.0, "nonsense")], "row 0"),
        ([("a", "2025-01-02", 1.0, "[1, 2]")], "row 0"),
        ([("a", "2025-01-02", 1.0, '{"BTC-USDT": "many"}')], "row 0"),
        ([("a", "2025-01-02", float("nan"), "{}")], "row 0"),
    ],
)
def test_rows_of_rubbish(tmp_path: Path, rows: list[tuple[str, str, float, str]], match: str) -> None:
    with pytest.raises(DataError, match=match):
        read_logs(log_file(tmp_path, rows))


def test_files_of_rubbish(tmp_path: Path, candles: Path) -> None:
    path = tmp_path / "rubbish.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(DataError, match="cannot be read"):
        read_logs(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_logs(tmp_path / "nowhere.parquet")
    with pytest.raises(DataError, match="has no"):
        read_logs(candles / "BTC-USDT-1h.parquet")
    unpriced = read_logs(log_file(tmp_path, [("a", "2025-01-02", 1.0, '{"SUI-USDT": 1.0}')]))
    with pytest.raises(DataError, match="SUI-USDT"):
        score_logs(unpriced, ["*-1h.parquet"], candles, rng=np.random.default_rng(1))

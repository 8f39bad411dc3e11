"""Recordings of others as ticks: what each says, when, and files that are none."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trading.domain.errors import DataError
from trading.marketdata.ticks import TickKind, is_recorded_name, read_recorded

SPOT = "orderbook/binance-spot/BTC-USDT-20240808"


def test_trades_say_who_took(recordings) -> None:
    found = read_recorded(recordings / f"{SPOT}-trades.parquet")
    raw = pq.read_table(recordings / f"{SPOT}-trades.parquet")
    sold = raw.column("buyer_is_maker").to_numpy()
    assert (found.symbol, found.ticks.kind, len(found.ticks)) == ("BTC-USDT", TickKind.TRADES, 9_757)
    assert int((found.ticks["sign"] < 0).sum()) == int(sold.sum())
    assert found.ticks["trade_id"][0] == "3735683259"


def test_quotes_without_a_time_stand_at_the_change_that_holds_them(recordings, tmp_path) -> None:
    found = read_recorded(recordings / f"{SPOT}-bbo.parquet")
    raw = pq.read_table(recordings / f"{SPOT}-bbo.parquet")
    assert not raw.column("event_ts_ms").to_numpy().any()
    assert (len(found.ticks), found.refused) == (28_031, 9)
    # The recorder's clock ran 1.27 s behind the venue's; a change comes at most 100 ms after what it holds.
    local_ms = np.sort(raw.column("local_ts_ns").to_numpy() / 1e6)[: len(found.ticks)]
    late = found.ticks.ts_ms - local_ms
    assert 1_150 < np.median(late) < 1_450
    alone = tmp_path / "BTC-USDT-20240808-bbo.parquet"
    alone.write_bytes((recordings / f"{SPOT}-bbo.parquet").read_bytes())
    with pytest.raises(DataError, match="-l2 file"):
        read_recorded(alone)


def test_the_book_begins_with_its_snapshot(recordings) -> None:
    ticks = read_recorded(recordings / f"{SPOT}-l2.parquet").ticks
    whole = int(ticks["snapshot"].sum())
    assert ticks["snapshot"][:whole].all()
    assert len(set(ticks["update_id"][:whole].tolist())) == 1
    assert (np.diff(ticks.ts_ms) >= 0).all()


def test_settled_funding_is_one_more_kind(recordings) -> None:
    found = read_recorded(recordings / "funding/binance/BTC-USDT-PERP-funding.parquet")
    assert (found.symbol, found.ticks.kind, len(found.ticks)) == ("BTC-USDT-PERP", TickKind.FUNDING, 6_914)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"price": [1.0]}, "trade_ts_ms"),
        ({"trade_ts_ms": [1], "trade_id": [1], "price": ["x"], "qty": [1.0], "buyer_is_maker": [True]}, "price"),
        ({"trade_ts_ms": [1], "trade_id": [1], "price": [None], "qty": [1.0], "buyer_is_maker": [True]}, "empty cells"),
        (
            {
                "trade_ts_ms": pa.array([], pa.int64()),
                "trade_id": pa.array([], pa.int64()),
                "price": pa.array([], pa.float64()),
                "qty": pa.array([], pa.float64()),
                "buyer_is_maker": pa.array([], pa.bool_()),
            },
            "is empty",
        ),
    ],
)
def test_files_that_are_none_are_refused(tmp_path, table, says: str) -> None:
    path = tmp_path / "BTC-USDT-20240808-trades.parquet"
    pq.write_table(pa.table(table), path)
    with pytest.raises(DataError, match=says):
        read_recorded(path)
    path.write_text("no Parquet")
    with pytest.raises(DataError, match="Parquet"):
        read_recorded(path)
    assert not is_recorded_name(tmp_path / "BTC-USDT-1h.parquet")
    with pytest.raises(DataError, match="no such file"):
        read_recorded(tmp_path / "ETH-USDT-20240808-trades.parquet")

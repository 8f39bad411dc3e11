"""The tick store: a file a day, taken in twice without a double, rubbish refused, and what is there said by itself."""

import numpy as np
import pytest

from trading.domain.errors import RequestError
from trading.marketdata import FileRefused, check_file
from trading.marketdata.store.spans import Span
from trading.marketdata.ticks import TickKey, TickKind, TickRow, TickStore, ticks_of

DAY_MS = 86_400_000
MIDNIGHT_MS = 1_735_689_600_000
KEY = TickKey(venue="kraken", symbol="BTC-USD", kind=TickKind.TRADES)


def trades(*ts_ms: int, first_id: int = 1, price: float = 10.0):
    count = len(ts_ms)
    return ticks_of(
        TickKind.TRADES,
        ts_ms,
        {
            "price": [price] * count,
            "quantity": [1.0] * count,
            "sign": [1, -1] * (count // 2) + [0] * (count % 2),
            "trade_id": [str(first_id + place) if first_id else "" for place in range(count)],
        },
    )


def add(store: TickStore, ticks, *spans: tuple[int, int], key: TickKey = KEY):
    covered = [Span(*span) for span in spans]
    return store.add(key, ticks, source="test", now_ms=MIDNIGHT_MS + 9 * DAY_MS, covered=covered)


def test_days_lie_apart_and_come_back_as_one(tmp_path) -> None:
    store = TickStore(tmp_path)
    instants = [MIDNIGHT_MS - 2, MIDNIGHT_MS - 1, MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS]
    taken = add(store, trades(*instants), (instants[0], instants[-1]))
    assert (taken.added, taken.repeated, taken.refused) == (4, 0, 0)
    assert [path.name for path in store.files()] == [
        "trades-2024-12-31.parquet",
        "trades-2025-01-01.parquet",
        "trades-2025-01-02.parquet",
    ]
    found = store.read(KEY, Span(MIDNIGHT_MS - 1, MIDNIGHT_MS + 5))
    assert found.ticks.ts_ms.tolist() == instants[1:3]
    assert found.ticks["trade_id"].tolist() == ["2", "3"]
    assert found.covered == (Span(MIDNIGHT_MS - 1, MIDNIGHT_MS + 5),)
    rows, refused = store.catalogue()
    assert (rows[0].period, rows[0].rows, rows[0].covered) == (
        "2024-12-31",
        2,
        (Span(MIDNIGHT_MS - 2, MIDNIGHT_MS),),
    )
    assert not refused
    assert store.venues("BTC-USD") == ("kraken",)


def test_what_came_before_is_not_taken_twice_and_spans_join(tmp_path) -> None:
    store = TickStore(tmp_path)
    add(store, trades(*range(MIDNIGHT_MS, MIDNIGHT_MS + 4)), (MIDNIGHT_MS, MIDNIGHT_MS + 3))
    before = store.files()[0].read_bytes()
    assert add(store, trades(*range(MIDNIGHT_MS, MIDNIGHT_MS + 4)), (MIDNIGHT_MS, MIDNIGHT_MS + 3)).added == 0
    assert store.files()[0].read_bytes() == before
    later = add(store, trades(*range(MIDNIGHT_MS + 2, MIDNIGHT_MS + 6), first_id=3), (MIDNIGHT_MS + 3, MIDNIGHT_MS + 5))
    assert (later.added, later.repeated) == (2, 2)
    row = TickRow.read(store.files()[0])
    assert (row.rows, row.covered, row.origins[0].rows) == (6, (Span(MIDNIGHT_MS, MIDNIGHT_MS + 5),), 6)


def test_quotes_that_return_within_one_instant_all_count(tmp_path) -> None:
    store = TickStore(tmp_path)
    key = TickKey(venue="kraken", symbol="BTC-USD", kind=TickKind.BBO)
    nothing = dict.fromkeys(("bid_size_5", "ask_size_5", "bid_size_10", "ask_size_10", "bid_size_20", "ask_size_20"))
    columns = {"bid": [9.0, 8.0, 9.0], "bid_size": [1.0] * 3, "ask": [10.0] * 3, "ask_size": [1.0] * 3}
    quotes = ticks_of(TickKind.BBO, [MIDNIGHT_MS] * 3, columns | {name: [np.nan] * 3 for name in nothing})
    assert add(store, quotes, key=key).added == 3
    assert add(store, quotes, key=key).added == 0
    assert store.read(key, Span(0, 1 << 60)).ticks["bid"].tolist() == [9.0, 8.0, 9.0]


def test_unsound_rows_are_left_out_and_counted(tmp_path) -> None:
    store = TickStore(tmp_path)
    bad = trades(MIDNIGHT_MS, MIDNIGHT_MS + 1, MIDNIGHT_MS + 2)
    bad["price"][1] = np.nan
    taken = add(store, bad)
    assert (taken.added, taken.refused) == (2, 1)
    report = check_file(store.files()[0])
    assert (report.ok, report.refused_rows, report.to_json()["series"]) == (True, 1, "trades")


def test_a_damaged_file_is_named_and_not_written_over(tmp_path) -> None:
    store = TickStore(tmp_path)
    add(store, trades(MIDNIGHT_MS))
    path = store.files()[0]
    path.write_bytes(b"PAR1 and nothing more")
    assert [each.path for each in store.catalogue()[1]] == [path]
    assert not check_file(path).ok
    with pytest.raises(FileRefused, match="Parquet"):
        add(store, trades(MIDNIGHT_MS + 1))
    assert path.read_bytes() == b"PAR1 and nothing more"


def test_rows_that_the_store_did_not_write_are_found(tmp_path) -> None:
    import pyarrow.parquet as pq

    store = TickStore(tmp_path)
    add(store, trades(MIDNIGHT_MS, MIDNIGHT_MS + 1))
    path = store.files()[0]
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table.slice(0, 1), path)
    assert "not those that the store wrote" in check_file(path).problems[0].reason


@pytest.mark.parametrize(
    ("venue", "symbol"), [("../up", "BTC-USD"), ("Kraken", "BTC-USD"), ("kraken", "../x"), ("", "BTC-USD")]
)
def test_names_that_are_no_folders_are_refused(venue: str, symbol: str) -> None:
    with pytest.raises(RequestError):
        TickKey(venue=venue, symbol=symbol, kind=TickKind.TRADES)

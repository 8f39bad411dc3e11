"""A book against a plain dictionary, closed forms and the recorded best levels."""

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from trading.domain.errors import DataError
from trading.marketdata.books import ASK, BID, OrderBook, kraken_checksum, read_recording

DATA = Path(os.environ.get("TRADEFLOOR_TEST_DATA", Path(__file__).parents[5] / "shared" / "data")) / "orderbook"
RECORDED = (
    "binance-spot/BTC-USDT-20240808",
    "binance-spot/ETH-USDT-20240808",
    "binance-usdm/BTC-USDT-PERP-20240808",
    "binance-coinm/BTC-USD-PERP-20240808",
)


def levels(*rows: tuple[int, float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    side, price, size = zip(*rows, strict=True)
    return np.array(side, np.int8), np.array(price, float), np.array(size, float)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_gives_its_own_best_levels_after_every_update(name):
    tape = read_recording(DATA / f"{name}-l2.parquet")
    recorded = pq.read_table(DATA / f"{name}-bbo.parquet").to_pandas()
    tops = OrderBook().replay(tape.side, tape.price, tape.size, tape.ends)
    at = np.searchsorted(recorded["update_id"].to_numpy(), tape.update_id, side="right") - 1
    seen = at >= 0
    assert seen.sum() > 3_000
    for found, column in (
        (tops.bid, "bid_price"),
        (tops.bid_size, "bid_qty"),
        (tops.ask, "ask_price"),
        (tops.ask_size, "ask_qty"),
    ):
        np.testing.assert_array_equal(found[seen], recorded[column].to_numpy()[at[seen]])


def test_random_changes_leave_what_a_dictionary_holds():
    rng = np.random.default_rng(3)
    book, held = OrderBook(depths=(1, 3)), ({}, {})
    for _ in range(300):
        count = int(rng.integers(1, 20))
        side = rng.choice(np.array([BID, ASK], np.int8), count)
        price = 100.0 - side * rng.integers(1, 40, count)
        size = np.where(rng.random(count) < 0.4, 0.0, rng.integers(1, 9, count)).astype(float)
        book.apply(side, price, size)
        for row in zip(side.tolist(), price.tolist(), size.tolist(), strict=True):
            held[row[0] == ASK].pop(row[1], None)
            if row[2]:
                held[row[0] == ASK][row[1]] = row[2]
        for at, best_first in ((BID, True), (ASK, False)):
            expected = sorted(held[at == ASK].items(), reverse=best_first)
            np.testing.assert_array_equal(book.levels(at), np.array(expected, float).reshape(len(expected), 2))


def test_top_by_hand():
    book = OrderBook(depths=(1, 2))
    book.apply(*levels((BID, 99, 1), (BID, 98, 2), (ASK, 101, 3), (ASK, 103, 4)))
    top = book.top()
    assert (top.bid, top.bid_size, top.ask, top.ask_size, top.mid) == (99, 1, 101, 3, 100)
    assert top.microprice == pytest.approx((99 * 3 + 101 * 1) / 4)
    assert top.imbalance == pytest.approx(((1 - 3) / 4, (3 - 7) / 10))
    book.apply(*levels((ASK, 101, 0), (ASK, 103, 0)))
    assert book.top() is None


def test_a_full_side_drops_its_worst_level():
    book = OrderBook(capacity=2)
    book.apply(*levels((BID, 1, 1), (BID, 2, 1), (BID, 3, 1), (BID, 0.5, 1)))
    assert book.levels(BID).tolist() == [[3, 1], [2, 1]]


@pytest.mark.parametrize(
    "row", [(BID, 0.0, 1.0), (BID, -1.0, 1.0), (ASK, 1.0, -1.0), (ASK, np.nan, 1.0), (BID, 1.0, np.inf)]
)
def test_rubbish_is_refused_and_changes_nothing(row):
    book = OrderBook()
    book.apply(*levels((BID, 99, 1), (ASK, 101, 1)))
    before = book.top()
    with pytest.raises(DataError):
        book.apply(*levels((BID, 100, 5), row))
    assert book.top() == before


def test_the_checksum_of_krakens_documentation():
    asks = "45285.2 0.001 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911 45290.2 0.1589066 45291.8 1.54553491"
    asks += " 45294.7 0.04454749 45296.1 0.35380000 45297.5 0.09945542 45299.5 0.18772827"
    bids = "45283.5 0.1 45283.4 1.54582015 45282.1 0.1 45281.0 0.1 45280.3 1.54592586 45279.0 0.0799 45277.6 0.03310103"
    bids += " 45277.5 0.3 45277.3 1.54602737 45276.6 0.15445238"
    book = OrderBook()
    for side, text in ((ASK, asks), (BID, bids)):
        numbers = [float(word) for word in text.split()]
        book.apply(*levels(*((side, *pair) for pair in zip(numbers[::2], numbers[1::2], strict=True))))
    assert kraken_checksum(book, price_decimals=1, size_decimals=8) == 3310070434


def test_files_that_are_no_recording(tmp_path):
    rubbish = tmp_path / "book.parquet"
    rubbish.write_bytes(b"not parquet")
    with pytest.raises(DataError, match="cannot be read"):
        read_recording(rubbish)
    bbo = DATA / "binance-spot/BTC-USDT-20240808-bbo.parquet"
    with pytest.raises(DataError):
        read_recording(bbo)

"""The keeper: each venue's rule, each fault, and a thousand disconnects."""

import numpy as np
import pytest

from trading.domain.errors import DataError
from trading.marketdata.books import (
    ASK,
    BID,
    BookKeeper,
    BookMessage,
    BookRule,
    BookState,
    ChecksumScale,
    OrderBook,
    kraken_checksum,
)

SPOT, FUTURES = BookRule.BINANCE_SPOT, BookRule.BINANCE_FUTURES
START = ((BID, 99.0, 1.0), (ASK, 101.0, 1.0))


def said(*rows, snapshot=False, at=None, **ids) -> BookMessage:
    table = np.array(rows, float).reshape(len(rows), 3)
    return BookMessage(
        snapshot=snapshot, event_ms=at, side=table[:, 0].astype(np.int8), price=table[:, 1], size=table[:, 2], **ids
    )


def begun(rule, **more) -> BookKeeper:
    keeper = BookKeeper(rule, **more)
    keeper.take(said(*START, snapshot=True, final_id=10))
    assert keeper.state is BookState.GOOD
    return keeper


@pytest.mark.parametrize(
    ("rule", "ids", "state", "count"),
    [
        (SPOT, {"first_id": 9, "final_id": 12}, BookState.GOOD, None),  # the first may begin before the snapshot's end
        (SPOT, {"first_id": 11, "final_id": 11}, BookState.GOOD, None),
        (SPOT, {"first_id": 8, "final_id": 10}, BookState.GOOD, "old"),
        (SPOT, {"first_id": 12, "final_id": 13}, BookState.RESYNCING, "gaps"),
        (FUTURES, {"first_id": 9, "final_id": 12, "previous_id": 8}, BookState.GOOD, None),
        (FUTURES, {"first_id": 11, "final_id": 12, "previous_id": 10}, BookState.GOOD, None),
        (FUTURES, {"first_id": 8, "final_id": 9, "previous_id": 7}, BookState.GOOD, "old"),
        (FUTURES, {"first_id": 12, "final_id": 13, "previous_id": 11}, BookState.RESYNCING, "gaps"),
        (SPOT, {}, BookState.RESYNCING, "refused"),
        (FUTURES, {"first_id": 11, "final_id": 12}, BookState.RESYNCING, "refused"),
    ],
)
def test_first_message_after_a_snapshot(rule, ids, state, count):
    keeper = begun(rule)
    keeper.take(said((BID, 100.0, 2.0), **ids))
    assert keeper.state is state
    assert (keeper.top() is None) is (state is not BookState.GOOD)
    if count:
        assert getattr(keeper.counts, count) == 1


def test_changes_that_come_before_the_snapshot_wait_for_it():
    keeper = BookKeeper(SPOT)
    keeper.take(said((BID, 98.0, 7.0), first_id=9, final_id=10))
    keeper.take(said((BID, 100.0, 2.0), first_id=11, final_id=12))
    assert keeper.needs_snapshot
    assert keeper.top() is None
    keeper.take(said(*START, snapshot=True, final_id=10))
    assert keeper.top().bid == 100
    assert keeper.counts.old == 1


def test_a_snapshot_older_than_the_changes_is_not_enough():
    keeper = BookKeeper(SPOT)
    keeper.take(said((BID, 100.0, 2.0), first_id=21, final_id=22))
    keeper.take(said(*START, snapshot=True, final_id=10))
    assert keeper.top() is None
    assert keeper.counts.stale_snapshots == 1
    assert keeper.needs_snapshot
    keeper.take(said(*START, snapshot=True, final_id=20))
    assert keeper.top().bid == 100


def test_a_crossed_book_is_not_served():
    keeper = begun(SPOT)
    keeper.take(said((BID, 101.0, 1.0), first_id=11, final_id=11))
    assert (keeper.state, keeper.counts.crossed, keeper.top()) == (BookState.RESYNCING, 1, None)


def test_a_wrong_checksum_ends_trust_and_a_right_one_keeps_it():
    keeper = begun(BookRule.KRAKEN, scale=ChecksumScale(price_decimals=1, size_decimals=2), depth=10)
    book = OrderBook()
    book.apply(np.array([BID, BID, ASK], np.int8), np.array([99.0, 100.0, 101.0]), np.array([1.0, 2.0, 1.0]))
    right = kraken_checksum(book, price_decimals=1, size_decimals=2)
    keeper.take(said((BID, 100.0, 2.0), checksum=right))
    assert keeper.top().bid == 100
    keeper.take(said((BID, 100.0, 3.0), checksum=right))
    assert (keeper.state, keeper.counts.checksum_faults) == (BookState.RESYNCING, 1)
    assert keeper.needs_stream


def test_a_late_whole_book_is_left_and_a_clock_set_back_is_followed():
    keeper = BookKeeper(BookRule.SNAPSHOTS)
    keeper.take(said((BID, 99.0, 1.0), (ASK, 101.0, 1.0), snapshot=True, at=200_000))
    keeper.take(said((BID, 98.0, 1.0), (ASK, 101.0, 1.0), snapshot=True, at=199_000))
    assert (keeper.top().bid, keeper.counts.old) == (99, 1)
    keeper.take(said((BID, 97.0, 1.0), (ASK, 101.0, 1.0), snapshot=True, at=110_000))
    assert keeper.top().bid == 97


def test_rubbish_ends_trust_until_a_snapshot():
    keeper = begun(SPOT)
    keeper.take(said((BID, -1.0, 1.0), first_id=11, final_id=11))
    assert (keeper.counts.refused, keeper.top()) == (1, None)
    keeper.take(said((BID, 99.5, 1.0), first_id=12, final_id=12))
    keeper.take(said(*START, snapshot=True, final_id=11))
    assert keeper.top().bid == 99.5
    assert keeper.counts.resyncs == 1


def test_a_checksum_needs_its_scale():
    with pytest.raises(ValueError, match="decimals"):
        BookKeeper(BookRule.KRAKEN)
    with pytest.raises(DataError):
        OrderBook().replay(np.array([1], np.int8), np.ones(1), np.ones(1), np.array([2]))


@pytest.mark.parametrize("rule", [SPOT, FUTURES, BookRule.COINBASE, BookRule.SNAPSHOTS])
def test_after_a_thousand_disconnects_the_book_equals_one_that_was_never_cut_off(rule):
    rng = np.random.default_rng(19)
    whole, keeper = OrderBook(), BookKeeper(rule)
    final, disconnects, cut, served = 0, 0, 0, 0

    def state(**more) -> BookMessage:
        rows = [(side, *level) for side in (BID, ASK) for level in whole.levels(side).tolist()]
        return said(*rows, snapshot=True, final_id=final, at=final * 100, **more)

    whole.apply(*_fields(said(*START)))
    keeper.take(state())
    while disconnects < 1_000 or cut:
        change = said(*_changes(rng, whole))
        whole.apply(*_fields(change))
        first, previous, final = final + 1, final, final + int(rng.integers(1, 4))
        if cut:
            cut -= 1
            if not cut and rule is BookRule.COINBASE:
                keeper.take(state())
            continue
        if rng.random() < 0.3 and disconnects < 1_000:
            disconnects += 1
            cut = int(rng.integers(1, 6))
            keeper.lost()
            assert keeper.top() is None
            continue
        ids = {"first_id": first, "final_id": final, "previous_id": previous, "at": final * 100}
        keeper.take(
            state() if rule is BookRule.SNAPSHOTS else said(*zip(*map(list, _fields(change)), strict=True), **ids)
        )
        if keeper.needs_snapshot and rng.random() < 0.5:
            keeper.take(state())
        if keeper.state is BookState.GOOD:
            served += 1
            assert keeper.top() == whole.top()
    if keeper.state is not BookState.GOOD:
        keeper.take(state())
    for side in (BID, ASK):
        np.testing.assert_array_equal(keeper.book.levels(side), whole.levels(side))
    assert keeper.counts.lost == 1_000
    assert served > 500


def _fields(message: BookMessage):
    return message.side, message.price, message.size


def _changes(rng: np.random.Generator, book: OrderBook) -> list[tuple[int, float, float]]:
    top = book.top()
    rows = []
    for _ in range(int(rng.integers(1, 6))):
        side = int(rng.choice([BID, ASK]))
        best = top.bid if side == BID else top.ask
        price = best - side * int(rng.integers(0, 12))
        last = len(book.levels(side)) < 4
        rows.append(
            (side, price, 0.0 if rng.random() < 0.3 and not last and price != best else float(rng.integers(1, 9)))
        )
    return rows

"""Fills against a recorded book: walking its levels, waiting in its queue, triggers; by hand, and on recordings."""

import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.trading.engine.test_order_kinds import of_kind
from tests.trading.markets import FREE, PERP, decision, engine_on, limit, market
from trading.domain import EventKind, OrderType, TimeInForce
from trading.domain.errors import DataError
from trading.marketdata.depth import ASK, BID, BookTape, Trades, load_book_tape
from trading.marketdata.tape import Tape
from trading.venues.simulated.book_matching import TakenDepth

DATA = Path(os.environ.get("TRADEFLOOR_TEST_DATA", Path(__file__).parents[4] / "shared" / "data")) / "orderbook"
S = 1000
T0 = 1_760_659_200_000
D = Decimal


def book(changes, trades=()) -> BookTape:
    """A book from rows (second, side, price, size) and trades (second, price, size, sold)."""
    asks = [(-5, ASK, 101.0, 2.0), (-5, ASK, 102.0, 3.0), (-5, ASK, 105.0, 50.0)]
    start = [(-5, BID, 99.0, 5.0), (-5, BID, 98.0, 10.0), *asks]
    rows = [*start, *changes, (100, BID, 50.0, 1.0)]
    ts, side, price, size = (np.array(column, float) for column in zip(*rows, strict=True))
    snapshot = np.zeros(len(rows), np.int64)
    snapshot[0] = 2
    columns = list(zip(*trades, strict=True)) or [(), (), (), ()]
    return BookTape(
        ts_ms=(T0 + ts * S).astype(np.int64),
        side=side.astype(np.int64),
        price=price,
        size=size,
        snapshot=snapshot,
        trades=Trades(
            ts_ms=(T0 + np.array(columns[0], float) * S).astype(np.int64),
            price=np.array(columns[1], float),
            size=np.array(columns[2], float),
            sold=np.array(columns[3], bool),
        ),
    )


def engine(recorded: BookTape, wants, *, bars: int = 12, costs=FREE):
    """A season of ten-second bars at 100 with the book behind it; a round each bar."""
    line = np.full((1, bars), 100.0)
    tape = Tape(
        symbols=(PERP,), step_ms=10 * S, open_ms=T0 + 10 * S * np.arange(bars - 3, dtype=np.int64),
        open=line[:, 3:], high=line[:, 3:], low=line[:, 3:], close=line[:, 3:], volume=line[:, 3:], source="replay",
    )  # fmt: skip

    run = engine_on(tape, costs=costs, books={PERP: recorded})
    run.setup = replace(run.setup, start_ms=T0 + 10 * S, end_ms=T0 + (bars - 3) * 10 * S)
    run.open_season()
    for index in range(run.setup.rounds):
        run.open_round(index, run.setup.round_ms(index))
        run.submit(decision("alpha", index, wants.get(index, [])))
        run.close_round()
    run.close_season()
    return run


def fills(run):
    return [
        (e.payload["price"], e.payload["quantity"], e.payload["liquidity"], (e.ts_ms - T0) / S)
        for e in of_kind(run, EventKind.FILLED)
    ]


def test_a_large_order_walks_the_levels():
    run = engine(book([]), {0: [market("buy", "6")]})
    assert fills(run) == [("101", "2", "taker", 10), ("102", "3", "taker", 10), ("105", "1", "taker", 10)]
    assert {event.payload["arrival"] for event in of_kind(run, EventKind.FILLED)} == {"100"}
    assert [event.payload.get("left") for event in of_kind(run, EventKind.FILLED)] == ["4", "1", None]


def test_what_was_taken_stays_taken_until_the_level_changes():
    refreshed = book([(25, ASK, 101.0, 2.0)])
    run = engine(refreshed, {0: [market("buy", "2")], 1: [market("buy", "3")]})
    assert fills(run) == [("101", "2", "taker", 10), ("102", "3", "taker", 20)], "level 101 is gone for this desk"
    again = engine(refreshed, {0: [market("buy", "2")], 2: [market("buy", "2")]})
    assert fills(again)[1] == ("101", "2", "taker", 30), "the level was quoted anew"


def test_a_book_that_is_too_thin_leaves_the_rest_waiting_or_ends_it():
    run = engine(book([]), {0: [market("buy", "60")]})
    assert sum(D(fill[1]) for fill in fills(run)) == 55

    for tif, count in ((TimeInForce.IOC, 2), (TimeInForce.FOK, 0)):
        ended = engine(book([]), {0: [limit("buy", "6", "104", time_in_force=tif)]})
        assert len(fills(ended)) == count
        (expired,) = of_kind(ended, EventKind.ORDER_EXPIRED)
        assert expired.payload["code"] == "not_fillable_at_once"


def test_post_only_is_refused_where_it_would_take_and_rests_where_not():
    refused = engine(book([]), {0: [limit("buy", "1", "101", post_only=True)]})
    assert of_kind(refused, EventKind.ORDER_REJECTED)[0].payload["code"] == "post_only_would_take"
    rests = engine(book([]), {0: [limit("buy", "1", "99", post_only=True)]})
    assert of_kind(rests, EventKind.ORDER_REJECTED) == []


QUEUE = [
    # Five stand ahead at 99. A sale of four, then of three: two of the second are ours.
    ([], [(12, 99.0, 4.0, True), (14, 99.0, 3.0, True)], [("99", "2", "maker", 14)]),
    # Buyers who take hit the other side.
    ([], [(12, 99.0, 9.0, False)], []),
    # What is cancelled stood behind us, as far as it can: the level shrinks to one.
    ([(11, BID, 99.0, 1.0)], [(12, 99.0, 2.0, True)], [("99", "1", "maker", 12)]),
    # A trade through our price leaves nobody ahead of us.
    ([], [(13, 98.0, 1.5, True)], [("99", "1.5", "maker", 13)]),
    # Who comes later stands behind.
    ([(11, BID, 99.0, 50.0)], [(12, 99.0, 6.0, True)], [("99", "1", "maker", 12)]),
    # It goes on in the next bar where it stood.
    ([], [(12, 99.0, 4.0, True), (22, 99.0, 2.0, True), (33, 99.0, 1.0, True)],
     [("99", "1", "maker", 22), ("99", "1", "maker", 33)]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "trades", "expected"), QUEUE)
def test_a_resting_order_waits_its_turn(changes, trades, expected):
    run = engine(book(changes, trades), {0: [limit("buy", "3", "99", good_for_rounds=5)]})
    assert fills(run) == expected


def test_a_better_price_has_nobody_ahead():
    run = engine(book([], [(12, 99.5, 1.0, True)]), {0: [limit("buy", "3", "99.5", good_for_rounds=2)]})
    assert fills(run) == [("99.5", "1", "maker", 12)]
    (expired,) = of_kind(run, EventKind.ORDER_EXPIRED)
    assert expired.payload["reason"] == "not filled in time", "what it filled stays"


def test_a_crossing_limit_takes_what_it_may_and_rests_with_the_rest():
    run = engine(book([], [(15, 101.0, 1.0, True)]), {0: [limit("buy", "4", "101", good_for_rounds=2)]})
    assert fills(run) == [("101", "2", "taker", 10), ("101", "1", "maker", 15)]


TRIGGERED = [
    ({"order_type": OrderType.STOP, "trigger_price": D(103)}, [(12, 103.0, 1.0, False)], 12),
    ({"order_type": OrderType.STOP, "trigger_price": D(103)}, [(12, 102.9, 1.0, False)], None),
    ({"order_type": OrderType.TAKE_PROFIT, "trigger_price": D(97)}, [(13, 96.0, 1.0, True)], 13),
    (
        {"order_type": OrderType.TRAILING_STOP, "trail": D("0.02")},
        [(11, 96.0, 1.0, True), (12, 97.9, 1.0, False), (14, 97.93, 1.0, False)],
        14,
    ),
]


@pytest.mark.parametrize(("asked", "trades", "second"), TRIGGERED)
def test_public_trades_trigger_what_waits(asked, trades, second):
    expected = [] if second is None else [("101", "1", "taker", second)]
    assert fills(engine(book([], trades), {0: [market("buy", "1", **asked)]})) == expected


def test_outside_of_the_recording_bars_decide():
    run = engine(book([]), {8: [market("buy", "6")]}, bars=16)
    late = engine(book([]), {10: [market("buy", "6")]}, bars=16)
    assert len(fills(run)) == 3
    assert fills(late)[0][:3] == ("100", "6", "taker")


RECORDED = (
    "binance-usdm/BTC-USDT-PERP",
    "binance-spot/BTC-USDT",
    "binance-spot/ETH-USDT",
    "binance-coinm/BTC-USD-PERP",
)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_book_shows_the_recorded_best_prices(name):
    recorded = load_book_tape(DATA / f"{name}-20240808-l2.parquet", DATA / f"{name}-20240808-trades.parquet")
    best = pq.read_table(DATA / f"{name}-20240808-bbo.parquet").to_pydict()
    draw = np.random.default_rng(5).integers(len(best["event_ts_ms"]) // 10, len(best["event_ts_ms"]) - 1, 40)
    agree = 0
    for at in draw:
        ts_ms = int(best["event_ts_ms"][at]) or int(best["local_ts_ns"][at] // 1_000_000 + 1270)
        shown = recorded.depth_at(ts_ms + 100)
        assert shown.is_two_sided
        assert shown.spread > 0
        agree += abs(shown.mid / ((best["bid_price"][at] + best["ask_price"][at]) / 2) - 1) < 2e-4
    assert agree >= 38, "levels come every 100 ms, best prices at once: all but a few must be near"


def test_a_checkpoint_changes_nothing(monkeypatch):
    changes = [(at / 10, BID, 90.0 + at % 7, float(at % 5)) for at in range(200)]
    plain = book(changes).depth_at(T0 + 17 * S)
    monkeypatch.setattr("trading.marketdata.depth.CHECKPOINT_ROWS", 7)
    cut = book(changes).depth_at(T0 + 17 * S)
    assert plain.bid_prices.tolist() == cut.bid_prices.tolist()
    assert plain.bid_sizes.tolist() == cut.bid_sizes.tolist()


def test_rubbish_is_refused_in_one_line(tmp_path):
    path = tmp_path / "x.parquet"
    with pytest.raises(DataError, match="no recorded book"):
        load_book_tape(path, path)
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(DataError, match="no recorded book"):
        load_book_tape(path, path)


def test_desks_do_not_take_from_each_other():
    taken = TakenDepth()
    assert taken.of("a", PERP, 1) == {}
    assert book([]).covers(T0, T0 + 10 * S)
    assert not book([]).covers(T0 - 10 * S, T0)

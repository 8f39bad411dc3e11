"""Columns of bars from the recorded books, against the recordings read plainly, and the same bar by bar."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from trading.features.feature import Group, Input
from trading.features.frame import frame_of
from trading.features.registry import FEATURES
from trading.features.vector import compute
from trading.marketdata import SeriesView
from trading.marketdata.books import OrderBook, Top
from trading.marketdata.store.spans import Span
from trading.marketdata.ticks import StoredTicks, TickKey, TickKind, TickStore, bars_of_trades, ticks_of
from trading.marketdata.ticks.bars import order_flow
from trading.marketdata.ticks.running import RunningTicks
from trading.marketdata.ticks.store import KnownTicks
from trading.marketdata.ticks.view import TickedView

STEP_MS = 2_000
FROM_MS, UNTIL_MS = 1_723_161_300_000, 1_723_161_598_000
PERP = ("binance-usdm", "BTC-USDT-PERP")


def of(store: TickStore, venue: str = PERP[0], symbol: str = PERP[1]) -> StoredTicks:
    return StoredTicks(store, venue, symbol)


def raw(recordings: Path, kind: str) -> dict[str, np.ndarray]:
    table = pq.read_table(recordings / f"orderbook/{PERP[0]}/{PERP[1]}-20240808-{kind}.parquet")
    return {name: table.column(name).to_numpy() for name in table.column_names}


@pytest.fixture(scope="module")
def opens() -> np.ndarray:
    return np.arange(FROM_MS, UNTIL_MS, STEP_MS, dtype=np.int64)


def test_trades_and_best_levels_are_those_of_the_recording(recordings, recorded_ticks, opens) -> None:
    found = of(recorded_ticks).columns(opens, STEP_MS)
    trades, best = raw(recordings, "trades"), raw(recordings, "bbo")
    for row in (0, 17, 100, len(opens) - 1):
        inside = (trades["trade_ts_ms"] >= opens[row]) & (trades["trade_ts_ms"] < opens[row] + STEP_MS)
        bought = inside & ~trades["buyer_is_maker"]
        assert found["buy_volume"][row] == pytest.approx(trades["qty"][bought].sum(), rel=1e-12)
        assert found["sell_volume"][row] == pytest.approx(trades["qty"][inside & ~bought].sum(), rel=1e-12)
        assert found["trade_count"][row] == inside.sum()
        last = int(np.flatnonzero(best["event_ts_ms"] < opens[row] + STEP_MS)[-1])
        assert found["bid"][row] == best["bid_price"][last]
        assert found["ask_size_1"][row] == best["ask_qty"][last]
        flow = 0.0
        for now in np.flatnonzero((best["event_ts_ms"] >= opens[row]) & (best["event_ts_ms"] < opens[row] + STEP_MS)):
            bid, bid0 = best["bid_price"][now], best["bid_price"][now - 1]
            ask, ask0 = best["ask_price"][now], best["ask_price"][now - 1]
            flow += best["bid_qty"][now] if bid >= bid0 else 0.0
            flow -= best["bid_qty"][now - 1] if bid <= bid0 else 0.0
            flow -= best["ask_qty"][now] if ask <= ask0 else 0.0
            flow += best["ask_qty"][now - 1] if ask >= ask0 else 0.0
        assert found["order_flow"][row] == pytest.approx(flow, rel=1e-9, abs=1e-9)


def test_deeper_sizes_are_those_of_the_book_replayed_with_dictionaries(recordings, recorded_ticks, opens) -> None:
    found = of(recorded_ticks).columns(opens, STEP_MS)
    book = raw(recordings, "l2")
    snapshot = book["is_snapshot"] == 1
    held = book["final_update_id"][snapshot].max()
    rows = [*np.flatnonzero(snapshot), *np.flatnonzero(~snapshot & (book["final_update_id"] > held))]
    levels: dict[int, dict[float, float]] = {1: {}, -1: {}}
    row, wanted = 0, opens[60] + STEP_MS
    while snapshot[rows[row]] or book["event_ts_ms"][rows[row]] < wanted:
        at = rows[row]
        levels[int(book["side"][at])][book["price"][at]] = book["qty"][at]
        row += 1
    for name, side in (("bid", 1), ("ask", -1)):
        sizes = [size for _, size in sorted(levels[side].items(), reverse=side > 0) if size > 0]
        for depth in (5, 10, 20):
            assert found[f"{name}_size_{depth}"][60] == pytest.approx(sum(sizes[:depth]), rel=1e-12)


def test_every_feature_of_books_and_trades_is_known_and_right(recorded_ticks) -> None:
    ticks = of(recorded_ticks)
    bars = ticks.bars(FROM_MS, UNTIL_MS, STEP_MS)
    view = TickedView(SeriesView(bars, as_of_ms=UNTIL_MS, source="recorded trades"), {PERP[1]: ticks})
    frame = frame_of(view, PERP[1], bars=1000)
    wanted = [feature for feature in FEATURES if {Input.TOP, Input.BOOK, Input.TRADES} & set(feature.inputs)]
    assert len(wanted) == 16
    assert {feature.group for feature in wanted} == {Group.MICROSTRUCTURE}
    table = compute(frame, wanted)
    assert np.isfinite(table.values[:, -1]).all()
    x = dict(frame.columns)
    middle = (x["bid"][-1] + x["ask"][-1]) / 2
    assert table["spread_bps"][-1] == pytest.approx(1e4 * (x["ask"][-1] - x["bid"][-1]) / middle)
    for depth in (1, 5, 10, 20):
        bid, ask = x[f"bid_size_{depth}"][-1], x[f"ask_size_{depth}"][-1]
        assert table[f"book_imbalance_{depth}"][-1] == pytest.approx((bid - ask) / (bid + ask))
    weighed = x["bid"][-1] * x["ask_size_1"][-1] + x["ask"][-1] * x["bid_size_1"][-1]
    micro = weighed / (x["bid_size_1"][-1] + x["ask_size_1"][-1])
    assert table["microprice_bps"][-1] == pytest.approx(1e4 * (micro / middle - 1), rel=1e-6)
    net, gross = x["buy_volume"] - x["sell_volume"], x["buy_volume"] + x["sell_volume"]
    assert table["trade_sign_24"][-1] == pytest.approx(net[-24:].sum() / gross[-24:].sum())
    assert table["vpin_50"][-1] == pytest.approx(np.abs(net[-50:]).sum() / gross[-50:].sum())
    slope = np.polyfit((net * x["close"])[-72:], np.diff(np.log(x["close"]))[-72:], 1)[0]
    assert table["kyle_lambda_72"][-1] == pytest.approx(1e6 * slope, rel=1e-6)
    best = (x["bid_size_1"] + x["ask_size_1"])[-12:] / 2
    assert table["order_flow_imbalance_12"][-1] == pytest.approx(x["order_flow"][-12:].sum() / best.mean())


def test_bars_of_trades_equal_those_of_the_exchange(recordings, recorded_ticks) -> None:
    bars = of(recorded_ticks, "binance-spot", "BTC-USDT").bars(FROM_MS, UNTIL_MS, 60_000)
    table = pq.read_table(next((recordings / "ohlcv/binance").glob("BTC-USDT-1m*.parquet")))
    there = {int(at.astype("datetime64[ms]").astype(np.int64)): row for row, at in enumerate(table["ts"].to_numpy())}
    assert len(bars) == 4
    for row, at in enumerate(bars.open_ms.tolist()):
        for name in ("open", "high", "low", "close", "volume"):
            assert getattr(bars, name)[row] == pytest.approx(table[name][there[at]].as_py(), rel=1e-9)


def test_what_came_later_changes_nothing(recorded_ticks, opens) -> None:
    whole = of(recorded_ticks).columns(opens, STEP_MS)
    early = of(recorded_ticks).columns(opens[:50], STEP_MS)
    for name, column in early.items():
        np.testing.assert_array_equal(column, whole[name][:50])


def test_bar_by_bar_says_the_same(recorded_ticks, opens) -> None:
    store, span = recorded_ticks, Span(FROM_MS - STEP_MS, FROM_MS + 40 * STEP_MS)
    opens = opens[:39]
    read = {
        kind: store.read(TickKey(venue=PERP[0], symbol=PERP[1], kind=kind), span).ticks
        for kind in (TickKind.TRADES, TickKind.BBO)
    }
    running = RunningTicks(STEP_MS)
    best = read[TickKind.BBO]
    for row, at in enumerate(best.ts_ms.tolist()):
        bid, bid_size, ask, ask_size = (float(best[name][row]) for name in ("bid", "bid_size", "ask", "ask_size"))
        sizes = (bid_size, 2.0, 3.0, 4.0), (ask_size, 2.0, 3.0, 4.0)
        top = Top(
            bid=bid,
            bid_size=bid_size,
            ask=ask,
            ask_size=ask_size,
            microprice=bid,
            imbalance=(0.0,) * 4,
            bids_within=sizes[0],
            asks_within=sizes[1],
        )
        running.top(at, top)
    trades = read[TickKind.TRADES]
    for at, quantity, sign in zip(trades.ts_ms.tolist(), trades["quantity"], trades["sign"], strict=True):
        running.trade(at, float(quantity), int(sign))
    found, wanted = running.columns(opens, span.end_ms), of(store).columns(opens, STEP_MS)
    for name in ("bid", "ask", "bid_size_1", "ask_size_1", "order_flow", "buy_volume", "sell_volume", "trade_count"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, atol=1e-9)
    running.broke(TickKind.TRADES)
    late = running.columns(np.array([span.end_ms]), span.end_ms + STEP_MS)
    assert np.isnan(late["trade_count"][0])
    assert late["bid"][0] == pytest.approx(found["bid"][-1], rel=0.01)  # the book stands, and nothing was missed


def test_where_a_tick_may_be_missing_nothing_is_known() -> None:
    columns = {"price": [1.0] * 4, "quantity": [1.0, 2.0, 3.0, 4.0], "sign": [1, -1, 0, 1], "trade_id": [""] * 4}
    trades = ticks_of(TickKind.TRADES, [1_000_500, 1_001_500, 1_003_500, 1_004_500], columns)
    known = KnownTicks(ticks=trades, covered=(Span(1_000_500, 1_004_000),))
    bars = bars_of_trades(known, "BTC-USDT", 1_000)
    assert bars.open_ms.tolist() == [1_001_000, 1_003_000]  # the first is cut, the third had no trade, the last is cut


def test_open_interest_and_funding_are_kept_and_grow_old(tmp_path) -> None:
    store = TickStore(tmp_path)
    minute = 60_000
    start = 1_735_689_600_000
    for kind, column, values in (
        (TickKind.OPEN_INTEREST, "base", [100.0, 110.0]),
        (TickKind.FUNDING, "rate", [1e-4, -2e-4]),
    ):
        ticks = ticks_of(kind, [start + 30_000, start + 90_000], {column: values})
        store.add(TickKey(venue="x", symbol="BTC-USDT-PERP", kind=kind), ticks, source="t", now_ms=start, covered=())
    ticks = StoredTicks(store, "x", "BTC-USDT-PERP")
    opens = start + minute * np.arange(-1, 20, dtype=np.int64)
    found = ticks.columns(opens, minute)["open_interest"]
    assert np.isnan(found[0])
    assert found[1:4].tolist() == [100.0, 110.0, 110.0]
    assert np.isnan(found[-1])
    assert ticks.funding(start, start + 60_000).rate.tolist() == [1e-4]


def test_order_flow_of_a_worked_example() -> None:
    flow = order_flow(
        np.array([10.0, 10.0, 11.0]), np.array([5.0, 7.0, 2.0]), np.array([12.0, 12.0, 12.0]), np.array([3.0, 1.0, 1.0])
    )
    # the bid grows by 2 and the ask shrinks by 2; then a better bid of 2 arrives
    assert np.isnan(flow[0])
    assert flow[1:].tolist() == [4.0, 2.0]


def test_a_book_with_two_snapshots_begins_anew() -> None:
    from trading.marketdata.ticks.bars import quotes_of_book

    columns = {
        "update_id": [1, 1, 2, 9, 9],
        "snapshot": [1, 1, 0, 1, 1],
        "side": [1, -1, 1, 1, -1],
        "price": [10.0, 11.0, 10.5, 20.0, 21.0],
        "quantity": [1.0, 1.0, 2.0, 3.0, 4.0],
    }
    levels = ticks_of(TickKind.L2, [1, 1, 2, 3, 3], columns)
    quotes = quotes_of_book(KnownTicks(ticks=levels, covered=()))
    assert quotes.columns["bid"].tolist() == [10.0, 10.5, 20.0]
    assert quotes.columns["bid_size_5"].tolist() == [1.0, 3.0, 3.0]
    assert OrderBook().top() is None

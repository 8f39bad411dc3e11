"""Orders that meet a book as it was heard: its levels, its queue, bars where it is not known, restarts, the audit."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from tests.trading.markets import FREE, PERP, MemoryJournal, decision, engine_on, limit, market
from trading.domain import Event, EventKind, TimeInForce
from trading.domain.order import order_from_payload
from trading.execution.book_audit import audit_book_fills
from trading.execution.paper import PaperVenue
from trading.marketdata.growing_book import GrowingBook
from trading.marketdata.tape import Tape
from trading.storage.journal import Journal

S = 1000
STEP = 10 * S
T0 = 1_760_659_200_000
BIDS, ASKS = [99.0, 5.0, 98.0, 10.0], [101.0, 2.0, 102.0, 3.0, 105.0, 50.0]
FEES = FREE.model_copy(update={"taker_fee_bps": Decimal(10)})


def grew(bar, *, trades=(), levels=(), known=True):
    """What was heard of the book in one bar; ``trades`` are (second in the bar, price, size, sold)."""
    since = T0 + bar * STEP
    spans = [[since, since + STEP]] if known else []
    payload = {
        "instrument": PERP,
        "since_ms": since,
        "until_ms": since + STEP,
        "known": spans,
        "printed": spans,
        "levels": [[since, BIDS, ASKS], *([since + at * S, *sides] for at, *sides in levels)],
        "trades": [[since + at * S, *row] for at, *row in trades],
    }
    return Event(ts_ms=since + STEP, kind=EventKind.DEPTH_GREW, payload=payload)


def tape(bars=9):
    line = np.full((1, bars), 100.0)
    return Tape(
        symbols=(PERP,), step_ms=STEP, open_ms=T0 + STEP * np.arange(bars, dtype=np.int64),
        open=line, high=line, low=line, close=line, volume=line, source="paper",
    )  # fmt: skip


def engine(journal, costs=FREE):
    run = engine_on(tape(), costs=costs, journal=journal, books={PERP: GrowingBook(PERP)})
    run.setup = replace(run.setup, start_ms=T0 + STEP, end_ms=T0 + 8 * STEP)
    return run


def play(run, wants, heard, rounds=range(7)):
    """Each round after the bar before it: what was heard of its book is written down first."""
    for index in rounds:
        for event in heard.get(index, [grew(index)]):
            run.record(event)
        run.open_round(index, run.setup.round_ms(index))
        run.submit(decision("alpha", index, wants.get(index, [])))
        run.close_round()


def played(wants, heard=None, costs=FREE):
    journal = MemoryJournal()
    run = engine(journal, costs)
    run.open_season()
    play(run, wants, heard or {})
    return journal.events


def fills(events):
    return [
        (p["price"], p["quantity"], p["liquidity"], p["basis"], (e.ts_ms - T0) / S)
        for e in events
        if e.kind is EventKind.FILLED
        for p in (e.payload,)
    ]


def test_an_order_larger_than_the_best_level_walks_the_book_and_pays_as_a_taker():
    events = played({0: [market("buy", "6")]}, costs=FEES)
    walked = [("101", "2"), ("102", "3"), ("105", "1")]
    assert fills(events) == [(price, size, "taker", "book", 10) for price, size in walked]
    paid = [e.payload["fee"] for e in events if e.kind is EventKind.FILLED]
    assert [Decimal(fee) for fee in paid] == [Decimal("0.202"), Decimal("0.306"), Decimal("0.105")]


def test_it_meets_the_book_of_the_instant_at_which_it_arrives():
    moved = {1: [grew(0), grew(1, levels=[(3, [], [101.0, 0.0]), (6, [], [100.5, 9.0])])], 0: []}
    for latency_ms, price in ((0, "101"), (4 * S, "102"), (7 * S, "100.5")):
        costs = FEES.model_copy(update={"latency_ms": latency_ms})
        assert [fill[0] for fill in fills(played({0: [market("buy", "1")]}, moved, costs))] == [price]


@pytest.mark.parametrize("heard", [[], [grew(1, known=False)]])
def test_where_the_book_is_not_known_the_bars_fill_and_the_fill_says_so(heard):
    events = played({0: [market("buy", "6")]}, {1: heard})
    assert fills(events) == [("100", "6", "taker", "bars", 10)]


def test_who_rests_waits_his_turn_and_immediate_orders_take_what_there_is():
    queue = {1: [grew(1, trades=[(2, 99.0, 4.0, 1), (4, 99.0, 3.0, 1)])]}
    assert fills(played({0: [limit("buy", "3", "99")]}, queue)) == [("99", "2", "maker", "book", 14)]
    at_once = played({0: [limit("buy", "6", "104", time_in_force=TimeInForce.IOC)]})
    assert [fill[:2] for fill in fills(at_once)] == [("101", "2"), ("102", "3")]
    assert any(e.kind is EventKind.ORDER_EXPIRED for e in at_once)


def test_he_who_waits_through_a_bar_of_silence_keeps_no_place_that_nobody_saw():
    sold = [(5, 99.0, 6.0, 1)]
    heard = {1: [], 2: [grew(2, trades=sold)], 3: [grew(3, trades=sold)]}
    assert fills(played({0: [limit("buy", "3", "99", time_in_force=TimeInForce.GTC)]}, heard)) == [
        ("99", "1", "maker", "book", 25),
        ("99", "2", "maker", "book", 35),
    ]


def test_a_new_process_goes_on_from_the_record():
    wants = {
        0: [market("buy", "6")],
        2: [limit("sell", "3", "101", time_in_force=TimeInForce.GTC)],
        3: [market("sell", "2")],
    }
    heard = {4: [grew(4, trades=[(5, 101.0, 4.0, 0)])], 5: [grew(5, trades=[(5, 101.0, 9.0, 0)])]}
    whole = played(wants, heard)
    assert len(fills(whole)) > 4
    for stop in range(1, 6):
        first = MemoryJournal()
        run = engine(first)
        run.open_season()
        play(run, wants, heard, range(stop))
        second = MemoryJournal()
        again = engine(second)
        again.restore(first.events)
        play(again, wants, heard, range(stop, 7))
        assert first.events + second.events == whole


def test_a_season_without_books_says_nothing_of_them():
    run = engine_on(tape(), journal=(journal := MemoryJournal()))
    run.open_season()
    run.open_round(0, run.setup.round_ms(0))
    run.submit(decision("alpha", 0, [market("buy", "1")]))
    run.close_round()
    run.close_season()
    (payload,) = [e.payload for e in journal.events if e.kind is EventKind.FILLED]
    assert "basis" not in payload


def test_the_audit_walks_the_books_on_record_again(tmp_path):
    wants = {
        0: [market("buy", "6")],
        1: [limit("buy", "3", "99", time_in_force=TimeInForce.GTC)],
        3: [market("sell", "2")],
    }
    heard = {3: [grew(3, trades=[(5, 99.0, 9.0, 1)])]}
    events = played(wants, heard)

    def audited(name, change):
        journal = Journal(tmp_path / name)
        for event in events:
            journal.append(change(event))
        journal.commit()
        journal.close()
        return audit_book_fills(tmp_path / name)

    honest = audited("honest", lambda event: event)
    assert (honest.fills, honest.problem) == (len(fills(events)), None)

    def dearer(event):
        if event.kind is EventKind.FILLED and event.payload["price"] == "102":
            return replace(event, payload={**event.payload, "price": "101.5"})
        return event

    assert "3 at 101.5, where the book on record gives 3 at 102" in audited("dearer", dearer).problem

    def unheard(event):
        return replace(event, payload={**event.payload, "trades": []}) if event.kind is EventKind.DEPTH_GREW else event

    assert "no public trade on record" in audited("unheard", unheard).problem

    def torn(event):
        return replace(event, payload={"instrument": PERP}) if event.kind is EventKind.DEPTH_GREW else event

    assert "no book can be read" in audited("torn", torn).problem


@pytest.mark.asyncio
async def test_the_paper_venue_itself_takes_what_was_heard():
    venue = PaperVenue(
        tape(), engine(MemoryJournal()).setup.instruments, FREE, desk="alpha", capital=Decimal(10_000),
        books={PERP: GrowingBook(PERP)},
    )  # fmt: skip
    venue.advance(T0 + STEP)
    ordered = engine(journal := MemoryJournal())
    ordered.open_season()
    play(ordered, {0: [market("buy", "6")]}, {}, range(1))
    payload = next(e.payload for e in journal.events if e.kind is EventKind.ORDERED)
    await venue.place(order_from_payload(payload))
    venue.hear(grew(1))
    venue.advance(T0 + 2 * STEP)
    assert [str(fill.price) for fill in await venue.fills_since(0)] == ["101", "102", "105"]

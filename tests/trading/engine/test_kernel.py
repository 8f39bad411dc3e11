"""The kernel: skipping quiet bars, the future of the tape, restarts, isolation of desks, strategies."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.trading.markets import (
    FREE,
    HOUR_MS,
    HOUSE,
    NO_BAR,
    OTHER_PERP,
    PERP,
    START_MS,
    USUAL,
    WIDE,
    MemoryJournal,
    decision,
    engine_on,
    flat,
    limit,
    market,
    play,
    play_round,
    random_intents,
    random_tape,
    tape_of,
    written,
)
from trading.domain import Event, EventKind, TradeIntent
from trading.domain.errors import JournalError
from trading.engine import Cursor, Engine, run_strategy
from trading.marketdata.tape import Tape
from trading.storage.journal import Journal, read_events

SEEDS = st.integers(0, 10**6)
LATENCIES = st.sampled_from([0, 250, 20 * 60_000, 90 * 60_000, 7 * HOUR_MS, 24 * HOUR_MS])


def events_of(engine: Engine) -> list[tuple]:
    journal = engine._journal
    assert isinstance(journal, MemoryJournal)
    assert not journal.pending
    return written(journal.events)


def costs_with(latency_ms: int):
    return USUAL.model_copy(update={"latency_ms": latency_ms})


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    latency_ms=LATENCIES,
    every_bars=st.sampled_from([1, 3, 8]),
    missing=st.sampled_from([0, 0.05, 0.4]),
    wild=st.booleans(),
)
def test_skipping_quiet_bars_writes_what_every_bar_would(seed, latency_ms, every_bars, missing, wild):
    def run(*, skipping: bool) -> list[tuple]:
        tape = random_tape(seed, bars=100, volatility=0.03 if wild else 0.003, missing=missing)
        engine = engine_on(
            tape, desks=("a", "b"), costs=costs_with(latency_ms), every_bars=every_bars, limits=WIDE if wild else HOUSE
        )
        if not skipping:
            engine._venue.quiet_until = lambda row, orders, accounts: row
        return events_of(play(engine, seed=seed))

    assert run(skipping=True) == run(skipping=False)


def test_a_hedged_account_below_its_margin_is_closed_though_its_next_bars_are_missing():
    # In the third bar the short rises while the long falls: neither common path shows it, the close does.
    bars = {
        PERP: [*flat(100, 2), (100, 109, 100, 109), NO_BAR, *flat(109, 2)],
        OTHER_PERP: [*flat(100, 2), (100, 100, 91, 91), NO_BAR, *flat(91, 2)],
    }
    engines = [engine_on(tape_of(bars), every_bars=5), engine_on(tape_of(bars), every_bars=5)]
    engines[1]._venue.quiet_until = lambda row, orders, accounts: row
    for engine in engines:
        engine.open_season()
        engine.open_round(0, engine.setup.round_ms(0))
        engine.submit(decision("alpha", 0, [market("sell", "560"), market("buy", "560", OTHER_PERP)]))
        engine.close_round()
        engine.close_season()
    assert events_of(engines[0]) == events_of(engines[1])
    closed = [event.ts_ms for event in engines[0]._journal.events if event.kind is EventKind.LIQUIDATED]
    assert closed == [START_MS + 4 * HOUR_MS]


def test_an_order_that_expires_before_it_arrives_ends_at_its_expiry_also_when_bars_are_skipped():
    tape = tape_of({PERP: flat(100, 12)})
    engine = engine_on(tape, costs=costs_with(5 * HOUR_MS), every_bars=2)
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    engine.submit(decision("alpha", 0, [limit("buy", "1", "99")]))
    engine.close_round()
    engine.open_round(1, engine.setup.round_ms(1))
    engine.close_round()
    assert len(engine.orders) == 1, "its last bar may still come"
    engine.open_round(2, engine.setup.round_ms(2))
    engine.close_round()
    assert len(engine.orders) == 0
    ended = [event for event in engine._journal.events if event.kind is EventKind.ORDER_EXPIRED]
    assert [event.ts_ms for event in ended] == [engine.setup.round_ms(1)]


def test_quiet_bars_are_really_skipped():
    tape = tape_of({PERP: flat(100, 50)})
    engine = engine_on(tape, every_bars=40)
    seen = []
    venue_process = engine._venue.process_bar
    engine._venue.process_bar = lambda row, *rest: (seen.append(row), venue_process(row, *rest))[1]
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    engine.submit(decision("alpha", 0, [market("buy", "1")]))
    engine.close_round()
    engine.open_round(1, engine.setup.round_ms(1))
    assert seen == [1]
    assert engine.row == 41


def with_another_future(tape: Tape, bar: int, seed: int) -> Tape:
    """The same tape up to and with ``bar`` - 1, other prices, funding and gaps from there on."""
    rng = np.random.default_rng(seed)
    columns = {}
    for name in ("open", "high", "low", "close"):
        column = getattr(tape, name).copy()
        column[:, bar:] *= rng.uniform(0.5, 0.9)
        columns[name] = column
    gone = rng.random(len(tape) - bar) < 0.2
    for column in columns.values():
        column[:, bar:][:, gone] = np.nan
    until_ms = int(tape.open_ms[bar - 1]) + tape.step_ms
    funding = {
        symbol: replace(rates, rate=np.where(rates.ts_ms < until_ms, rates.rate, 0.01))
        for symbol, rates in tape.funding.items()
    }
    return replace(tape, funding=funding, **columns)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, share=st.floats(0.1, 0.95), latency_ms=LATENCIES, every_bars=st.sampled_from([1, 4]))
def test_the_future_of_the_tape_changes_nothing_before_it(seed, share, latency_ms, every_bars):
    tape = random_tape(seed, bars=90, volatility=0.02)
    bar = max(2, int(len(tape) * share))
    known_ms = int(tape.open_ms[bar - 1]) + tape.step_ms
    runs = []
    for one in (tape, with_another_future(tape, bar, seed)):
        engine = engine_on(one, desks=("a", "b"), costs=costs_with(latency_ms), every_bars=every_bars)
        engine.open_season()
        rounds = sum(engine.setup.round_ms(index) <= known_ms for index in range(engine.setup.rounds))
        play(engine, seed=seed, rounds=rounds)
        runs.append(events_of(engine))
    assert runs[0] == runs[1]
    assert len(runs[0]) > 5


def test_a_changed_future_is_noticed_after_it_has_come():
    tape = random_tape(3, bars=90)
    ends = [events_of(play(engine_on(one), seed=3)) for one in (tape, with_another_future(tape, 40, 3))]
    assert ends[0] != ends[1]


@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, latency_ms=LATENCIES)
def test_a_restart_at_every_round_continues_to_the_same_head(seed, latency_ms, tmp_path_factory):
    tape = random_tape(seed, bars=40, volatility=0.03)
    folder = tmp_path_factory.mktemp("restart")

    def fresh(journal: Journal) -> Engine:
        return engine_on(tape, desks=("a", "b"), costs=costs_with(latency_ms), every_bars=2, journal=journal)

    whole = Journal(folder / "whole.sqlite")
    play(fresh(whole), seed=seed)
    path = folder / "restarted.sqlite"
    rounds = 0
    while True:
        journal = Journal(path)
        engine = fresh(journal)
        engine.restore(stored.event() for stored in read_events(path))
        assert engine.rounds_closed == rounds
        if rounds == engine.setup.rounds:
            engine.close_season()
            break
        play(engine, seed=seed, rounds=rounds + 1)
        # What a crash interrupts is dropped: a half-played next round must leave no trace.
        if rounds + 1 < engine.setup.rounds:
            opened = engine.open_round(rounds + 1, engine.setup.round_ms(rounds + 1))
            if not engine.halted:
                engine.submit(decision("a", rounds + 1, random_intents(np.random.default_rng(5), opened)))
        journal.close()
        rounds += 1
    assert (journal.events, journal.head) == (whole.events, whole.head)
    journal.close()
    whole.close()


def test_a_season_closed_before_a_crash_is_not_closed_again(tmp_path):
    tape = random_tape(1, bars=20)
    journal = Journal(tmp_path / "journal.sqlite")
    play(engine_on(tape, journal=journal))
    head = journal.head
    journal.close()
    journal = Journal(tmp_path / "journal.sqlite")
    engine = engine_on(tape, journal=journal)
    engine.restore(stored.event() for stored in read_events(tmp_path / "journal.sqlite"))
    assert engine.is_closed
    engine.close_season()
    assert journal.head == head
    journal.close()


def test_a_season_that_was_only_opened_restarts_at_its_start():
    tape = random_tape(1, bars=20, holes=False)
    journal = MemoryJournal()
    engine = engine_on(tape, journal=journal, start_bar=5)
    engine.open_season()
    journal.commit()
    again = engine_on(tape, start_bar=5)
    again.restore(journal.events)
    assert (again.row, again.rounds_closed) == (engine.row, 0) == (5, 0)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_desks_do_not_feel_each_other(seed):
    tape = random_tape(seed, bars=60, volatility=0.03)

    def of(desk: str, desks: tuple[str, ...]) -> list[tuple]:
        # The arena's breaker is the one thing that desks share: here it never trips.
        limits = WIDE.model_copy(update={"desk_drawdown": Decimal("0.3"), "arena_drawdown": Decimal(2)})
        engine = engine_on(tape, desks=desks, costs=USUAL, limits=limits)
        mine = []
        for event in play(engine, seed=seed)._journal.events:
            if event.payload.get("desk", event.payload.get("scope")) == desk:
                mine.append(event)
            elif event.kind is EventKind.MARKED:
                marked = {"desks": event.payload["desks"][desk]}
                mine.append(Event(ts_ms=event.ts_ms, kind=event.kind, payload=marked))
        return written(mine)

    assert of("b", ("b",)) == of("b", ("a", "b", "c")) == of("b", ("c", "b"))


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, latency_ms=LATENCIES)
@example(seed=7, latency_ms=250)
def test_a_strategy_fills_as_the_same_intents_do_in_rounds(seed, latency_ms):
    tape = random_tape(seed, bars=80, volatility=0.02, missing=0, holes=False)
    costs = costs_with(latency_ms)

    def wanted(bar: int) -> list[TradeIntent]:
        rng = np.random.default_rng([seed, bar])
        if rng.random() > 0.3:
            return []
        price = float(tape.close[0, bar - 1])
        quantity = str(round(float(rng.uniform(1, 50)), 2))
        side = "buy" if rng.random() < 0.5 else "sell"
        if rng.random() < 0.5:
            return [market(side, quantity)]
        return [limit(side, quantity, str(round(price * float(1 + rng.normal(0, 0.01)), 2)), good_for_rounds=3)]

    by_strategy = engine_on(tape, costs=costs)
    by_strategy.open_season()
    assert run_strategy(by_strategy, "alpha", lambda cursor: wanted(cursor.at)) == len(tape) - 1
    by_strategy.close_season()

    by_rounds = engine_on(tape, costs=costs)
    by_rounds.open_season()
    for index in range(1, by_rounds.setup.rounds):
        by_rounds.open_round(index, by_rounds.setup.round_ms(index))
        by_rounds.submit(decision("alpha", index, wanted(index + 1)))
        by_rounds.close_round()
    by_rounds.close_season()

    # A strategy is asked at the close of every bar of the season: not at its start, and once more at its end.
    def fills(engine: Engine) -> list[tuple]:
        same = ("instrument", "side", "price", "quantity", "ordered", "fee", "liquidity", "ts_ms")
        return [
            tuple(event.payload[name] for name in same)
            for event in engine._journal.events
            if event.kind is EventKind.FILLED
        ]

    assert fills(by_strategy) == fills(by_rounds)
    assert by_strategy.ledger.accounts["alpha"].cash == by_rounds.ledger.accounts["alpha"].cash


def test_a_strategy_sees_each_bar_once_and_nothing_later():
    tape = random_tape(2, bars=30, missing=0, holes=False)
    seen = []

    def strategy(cursor: Cursor) -> None:
        row = cursor.row(PERP)
        assert cursor.close(row) == tape.close[0, cursor.at - 1]
        assert np.isnan(cursor.close(row, -1)), "a negative step back would be the future"
        assert np.isnan(cursor.close(row, cursor.at))
        assert cursor.window(row, 10**6).shape == (cursor.at,)
        assert cursor.window(row, -3).shape == (0,)
        assert cursor.bars(PERP, 10**6).open_ms[-1] + tape.step_ms == cursor.as_of_ms
        seen.append(cursor.at)

    engine = engine_on(tape)
    engine.open_season()
    run_strategy(engine, "alpha", strategy)
    assert seen == list(range(2, 31))


def test_a_strategy_that_never_trades_still_leaves_marks():
    tape = tape_of({PERP: flat(100, 9000)})
    engine = engine_on(tape)
    engine.open_season()
    assert run_strategy(engine, "alpha", lambda cursor: None) == 8999
    engine.close_season()
    kinds = [event.kind for event in engine._journal.events]
    assert kinds.count(EventKind.QUIET) == 2
    assert kinds[-1] is EventKind.SEASON_CLOSED


def test_a_desk_decides_once_a_round_and_only_in_a_round():
    engine = engine_on(tape_of({PERP: flat(100, 5)}))
    engine.open_season()
    with pytest.raises(ValueError, match="no round is open"):
        engine.submit(decision("alpha", 0, [market("buy", "1")]))
    engine.open_round(0, engine.setup.round_ms(0))
    engine.submit(decision("alpha", 0, [market("buy", "1")]))
    with pytest.raises(ValueError, match="already decided"):
        engine.submit(decision("alpha", 0, [market("buy", "1")]))
    assert len(engine.orders) == 1


def test_the_same_decision_sent_again_later_trades_nothing_twice():
    engine = engine_on(tape_of({PERP: flat(100, 8)}))
    engine.open_season()
    play_round(engine, 0)
    engine.open_round(1, engine.setup.round_ms(1))
    engine.submit(decision("alpha", 1, [market("buy", "1")]))
    engine.close_round()
    engine.open_round(2, engine.setup.round_ms(2))
    with pytest.raises(JournalError, match="sent twice"):
        engine.submit(decision("alpha", 1, [market("buy", "1")]))


def test_time_does_not_run_back():
    engine = engine_on(tape_of({PERP: flat(100, 8)}))
    engine.open_season()
    engine.open_round(4, engine.setup.round_ms(4))
    with pytest.raises(ValueError, match="cannot go back"):
        engine.open_round(2, engine.setup.round_ms(2))


def test_a_preview_sends_and_remembers_nothing():
    engine = engine_on(tape_of({PERP: flat(100, 5)}))
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    pending = len(engine._journal.pending)
    first = engine.preview("alpha", [market("buy", "1"), market("sell", "2000000")])
    assert engine.preview("alpha", [market("buy", "1"), market("sell", "2000000")]) == first
    assert len(engine.orders) == 0
    assert len(engine._journal.pending) == pending
    assert engine.submit(decision("alpha", 0, [market("buy", "1"), market("sell", "2000000")])) == first


@pytest.mark.parametrize(
    ("side", "asked", "sent"), [("buy", "99.996", "99.99"), ("sell", "100.004", "100.01"), ("buy", "99.99", "99.99")]
)
def test_a_limit_price_on_the_grid_is_never_worse_than_asked(side, asked, sent):
    engine = engine_on(tape_of({PERP: flat(100, 5)}))
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    engine.submit(decision("alpha", 0, [limit(side, "1", asked)]))
    assert [order.limit_price for order in engine.orders.all()] == [Decimal(sent)]


def test_an_order_may_not_outlive_the_season_by_an_absurd_wish():
    engine = engine_on(tape_of({PERP: flat(100, 6)}))
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    engine.submit(decision("alpha", 0, [limit("buy", "1", "90", good_for_rounds=10**30)]))
    engine.close_round()
    engine.close_season()
    last = [event for event in engine._journal.events if event.kind is EventKind.ORDER_CANCELLED]
    assert [event.payload["reason"] for event in last] == ["season ended"]


def test_orders_and_decisions_are_written_down_before_anything_else_happens_with_them():
    engine = engine_on(tape_of({PERP: flat(100, 5)}), costs=FREE)
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    engine.submit(decision("alpha", 0, [market("buy", "1")]))
    engine.close_round()
    kinds = [event.kind.value for event in engine._journal.events]
    assert kinds[-4:] == ["decided", "intended", "ruled", "ordered"]
    assert engine._journal.events[0].payload["start_ms"] == START_MS + HOUR_MS

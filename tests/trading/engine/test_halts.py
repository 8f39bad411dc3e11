"""Breakers and the kill switch at work: in a season, through a restart, in the middle of a round."""

from decimal import Decimal

import pytest

from tests.trading.markets import (
    FREE,
    HOUSE,
    PERP,
    Candle,
    MemoryJournal,
    decision,
    engine_on,
    flat,
    limit,
    market,
    tape_of,
)
from trading.domain import EventKind, Ruling
from trading.engine import Engine
from trading.marketdata.tape import Tape
from trading.risk import KillSwitch

LIMITS = HOUSE.model_copy(update=dict.fromkeys(("price_collar", "price_collar_window", "daily_loss"), Decimal(1)))


def falling_to(price: float, bars: int = 3) -> list[Candle]:
    """Two bars at 100, then bars at ``price``."""
    return [*flat(100, 2), *flat(price, bars)]


def tape_to(price: float, bars: int = 3) -> Tape:
    return tape_of({PERP: falling_to(price, bars)})


def engine_with_long(tape: Tape, **more) -> Engine:
    """A desk of 10000 that bought 100 at 100 in the second bar: a fall of one is a percent."""
    engine = engine_on(tape, limits=LIMITS, **more)
    engine.open_season()
    decide(engine, 0, {desk: [market("buy", "100")] for desk in engine.ledger.accounts})
    return engine


def decide(engine: Engine, index: int, intents) -> None:
    engine.open_round(index, engine.setup.round_ms(index))
    for desk, wanted in intents.items():
        engine.submit(decision(desk, index, wanted))
    engine.close_round()


def trips(engine: Engine) -> list[tuple[str, str, str]]:
    return [
        (event.payload["scope"], event.payload["state"], event.payload["value"])
        for event in engine._journal.events
        if event.kind is EventKind.BREAKER_TRIPPED
    ]


@pytest.mark.parametrize(("price", "tripped"), [(90.01, False), (90.0, True), (89.99, True)])
def test_a_desk_trips_at_ten_percent_to_the_tick(price, tripped):
    engine = engine_with_long(tape_to(price))
    decide(engine, 2, {})
    assert engine.breakers.reduce_only("alpha") is tripped
    assert not engine.halted


@pytest.mark.parametrize(("price", "halted"), [(85.01, False), (85.0, True), (84.99, True)])
def test_the_arena_halts_at_fifteen_percent_to_the_tick(price, halted):
    engine = engine_with_long(tape_to(price))
    decide(engine, 2, {})
    assert engine.halted is halted
    assert engine.breakers.reduce_only("alpha")


def test_the_arena_is_measured_over_all_desks():
    engine = engine_on(tape_to(80), desks=("a", "b"), limits=LIMITS)
    engine.open_season()
    decide(engine, 0, {"a": [market("buy", "100")], "b": []})
    decide(engine, 2, {})
    assert trips(engine) == [("a", "reduce_only", "0.2")]
    assert not engine.halted


def test_a_desk_past_its_limit_may_only_reduce():
    engine = engine_with_long(tape_to(90, 6))
    engine.open_round(2, engine.setup.round_ms(2))
    grow, cut, close = engine.submit(
        decision("alpha", 2, [market("buy", "1"), market("sell", "150"), market("sell", "1")])
    )
    assert (grow.ruling, grow.rule) == (Ruling.REFUSED, "reduce_only")
    assert (cut.ruling, cut.rule, cut.quantity_after) == (Ruling.RESIZED, "reduce_only", 100)
    assert (close.ruling, close.rule) == (Ruling.REFUSED, "reduce_only")
    engine.close_round()
    decide(engine, 3, {})
    assert engine.ledger.accounts["alpha"].positions == {}


def test_a_tripped_desk_loses_its_resting_orders_unless_they_only_reduce():
    engine = engine_with_long(tape_to(90, 6))
    decide(
        engine,
        1,
        {
            "alpha": [
                limit("buy", "10", "50", good_for_rounds=9),
                limit("sell", "10", "150", good_for_rounds=9, reduce_only=True),
            ]
        },
    )
    decide(engine, 2, {})
    assert [order.reduce_only for order in engine.orders.all()] == [True]
    ended = [event.payload["reason"] for event in engine._journal.events if event.kind is EventKind.ORDER_CANCELLED]
    assert ended == ["the desk may only reduce"]


def test_a_halt_takes_every_resting_order_back(tmp_path):
    switch = KillSwitch(tmp_path)
    engine = engine_with_long(tape_of({PERP: flat(100, 8)}), desks=("a", "b"), kill_switch=switch, run_id="r-1")
    resting = [limit("sell", "10", "150", good_for_rounds=9, reduce_only=True)]
    decide(engine, 1, {"a": resting, "b": resting})
    assert len(engine.orders) == 2
    switch.halt("enough")
    decide(engine, 2, {})
    assert len(engine.orders) == 0
    assert engine.breakers.halt_reason == "enough"
    assert [event.kind for event in engine._journal.events].count(EventKind.HALTED) == 1


def test_a_halt_thrown_within_a_round_stops_the_desks_that_come_after_it(tmp_path):
    engine = engine_on(tape_to(100), desks=("a", "b"), kill_switch=KillSwitch(tmp_path), run_id="r-1")
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    assert engine.submit(decision("a", 0, [market("buy", "1")]))[0].ruling is Ruling.ALLOWED
    KillSwitch(tmp_path).halt("from another terminal")
    (verdict,) = engine.submit(decision("b", 0, [market("buy", "1")]))
    assert (verdict.ruling, verdict.rule) == (Ruling.REFUSED, "halted")
    assert "from another terminal" in verdict.message
    assert [order.desk for order in engine.orders.all()] == ["a"]


def test_nothing_passes_while_halted_and_a_person_lets_it_go_on(tmp_path):
    switch = KillSwitch(tmp_path)
    engine = engine_with_long(tape_to(84, 6), kill_switch=switch, run_id="r-1")
    decide(engine, 2, {"alpha": [market("sell", "1")]})
    assert engine.halted
    assert len(engine.orders) == 0
    assert switch.state("r-1").scope == "r-1"
    assert switch.state("r-2") is None
    decide(engine, 3, {})
    assert engine.halted, "a breaker does not let go by itself"
    switch.resume("looked at it")
    decide(engine, 4, {"alpha": [market("buy", "1")]})
    assert not engine.halted
    assert not engine.breakers.reduce_only("alpha")
    assert engine.breakers.peak("alpha") == Decimal(8400), "the next drawdown counts from here"
    assert len(engine.orders) == 1


def test_a_restart_knows_what_had_tripped(tmp_path):
    switch = KillSwitch(tmp_path)
    tape = tape_to(84, 8)
    engine = engine_with_long(tape, kill_switch=switch, run_id="r-1")
    decide(engine, 2, {})
    again = engine_on(tape, limits=LIMITS, kill_switch=switch, run_id="r-1")
    again.restore(engine._journal.events)
    assert again.halted
    assert again.breakers.reduce_only("alpha")
    assert again.breakers.peak("alpha") == engine.breakers.peak("alpha") == 10000
    switch.resume("looked at it")
    resumed = engine_on(tape, limits=LIMITS, kill_switch=switch, run_id="r-1")
    resumed.restore(engine._journal.events)
    decide(resumed, 3, {})
    assert not resumed.halted


def test_a_crash_between_latch_and_journal_leaves_the_run_halted(tmp_path):
    switch = KillSwitch(tmp_path)
    engine = engine_with_long(tape_to(84, 6), kill_switch=switch, run_id="r-1")
    committed = list(engine._journal.events)
    engine.open_round(2, engine.setup.round_ms(2))
    assert switch.state("r-1") is not None
    again = engine_on(tape_to(84, 6), limits=LIMITS, kill_switch=switch, run_id="r-1", journal=MemoryJournal())
    again.restore(committed)
    decide(again, 2, {})
    assert again.halted
    assert [scope for scope, state, _ in trips(again) if state == "halted"] == ["arena"]


def test_the_end_of_a_run_takes_its_own_latch_away_and_no_other(tmp_path):
    switch = KillSwitch(tmp_path)
    engine = engine_with_long(tape_to(84), kill_switch=switch, run_id="r-1")
    decide(engine, 2, {})
    switch.halt("other run", scope="r-2")
    engine.close_season()
    assert [halt.scope for halt in switch.standing()] == ["r-2"]


def test_a_desk_may_be_called_arena():
    engine = engine_on(tape_to(90), desks=("arena", "b"), limits=LIMITS)
    engine.open_season()
    decide(engine, 0, {"arena": [market("buy", "100")], "b": []})
    decide(engine, 2, {})
    assert trips(engine) == [("arena", "reduce_only", "0.1")]
    assert engine.breakers.reduce_only("arena")
    assert not engine.halted


def test_a_kill_switch_needs_to_know_the_run(tmp_path):
    with pytest.raises(ValueError, match="run's id"):
        engine_on(tape_to(100), costs=FREE, kill_switch=KillSwitch(tmp_path))


def test_a_desk_is_told_what_happened_to_it():
    engine = engine_with_long(tape_to(90, 6))
    decide(engine, 2, {"alpha": [market("buy", "1")]})
    told = [row["event"] for row in engine.feedback.of("alpha")]
    assert told == ["ruled"]
    assert engine.feedback.of("alpha")[0]["rule"] == "reduce_only"
    again = engine_on(tape_to(90, 6), limits=LIMITS)
    again.restore(engine._journal.events)
    assert again.feedback.of("alpha") == engine.feedback.of("alpha")

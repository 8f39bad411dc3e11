"""Intents that ask to be worked, through the kernel: what leaves when, what ends it, and what a restart makes of it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.feedback import feedback_line
from tests.trading.markets import (
    FREE,
    HOUR_MS,
    HOUSE,
    PERP,
    SPOT,
    START_MS,
    USUAL,
    WIDE,
    MemoryJournal,
    decision,
    engine_on,
    flat,
    instrument,
    limit,
    market,
    random_tape,
    tape_of,
    written,
)
from trading.domain import Event, EventKind, ExecutionStyle, OrderType, Ruling, TimeInForce
from trading.engine import Engine, run_strategy
from trading.risk import KillSwitch
from trading.risk.market_condition import MarketCondition

D = Decimal
TWAP, VWAP, POV = ExecutionStyle.TWAP, ExecutionStyle.VWAP, ExecutionStyle.POV
MINUTE_MS = 60_000


def worked(side="buy", quantity="8", *, style=TWAP, hours=4, **more):
    return market(side, quantity, style=style, window_s=3600 * hours, **more)


def opened(tape, **more) -> Engine:
    engine = engine_on(tape, **more)
    engine.open_season()
    return engine


def play(engine, index, *intents):
    engine.open_round(index, engine.setup.round_ms(index))
    verdicts = engine.submit(decision("alpha", index, list(intents)))
    engine.close_round()
    return verdicts


def run(tape, wants, **more) -> Engine:
    """A season of one desk that wants something in some rounds."""
    engine = opened(tape, **more)
    for index in range(engine.setup.rounds):
        play(engine, index, *wants.get(index, ()))
    engine.close_season()
    return engine


def events(engine, *kinds):
    return [event for event in engine._journal.events + engine._journal.pending if event.kind in kinds]


def sent(engine):
    """The hour after the start at which each order left, and its quantity."""
    rows = [event.payload for event in events(engine, EventKind.ORDERED)]
    return [((row["sent_ms"] - START_MS) / HOUR_MS, row["quantity"]) for row in rows]


def endings(engine):
    return [(e.payload["left"], e.payload["reason"]) for e in events(engine, EventKind.WORK_ENDED)]


FLAT = tape_of({PERP: flat(100, 12), SPOT: flat(100, 12)})


def test_the_parts_leave_as_the_clock_reaches_them_and_sum_to_the_whole():
    engine = run(FLAT, {0: [worked()]})
    assert sent(engine) == [(1.0, "2"), (2.0, "2"), (3.0, "2"), (4.0, "2")]
    assert engine.ledger.accounts["alpha"].position(PERP).quantity == 8
    assert endings(engine) == []
    orders = [event.payload for event in events(engine, EventKind.ORDERED)]
    (begun,) = events(engine, EventKind.WORK_STARTED)
    (wanted,) = events(engine, EventKind.INTENDED)
    assert {row["parent_id"] for row in orders} == {begun.payload["order_id"]}
    assert {row["intent_id"] for row in orders} == {wanted.payload["intent_id"]}
    assert (wanted.payload["style"], wanted.payload["window_s"]) == ("twap", 14_400)
    assert {event.decision_id for event in events(engine, EventKind.ORDERED)} == {begun.decision_id}
    assert len({row["client_order_id"] for row in orders}) == 4


def test_parts_leave_between_rounds_and_a_bar_that_is_missing_holds_none_back():
    engine = run(FLAT, {0: [worked()]}, every_bars=6)
    assert [at for at, _ in sent(engine)] == [1.0, 2.0, 3.0, 4.0]
    holes = replace(FLAT, open_ms=FLAT.open_ms + HOUR_MS * (FLAT.open_ms >= START_MS + 3 * HOUR_MS))
    engine = run(holes, {0: [worked()]}, every_bars=6)
    assert sum(D(quantity) for _, quantity in sent(engine)) == 8
    assert engine.ledger.accounts["alpha"].position(PERP).quantity == 8


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 50),
    style=st.sampled_from([TWAP, VWAP, POV]),
    hours=st.integers(2, 20),
    lots=st.integers(1, 20_000),
    every_bars=st.integers(1, 5),
    limited=st.booleans(),
    side=st.sampled_from(["buy", "sell"]),
)
def test_whatever_is_asked_parts_stay_in_the_window_behind_the_limit_and_never_exceed_the_whole(
    seed, style, hours, lots, every_bars, limited, side
):
    tape = random_tape(seed, bars=40, symbols=(PERP,), volatility=0.004)
    engine = opened(tape, costs=USUAL, every_bars=every_bars)
    quantity = D(lots) / 1000
    intent = replace(worked(side, str(quantity), style=style), window_s=3600 * hours)
    if limited:
        last = D(repr(float(tape.close[0, 0])))
        intent = replace(intent, order_type=OrderType.LIMIT, limit_price=round(last, 2))
    (verdict,) = play(engine, 0, intent)
    for index in range(1, engine.setup.rounds):
        play(engine, index)
    engine.close_season()
    assert len(engine.orders) == 0
    orders = [event.payload for event in events(engine, EventKind.ORDERED)]
    begun = engine.setup.round_ms(0)
    assert all(begun <= row["sent_ms"] < begun + hours * HOUR_MS for row in orders)
    total = sum((D(row["quantity"]) for row in orders), D(0))
    assert all(D(row["quantity"]) % D("0.001") == 0 for row in orders)
    left = sum((D(event.payload["left"]) for event in events(engine, EventKind.WORK_ENDED)), D(0))
    assert total + left == (0 if verdict.ruling is Ruling.REFUSED else quantity)
    for event in events(engine, EventKind.FILLED) if limited else ():
        sign = 1 if side == "buy" else -1
        assert (D(event.payload["price"]) - intent.limit_price) * sign <= 0


def test_what_rests_ends_with_the_window():
    away = worked(order_type=OrderType.LIMIT, limit_price=D(97))
    engine = opened(FLAT)
    for index in range(5):
        play(engine, index, *([away] if index == 0 else []))
    assert len(engine.orders) == 4
    engine.open_round(5, engine.setup.round_ms(5))
    assert len(engine.orders) == 0
    expired = events(engine, EventKind.ORDER_EXPIRED)
    assert {event.ts_ms for event in expired} == {engine.setup.round_ms(4)}
    (row,) = engine.feedback.of("alpha")
    assert (row["event"], row["left"], row["reason"]) == ("work_ended", "8", "its window is over")


def test_a_desk_is_told_how_far_it_is_in_one_row():
    engine = opened(FLAT, costs=USUAL)
    play(engine, 0, worked())
    engine.open_round(1, engine.setup.round_ms(3))
    (row,) = engine.feedback.of("alpha")
    assert (row["event"], row["filled"], row["quantity"]) == ("worked", "6", "8")
    assert D(row["price"]) > 100
    assert feedback_line(row).startswith(f"Worked so far: buy 6 of 8 {PERP} at 100.0")
    ended = {**row, "event": "work_ended", "left": "2", "reason": "trading is halted"}
    assert feedback_line(ended).endswith("not worked any further, 2 of it is left: trading is halted.")
    (rest,) = engine.account("alpha").open_orders
    assert (rest.quantity, rest.side.value) == (2, "buy"), "what left a moment ago; nothing is to come"


# -- what counts ------------------------------------------------------------------------------------------------------


def test_the_whole_counts_from_the_start_and_not_only_the_first_part():
    tight = WIDE.model_copy(update={"max_leverage": D(1), "max_order_value": D(900)})
    engine = opened(FLAT, limits=tight, capital="1000")
    engine.open_round(0, engine.setup.round_ms(0))
    (verdict,) = engine.submit(decision("alpha", 0, [worked(quantity="12")]))
    assert (verdict.ruling, verdict.rule, verdict.quantity_after) == (Ruling.RESIZED, "max_order_value", 9)
    (second,) = engine.preview("alpha", [market("buy", "2")])
    assert (second.ruling, second.rule, second.quantity_after) == (Ruling.RESIZED, "max_leverage", 1)
    engine.close_round()
    engine.open_round(1, engine.setup.round_ms(2))
    assert engine.preview("alpha", [market("buy", "2")])[0].quantity_after == 1


def test_cash_for_what_is_to_come_is_not_spent_twice():
    engine = opened(FLAT, capital="1000")
    play(engine, 0, replace(worked(quantity="6"), instrument=SPOT))
    (verdict,) = play(engine, 1, market("buy", "6", SPOT))
    assert verdict.quantity_after < 4


def test_parts_are_one_order_to_counts_of_orders_and_repeats():
    narrow = WIDE.model_copy(update={"max_repeats": 3, "max_open_orders": 2})
    engine = opened(FLAT, limits=narrow)
    resting = worked(order_type=OrderType.LIMIT, limit_price=D(97), hours=6)
    for index in range(6):
        (verdict,) = play(engine, index, *([resting] if index == 0 else [])) or [None]
    assert len(engine.orders) == 6
    assert not engine.halted
    assert engine.breakers.desk_halt("alpha") is None
    (verdict,) = play(engine, 6, limit("buy", "1", "97"))
    assert verdict.ruling is Ruling.ALLOWED


# -- what ends it -----------------------------------------------------------------------------------------------------


def test_a_halt_in_the_middle_ends_it_and_takes_back_what_rests():
    engine = opened(FLAT)
    play(engine, 0, worked(order_type=OrderType.LIMIT, limit_price=D(97)))
    play(engine, 1)
    engine.record(Event(ts_ms=engine.setup.round_ms(1), kind=EventKind.HALTED, payload={"scope": "x", "reason": "y"}))
    play_halted = engine.open_round(2, engine.setup.round_ms(2))
    assert play_halted is not None
    engine.close_round()
    engine.close_season()
    assert len(sent(engine)) == 2 + 0
    assert endings(engine) == [("4", "trading is halted")]
    assert len(engine.orders) == 0


def test_the_kill_switch_stops_parts_that_are_due_between_rounds(tmp_path):
    switch = KillSwitch(tmp_path)
    engine = opened(FLAT, kill_switch=switch, run_id="r-1", every_bars=6)
    play(engine, 0, worked())
    switch.halt("a person")
    engine.advance(engine.setup.round_ms(1))
    assert [quantity for _, quantity in sent(engine)] == ["2"]
    (ended,) = events(engine, EventKind.WORK_ENDED)
    assert (ended.payload["rule"], ended.payload["left"]) == ("halted", "6")


def test_a_breaker_in_the_middle_ends_what_opens():
    falling = [(100.0, 100.0, 100.0, 100.0)] * 3 + [(70.0, 70.0, 70.0, 70.0)] * 6
    limits = WIDE.model_copy(update={"desk_drawdown": D("0.1")})
    engine = run(tape_of({PERP: falling}), {0: [worked(quantity="120", hours=6)]}, limits=limits)
    assert len(events(engine, EventKind.BREAKER_TRIPPED)) == 1
    assert endings(engine) == [("60", "the desk may only reduce")]


def test_what_is_over_a_limit_when_it_is_due_leaves_as_far_as_the_limit_allows_and_ends_it():
    rising = tape_of({PERP: [(price,) * 4 for price in (100.0, 100.0, 100.0, 120.0, 120.0, 120.0, 120.0)]})
    limits = WIDE.model_copy(update={"max_leverage": D(1)})
    instruments = {PERP: instrument(max_leverage=D(20))}
    engine = run(rising, {0: [worked(quantity="10")]}, limits=limits, capital="1000", instruments=instruments)
    (ended,) = events(engine, EventKind.WORK_ENDED)
    assert ended.payload["rule"] == "max_leverage"
    total = sum(D(quantity) for _, quantity in sent(engine))
    assert total + D(ended.payload["left"]) == 10
    assert 0 < total < 10


@pytest.mark.parametrize("back", [market("sell", "1", reduce_only=True), market("sell", "1"), worked("sell", "1")])
def test_a_desk_that_closes_or_turns_ends_what_it_worked(back):
    engine = opened(FLAT)
    play(engine, 0, worked())
    engine.open_round(1, engine.setup.round_ms(1))
    (previewed,) = engine.preview("alpha", [back])
    (verdict,) = engine.submit(decision("alpha", 1, [back]))
    engine.close_round()
    assert previewed == verdict
    assert verdict.ruling is Ruling.ALLOWED
    assert endings(engine) == [("4", "the desk closes the position or goes the other way")]
    engine.advance(engine.setup.end_ms)
    assert engine.ledger.accounts["alpha"].position(PERP).quantity <= 3


def test_the_way_out_is_open_while_an_exit_is_worked():
    engine = opened(FLAT)
    play(engine, 0, market("buy", "8"))
    play(engine, 1, worked("sell", "8", reduce_only=True))
    play(engine, 2)
    (verdict,) = play(engine, 3, market("sell", "4", reduce_only=True))
    assert (verdict.ruling, verdict.quantity_after) == (Ruling.ALLOWED, 4)
    engine.advance(engine.setup.end_ms)
    assert engine.ledger.accounts["alpha"].position(PERP).quantity == 0


def test_rubbish_and_another_instrument_end_nothing():
    engine = opened(FLAT)
    play(engine, 0, worked())
    nonsense = [market("sell", "NaN"), market("sell", "0"), market("sell", "1", SPOT), market("buy", "1")]
    play(engine, 1, *nonsense)
    assert endings(engine) == []


def test_a_person_takes_back_what_is_left():
    engine = opened(FLAT)
    play(engine, 0, worked())
    engine.open_round(1, engine.setup.round_ms(1))
    rest = engine.account("alpha").open_orders[-1]
    assert not engine.cancel("beta", rest.order_id, "not mine")
    assert engine.cancel("alpha", rest.order_id, "cancelled by a person")
    assert not engine.cancel("alpha", rest.order_id, "again")
    engine.close_round()
    engine.close_season()
    assert endings(engine) == [("4", "cancelled by a person")]
    assert engine.ledger.accounts["alpha"].position(PERP).quantity == 2


def test_a_feed_that_is_lost_ends_it():
    engine = opened(FLAT)
    play(engine, 0, worked())
    engine.note_condition(MarketCondition(instrument=PERP, feed_lost=True))
    engine.advance(engine.setup.end_ms)
    (ended,) = events(engine, EventKind.WORK_ENDED)
    assert (ended.payload["rule"], ended.payload["left"]) == ("sequence_gap", "6")


def test_the_end_of_the_season_ends_what_rests():
    engine = run(FLAT, {0: [worked(hours=11, quantity="11", order_type=OrderType.LIMIT, limit_price=D(97))]})
    assert len(engine.orders) == 0
    assert len(events(engine, EventKind.ORDER_CANCELLED)) == len(events(engine, EventKind.ORDERED)) == 11
    early = opened(FLAT)
    play(early, 0, worked())
    early.end_work(early.setup.round_ms(1), "the season stops")
    early.close_season()
    assert endings(early) == [("6", "the season stops")]


def test_a_liquidation_ends_it():
    crash = [(100.0, 100.0, 100.0, 100.0)] * 3 + [(60.0, 60.0, 40.0, 40.0)] * 6
    listed = {PERP: instrument()}
    wide = WIDE.model_copy(update={"price_collar_window": D(5)})
    engine = run(
        tape_of({PERP: crash}), {0: [worked(quantity="60", hours=6)]}, capital="1000", limits=wide, instruments=listed
    )
    assert len(events(engine, EventKind.LIQUIDATED)) == 1
    assert endings(engine)[0][1] == "the position was liquidated"
    assert engine.ledger.accounts["alpha"].positions == {}


# -- rubbish ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "rule"),
    [
        (replace(worked(), window_s=0), "order_shape"),
        (replace(worked(), window_s=-5), "order_shape"),
        (replace(worked(), window_s=None), "order_shape"),
        (replace(worked(), window_s=90_000), "order_shape"),
        (replace(worked(), style=ExecutionStyle.NOW), "order_shape"),
        (replace(worked(), time_in_force=TimeInForce.FOK), "order_shape"),
        (replace(worked(), stop_loss=D(90)), "order_shape"),
        (replace(worked(), order_type=OrderType.STOP, trigger_price=D(110)), "order_shape"),
        (replace(worked(), window_s=3600), "work_window"),
        (worked(hours=12), "work_window"),
    ],
)
def test_what_cannot_be_worked_is_refused_by_name_and_nothing_leaves(intent, rule):
    engine = opened(FLAT)
    (verdict,) = play(engine, 0, intent)
    assert (verdict.ruling, verdict.rule) == (Ruling.REFUSED, rule)
    assert verdict.message.endswith(".")
    assert sent(engine) == []


@pytest.mark.parametrize("style", [VWAP, POV])
def test_volume_is_followed_only_where_it_is_known(style):
    silent = tape_of({PERP: flat(100, 12)}, volume=0.0)
    engine = opened(silent)
    (verdict,) = play(engine, 0, worked(style=style))
    assert (verdict.ruling, verdict.rule) == (Ruling.REFUSED, "usual_volume")
    limits = WIDE.model_copy(update={"max_volume_share": D(0)})
    assert play(opened(tape_of({PERP: flat(100, 12)}), limits=limits), 0, worked())[0].ruling is Ruling.REFUSED


def test_a_share_of_thin_volume_leaves_what_it_does_not_reach():
    thin = tape_of({PERP: flat(100, 12)}, volume=10.0)
    engine = run(thin, {0: [worked(quantity="8", style=POV)]})
    assert sum(D(quantity) for _, quantity in sent(engine)) == 4, "a tenth of the forty that trade in four hours"
    assert endings(engine) == [("4", "the usual volume of the window allows no more")]


def test_the_future_changes_no_plan():
    tape = random_tape(3, bars=60, symbols=(PERP,), missing=0.0, holes=False)
    volumes = tape.volume.copy()
    volumes[:, :30] = 1000.0 * (1 + (tape.open_ms[:30] // HOUR_MS) % 5)
    other = volumes.copy()
    other[:, 30:] *= 50
    plans = []
    for volume in (volumes, other):
        engine = opened(replace(tape, volume=volume), start_bar=30)
        play(engine, 0, worked(quantity="40", style=VWAP, hours=8))
        plans.append(events(engine, EventKind.WORK_STARTED)[0].payload["parts"])
    assert plans[0] == plans[1]
    assert len({quantity for _, quantity in plans[0]}) > 1


def test_parts_worth_too_little_wait_for_one_another_even_when_the_price_falls():
    falling = [(price,) * 4 for price in (100.0, 100.0, 96.0, 94.0, 93.0, 92.0, 92.0, 92.0)]
    listed = {PERP: instrument(min_notional=D(100))}
    engine = run(tape_of({PERP: falling}), {0: [worked(quantity="4")]}, instruments=listed)
    assert endings(engine) == []
    assert sum(D(quantity) for _, quantity in sent(engine)) == 4


# -- again, and after a restart ---------------------------------------------------------------------------------------


def season(tape, journal, *, stop_at=None, seed=5):
    """A season that works something all the time, from wherever the journal stands."""
    engine = engine_on(tape, costs=USUAL, limits=HOUSE, journal=journal, every_bars=3)
    engine.restore(journal.events)
    if not journal.events:
        engine.open_season()
    styles = [TWAP, VWAP, POV]
    for index in range(engine.rounds_closed, engine.setup.rounds):
        if index == stop_at:
            return engine
        engine.open_round(index, engine.setup.round_ms(index))
        side = "buy" if (index + seed) // 4 % 2 else "sell"
        intent = worked(side, f"{5 + index % 7}", style=styles[index % 3], hours=5 + index % 4)
        engine.submit(decision("alpha", index, [intent] if index % 2 == 0 else []))
        engine.close_round()
    engine.close_season()
    return engine


@pytest.mark.parametrize("stop_at", [1, 2, 5, 8])
def test_a_season_that_was_killed_goes_on_to_the_same_record(stop_at):
    tape = random_tape(11, bars=40, symbols=(PERP,))
    whole = season(tape, MemoryJournal())
    assert len(events(whole, EventKind.WORK_STARTED)) > 3
    killed = season(tape, MemoryJournal(), stop_at=stop_at)
    killed.advance(killed.setup.round_ms(stop_at))  # what it did since the last commit is lost
    kept = MemoryJournal()
    kept.events = list(killed._journal.events)
    again = season(tape, kept)
    assert written(again._journal.events) == written(whole._journal.events)


def test_a_backtest_works_orders_like_a_season():
    tape = random_tape(2, bars=30, symbols=(PERP,), holes=False, missing=0.0)
    backtest = opened(tape, costs=USUAL)

    def strategy(cursor):
        return [worked()] if cursor.at == 3 else None

    run_strategy(backtest, "alpha", strategy)
    backtest.close_season()
    rounds = opened(tape, costs=USUAL)
    for index in range(rounds.setup.rounds):
        play(rounds, index, *([worked()] if index == 2 else []))
    rounds.close_season()
    assert sent(backtest) == sent(rounds)
    told = [
        [(e.payload["price"], e.payload["quantity"]) for e in events(each, EventKind.FILLED)]
        for each in (backtest, rounds)
    ]
    assert told[0] == told[1]
    assert len(told[0]) == 4


def test_costs_nothing_to_what_goes_at_once():
    engine = run(FLAT, {0: [market("buy", "1")]}, costs=FREE)
    assert events(engine, EventKind.WORK_STARTED, EventKind.WORK_ENDED) == []
    assert "parent_id" not in events(engine, EventKind.ORDERED)[0].payload


# -- at a venue elsewhere ----------------------------------------------------------------------------------------------


class Handed:
    """What was handed over, and what was wanted back."""

    def __init__(self):
        self.orders, self.back = [], []

    def place(self, order):
        self.orders.append(order)

    def cancel(self, order, reason):
        self.back.append((order.order_id, reason))


@pytest.fixture
def away(tmp_path):
    switch = KillSwitch(tmp_path)
    handed = Handed()
    engine = opened(FLAT, dispatch=handed, kill_switch=switch, run_id="r-1", costs=USUAL, every_bars=6)
    play(engine, 0, worked())
    return engine, handed, switch


def test_parts_go_to_a_venue_elsewhere_when_its_clock_is_looked_at(away):
    engine, handed, _ = away
    due_ms = START_MS + 2 * HOUR_MS
    assert not engine.send_due(due_ms - 1)
    assert engine.send_due(due_ms + 3_000)
    assert not engine.send_due(due_ms + 3_001)
    assert engine._journal.pending == []
    first, second = handed.orders
    assert (first.quantity, second.quantity) == (2, 2)
    assert (second.sent_ms, second.arrives_ms) == (due_ms + 3_000, due_ms + 3_250)
    assert second.parent_quantity == 8


def test_what_is_late_does_not_leave_any_more_and_the_desk_is_told(away):
    engine, handed, _ = away
    assert engine.send_due(START_MS + 4 * HOUR_MS + 1_000)
    assert [order.quantity for order in handed.orders] == [2, 2]
    assert endings(engine) == [("4", "parts were due while none could leave")]
    assert engine.feedback.of("alpha")[-1]["left"] == "4"


def test_nothing_leaves_before_the_tape_has_come_up(away):
    engine, handed, _ = away
    assert not engine.send_due(START_MS + 14 * HOUR_MS)
    assert len(handed.orders) == 1


def test_a_halt_ends_it_at_once_and_wants_its_parts_back(away):
    engine, handed, switch = away
    switch.halt("a person")
    assert engine.enforce_halt(START_MS + HOUR_MS + 1)
    assert not engine.send_due(START_MS + 2 * HOUR_MS)
    assert endings(engine) == [("6", "trading is halted")]
    assert handed.back == [(handed.orders[0].order_id, "trading is halted")]


def test_a_part_that_the_venue_does_not_take_ends_it(away):
    engine, handed, _ = away
    (part,) = handed.orders
    payload = {"order_id": part.order_id, "desk": "alpha", "parent_id": part.parent_id, "reason": "above the cap"}
    engine.hear(Event(ts_ms=START_MS + HOUR_MS, kind=EventKind.ORDER_REJECTED, payload=payload))
    assert endings(engine) == [("6", "a part was rejected: above the cap")]
    assert not engine.send_due(START_MS + 2 * HOUR_MS)


def test_a_new_process_sends_only_what_has_not_left(away, tmp_path):
    engine, handed, _ = away
    engine.send_due(START_MS + 2 * HOUR_MS)
    again = Handed()
    journal = MemoryJournal()
    journal.events = list(engine._journal.events)
    restored = engine_on(
        FLAT, dispatch=again, kill_switch=KillSwitch(tmp_path), run_id="r-1", costs=USUAL, every_bars=6, journal=journal
    )
    restored.restore(journal.events)
    assert not restored.send_due(START_MS + 2 * HOUR_MS + 5)
    assert restored.send_due(START_MS + 3 * HOUR_MS)
    assert restored.send_due(START_MS + 4 * HOUR_MS)
    assert not restored.send_due(START_MS + 5 * HOUR_MS)
    orders = [*handed.orders, *again.orders]
    assert len({order.client_order_id for order in orders}) == 4
    assert sum(order.quantity for order in orders) == 8


def test_what_stops_a_season_ends_it(away):
    engine, handed, _ = away
    engine.end_work(START_MS + HOUR_MS + 1, "the season stops")
    assert endings(engine) == [("6", "the season stops")]
    assert handed.back == [(handed.orders[0].order_id, "the season stops")]
    assert engine._journal.pending == []

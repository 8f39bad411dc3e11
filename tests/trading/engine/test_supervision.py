"""What stands over the desks, at work: live limits, fifty desks at once, a killed process, cutting back."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.markets import (
    FREE,
    HOUSE,
    OTHER_PERP,
    PERP,
    SPOT,
    USUAL,
    WIDE,
    decision,
    engine_on,
    flat,
    limit,
    market,
    random_tape,
    tape_of,
    written,
)
from trading.domain import EventKind, OrderType, Ruling, Side, TradeIntent
from trading.engine import Engine
from trading.engine.kernel import FORCED_LEG
from trading.ledger import mark_account
from trading.risk import Actor, KillSwitch, LimitBoard, MarketCondition, load_modes
from trading.storage.journal import Journal, read_verified

ROOT = Path(__file__).parents[3]
MODES = load_modes(ROOT / "config" / "modes.toml")
LOOSE = HOUSE.model_copy(
    update=dict.fromkeys(("price_collar", "price_collar_window", "daily_loss", "arena_drawdown"), Decimal(1))
)


def decide(engine: Engine, index: int, intents) -> dict[str, list]:
    engine.open_round(index, engine.setup.round_ms(index))
    verdicts = {desk: engine.submit(decision(desk, index, wanted)) for desk, wanted in intents.items()}
    engine.close_round()
    return verdicts


def kinds(engine: Engine, kind: EventKind) -> list:
    return [event for event in engine._journal.events if event.kind is kind]


# -- limits while trading goes on --------------------------------------------------------------------------------------


def test_a_live_limit_counts_for_the_next_desk_and_stands_in_the_journal(tmp_path):
    board = LimitBoard(tmp_path, HOUSE)
    engine = engine_on(tape_of({PERP: flat(100, 8)}), desks=("a", "b"), limits=HOUSE, board=board)
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    (before,) = engine.submit(decision("a", 0, [market("buy", "150")]))
    LimitBoard(tmp_path, HOUSE).set("max_order_fraction", "0.5", who="ada", reason="calm", actor=Actor.MODEL)
    (trial,) = engine.preview("b", [market("buy", "150")])
    (after,) = engine.submit(decision("b", 0, [market("buy", "150")]))
    engine.close_round()
    assert (before.quantity_after, trial.quantity_after, after.quantity_after) == (150, 50, 50)
    (event,) = kinds(engine, EventKind.LIMITS_CHANGED)
    (change,) = event.payload["changes"]
    told = {"name": "max_order_fraction", "old": "1.5", "new": "0.5", "who": "ada", "reason": "calm"}
    assert told.items() <= change.items()
    assert engine.feedback.of("a")[-1]["event"] == "limits_changed"
    ruled = [e for e in engine._journal.events if e.kind in (EventKind.LIMITS_CHANGED, EventKind.RULED)]
    assert [e.kind for e in ruled] == [EventKind.RULED, EventKind.LIMITS_CHANGED, EventKind.RULED]


def test_a_restart_trades_on_under_the_limits_of_the_journal(tmp_path):
    board = LimitBoard(tmp_path, HOUSE)
    tape = tape_of({PERP: flat(100, 8)})
    engine = engine_on(tape, limits=HOUSE, board=board)
    engine.open_season()
    board.set("max_leverage", "0.5", who="ada", reason="x")
    board.set("allowed_instruments", PERP, who="ada", reason="x")
    decide(engine, 0, {"alpha": []})
    again = engine_on(tape, limits=HOUSE)
    again.restore(engine._journal.events)
    assert again.limits.max_leverage == Decimal("0.5")
    assert again.limits.allowed_instruments == (PERP,)
    assert again.breakers.limits == again.limits


def test_a_change_and_its_journal_are_verified(tmp_path):
    board = LimitBoard(tmp_path, HOUSE)
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    engine = engine_on(tape_of({PERP: flat(100, 8)}), limits=HOUSE, board=board, journal=journal)
    engine.open_season()
    board.set("max_leverage", "0.5", who="ada", reason="x")
    decide(engine, 0, {"alpha": [market("buy", "80")]})
    journal.close()
    found = [row.event() for row in read_verified(path)]
    assert EventKind.LIMITS_CHANGED in {event.kind for event in found}


# -- confidence --------------------------------------------------------------------------------------------------------


def test_only_a_model_that_states_its_confidence_is_weighed_by_it():
    engine = engine_on(tape_of({PERP: flat(100, 8)}), desks=("llm", "rule"), limits=HOUSE, mode=MODES["balanced"])
    engine.supervision._judged = {"llm"}
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    doubt = [replace(decision(desk, 0, [market("buy", "10")]), confidence=0.6) for desk in ("llm", "rule")]
    (judged,), (free,) = (engine.submit(each) for each in doubt)
    assert (judged.rule, judged.quantity_after) == ("confidence", 4)
    assert free.ruling is Ruling.ALLOWED


# -- desks that are stopped --------------------------------------------------------------------------------------------


def test_a_desk_that_repeats_itself_is_halted_alone_until_a_person_lets_it_go_on(tmp_path):
    switch = KillSwitch(tmp_path)
    limits = WIDE.model_copy(update={"max_repeats": 2})
    tape = tape_of({PERP: flat(100, 12)})
    engine = engine_on(tape, desks=("a", "b"), limits=limits, kill_switch=switch, run_id="r-1")
    engine.open_season()
    more = {"a": [market("buy", "1")], "b": []}
    for index in range(2):
        decide(engine, index, more)
    (third,) = decide(engine, 2, more)["a"]
    assert (third.ruling, third.rule) == (Ruling.REFUSED, "halted")
    assert switch.desk_state("r-1", "a").state == "halted"
    again = engine_on(tape, desks=("a", "b"), limits=limits, kill_switch=switch, run_id="r-1")
    again.restore(engine._journal.events)
    verdicts = decide(again, 3, {"a": [market("sell", "1")], "b": [market("buy", "1")]})
    assert verdicts["a"][0].rule == "halted"
    assert verdicts["b"][0].ruling is Ruling.ALLOWED
    assert [halt.scope for halt in switch.resume("looked", desk="a")] == ["r-1@a"]
    assert decide(again, 4, more)["a"][0].ruling is Ruling.ALLOWED


def test_a_latch_without_its_event_still_stops_the_desk(tmp_path):
    switch = KillSwitch(tmp_path)
    engine = engine_on(tape_of({PERP: flat(100, 12)}), limits=WIDE, kill_switch=switch, run_id="r-1")
    engine.open_season()
    switch.halt("thrown and not written", scope="r-1@alpha")
    assert decide(engine, 0, {"alpha": [market("buy", "1")]})["alpha"][0].rule == "halted"
    assert kinds(engine, EventKind.BREAKER_TRIPPED)[0].payload["rule"] == "latched"


def test_a_strange_market_may_only_be_reduced():
    engine = engine_on(tape_of({PERP: flat(100, 12)}), limits=HOUSE)
    engine.open_season()
    decide(engine, 0, {"alpha": [market("buy", "10"), limit("buy", "1", "99", good_for_rounds=9)]})
    engine.note_condition(MarketCondition(instrument=PERP, anomaly=0.99))
    grow, shrink = decide(engine, 2, {"alpha": [market("buy", "1"), market("sell", "10")]})["alpha"]
    assert (grow.rule, shrink.ruling) == ("reduce_only", Ruling.ALLOWED)
    assert [e.payload["reason"] for e in kinds(engine, EventKind.ORDER_CANCELLED)] == [
        "the instrument may only be reduced"
    ]
    engine.note_condition(MarketCondition(instrument=PERP, anomaly=0.1))
    assert decide(engine, 3, {"alpha": [market("buy", "1")]})["alpha"][0].ruling is Ruling.ALLOWED


def test_a_lost_feed_refuses_everything_until_it_is_read_anew():
    engine = engine_on(tape_of({PERP: flat(100, 12)}), limits=HOUSE)
    engine.open_season()
    engine.note_condition(MarketCondition(instrument=PERP, sequence_gap=True))
    assert decide(engine, 0, {"alpha": [market("buy", "1")]})["alpha"][0].rule == "sequence_gap"
    engine.note_condition(MarketCondition(instrument=PERP))
    assert decide(engine, 1, {"alpha": [market("buy", "1")]})["alpha"][0].ruling is Ruling.ALLOWED


def test_exposure_that_the_market_made_is_cut_back_by_the_house():
    # 250 short at 100 is 2.5 times equity; at 112 it is 280 / 7 = 4 times, a quarter above the limit of 3.
    engine = engine_on(
        tape_of({PERP: [*flat(100, 2), *flat(112, 8)]}), limits=LOOSE.model_copy(update={"desk_drawdown": Decimal(1)})
    )
    engine.open_season()
    decide(engine, 0, {"alpha": [market("sell", "125"), market("sell", "125")]})
    decide(engine, 2, {"alpha": []})
    (order,) = [e.payload for e in kinds(engine, EventKind.ORDERED) if e.payload["origin"] == "risk"]
    assert (order["side"], order["reduce_only"]) == ("buy", True)
    assert kinds(engine, EventKind.BREAKER_TRIPPED)[-1].payload["rule"] == "post_trade"
    decide(engine, 3, {"alpha": []})
    account = engine.ledger.accounts["alpha"]
    mark = mark_account(account, {PERP: Decimal(112)}, engine.setup.instruments)
    assert mark.gross / mark.equity <= 3
    decide(engine, 4, {"alpha": []})
    assert kinds(engine, EventKind.BREAKER_CLEARED)[-1].payload["rule"] == "post_trade"
    assert len([e for e in kinds(engine, EventKind.ORDERED) if e.payload["origin"] == "risk"]) == 1
    assert engine.limits.max_orders_per_round < FORCED_LEG


# -- many at once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bound", ["arena_gross_exposure", "arena_net_exposure", "arena_instrument_exposure"])
def test_fifty_desks_at_once_cannot_exceed_a_limit_of_the_arena(bound):
    desks = [f"d{number}" for number in range(50)]
    engine = engine_on(
        tape_of({PERP: flat(100, 6)}), desks=desks, limits=LOOSE.model_copy(update={bound: Decimal("0.7")})
    )
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    with ThreadPoolExecutor(50) as pool:
        decisions = [decision(desk, 0, [market("buy", "90"), market("buy", "60")]) for desk in desks]
        verdicts = [verdict for pair in pool.map(engine.submit, decisions) for verdict in pair]
    engine.close_round()
    sent = sum(order.quantity for order in engine.orders.all())
    assert sent == sum(verdict.quantity_after for verdict in verdicts) == 3500, "0.7 of fifty times 100"
    assert {verdict.rule for verdict in verdicts} == {"", bound}


WORDS = st.sampled_from([PERP, OTHER_PERP, SPOT, "DOGE-USDT", "", "nonsense", "BTC-USDT-PERP\n"])
AMOUNTS = st.one_of(
    st.decimals("0.001", "400", places=3),
    st.sampled_from([Decimal(text) for text in ("0", "-5", "NaN", "sNaN", "Infinity", "-Infinity", "1e30", "1e-30")]),
)
INTENTS = st.builds(
    TradeIntent,
    instrument=WORDS,
    side=st.sampled_from(Side),
    quantity=AMOUNTS,
    order_type=st.sampled_from(OrderType),
    limit_price=st.none() | st.decimals("80", "125", places=2) | AMOUNTS,
    reduce_only=st.booleans(),
    good_for_rounds=st.integers(-5, 10**6),
    confidence=st.none() | st.floats(0, 1),
)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rounds=st.lists(st.lists(st.lists(INTENTS, max_size=4), min_size=3, max_size=3), min_size=1, max_size=5),
)
def test_no_order_that_breaks_a_limit_reaches_a_venue(seed, rounds):
    limits = HOUSE.model_copy(
        update={
            "arena_gross_exposure": Decimal(1),
            "arena_instrument_exposure": Decimal("0.6"),
            "daily_loss": Decimal(1),
        }
    )
    desks = ("a", "b", "c")
    tape = random_tape(seed, bars=30, volatility=0.004, missing=0.1)
    engine = engine_on(tape, desks=desks, limits=limits, costs=USUAL)
    engine.open_season()
    for index, wanted in enumerate(rounds):
        engine.open_round(index, engine.setup.round_ms(index))
        for desk, intents in zip(desks, wanted, strict=True):
            before = len(engine.orders)
            standing = exposure(engine)
            engine.submit(decision(desk, index, intents))
            for order in engine.orders.all()[before:]:
                assert order.quantity > 0
                assert order.quantity.is_finite()
                assert order.instrument in engine.setup.instruments
                last = Decimal(repr(engine._quotes[order.instrument].price))
                assert order.limit_price is None or abs(order.limit_price / last - 1) <= limits.price_collar
            check(engine, standing, limits)
        engine.close_round()


def exposure(engine: Engine) -> dict[str, Decimal]:
    """The worst that every order in flight may lead to: gross by instrument, and by desk, in the quote currency."""
    found: dict[str, Decimal] = {"arena": Decimal(0)}
    for desk, account in engine.ledger.accounts.items():
        found[desk] = Decimal(0)
        for symbol in engine.setup.instruments:
            if symbol not in engine._quotes:
                continue
            price = Decimal(repr(engine._quotes[symbol].price))
            held = account.position(symbol).quantity
            orders = [order for order in engine.orders.of(desk) if order.instrument == symbol]
            bought = sum((o.quantity for o in orders if o.side is Side.BUY), Decimal(0))
            sold = sum((o.quantity for o in orders if o.side is Side.SELL), Decimal(0))
            worst = max(abs(held + bought), abs(held - sold)) * price
            for scope in ("arena", desk, symbol):
                found[scope] = found.get(scope, Decimal(0)) + worst
    return found


def check(engine: Engine, before: dict[str, Decimal], limits) -> None:
    """No order made a limit worse: what was within it still is, and what was beyond it has not grown."""
    after = exposure(engine)
    equity = {desk: engine.account(desk).equity for desk in engine.ledger.accounts}
    total = sum(equity.values())
    bounds = {"arena": limits.arena_gross_exposure * total}
    bounds |= dict.fromkeys(engine.setup.instruments, limits.arena_instrument_exposure * total)
    bounds |= {desk: limits.max_gross_exposure * value for desk, value in equity.items()}
    for scope, value in after.items():
        assert value <= max(bounds[scope], before.get(scope, Decimal(0))), scope


# -- a process that is killed ------------------------------------------------------------------------------------------

SEASON = """
import sys, time
from decimal import Decimal
from pathlib import Path
from tests.trading.markets import HOUSE, PERP, decision, engine_on, flat, market, tape_of
from trading.risk import KillSwitch
from trading.storage.journal import Journal
home = Path(sys.argv[1])
tape = tape_of({PERP: [*flat(100, 2), *flat(84, 30)]})
journal = Journal(home / "journal.sqlite")
engine = engine_on(tape, limits=HOUSE, kill_switch=KillSwitch(home), run_id="r-1", journal=journal)
engine.open_season()
for index in range(3):
    engine.open_round(index, engine.setup.round_ms(index))
    engine.submit(decision("alpha", index, [market("buy", "100")] if index == 0 else []))
    engine.close_round()
engine.open_round(3, engine.setup.round_ms(3))
print("halted" if engine.halted else "free", flush=True)
time.sleep(60)
"""


def test_breakers_survive_a_killed_process(tmp_path):
    # The market falls by 16 %: the desk's, the day's and the arena's breaker trip in the child, which is then killed
    # in the middle of a round.
    child = subprocess.Popen(
        [sys.executable, "-c", SEASON, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "halted"
    child.send_signal(signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    child.stdout.close()
    switch = KillSwitch(tmp_path)
    assert sorted(halt.scope for halt in switch.standing()) == ["r-1", "r-1@alpha"]
    tape = tape_of({PERP: [*flat(100, 2), *flat(84, 30)]})
    engine = engine_on(tape, limits=HOUSE, kill_switch=switch, run_id="r-1")
    engine.restore(row.event() for row in read_verified(tmp_path / "journal.sqlite"))
    assert engine.halted
    assert engine.breakers.reduce_only("alpha")
    for index in range(engine.rounds_closed, engine.rounds_closed + 3):
        (verdict,) = decide(engine, index, {"alpha": [market("sell", "1")]})["alpha"]
        assert (verdict.ruling, verdict.rule) == (Ruling.REFUSED, "halted")


# -- what a desk is told -----------------------------------------------------------------------------------------------


def test_two_runs_under_the_same_changes_are_the_same():
    def play() -> list[tuple]:
        engine = engine_on(random_tape(3, bars=40), desks=("a", "b"), limits=HOUSE, costs=FREE)
        engine.open_season()
        for index in range(12):
            engine.note_condition(MarketCondition(instrument=PERP, anomaly=0.99 if index % 5 == 0 else 0.1))
            decide(engine, index, {"a": [market("buy", "3")], "b": [market("sell", "2")]})
        return written(engine._journal.events)

    assert play() == play()

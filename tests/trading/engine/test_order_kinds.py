"""Stops, brackets and conditions through the kernel: what follows from a fill, and that nothing is overlooked."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.markets import (
    FREE,
    HOUR_MS,
    PERP,
    SPOT,
    START_MS,
    USUAL,
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
from trading.domain import Event, EventKind, OrderType, Side, TimeInForce, TradeIntent
from trading.engine import Engine, ProtectiveLevels
from trading.execution import OpenOrders
from trading.venues.simulated.costs import FeeTier

D = Decimal


def run(tape, wants, *, costs=FREE, **more) -> Engine:
    """A season of one desk that wants something in some rounds."""
    engine = engine_on(tape, costs=costs, **more)
    engine.open_season()
    for index in range(engine.setup.rounds):
        engine.open_round(index, engine.setup.round_ms(index))
        engine.submit(decision("alpha", index, wants.get(index, [])))
        engine.close_round()
    engine.close_season()
    return engine


def of_kind(engine, *kinds):
    return [event for event in engine._journal.events if event.kind in kinds]


def fills(engine):
    """Side, quantity, price and bar of each fill."""
    return [
        (e.payload["side"], e.payload["quantity"], e.payload["price"], (e.ts_ms - START_MS) // HOUR_MS)
        for e in of_kind(engine, EventKind.FILLED)
    ]


def reasons(engine):
    kinds = (EventKind.ORDER_CANCELLED, EventKind.ORDER_REJECTED, EventKind.ORDER_EXPIRED)
    return [event.payload["reason"] for event in of_kind(engine, *kinds)]


BRACKET = {"stop_loss": D(95), "take_profit": D(110)}


@pytest.mark.parametrize(
    ("after", "closed", "price"),
    [
        ((100, 111, 99, 110), 2, "110"),
        ((100, 101, 94, 96), 2, "95"),
        ((100, 111, 94, 96), 2, "95"),  # both in one bar: the stop
        ((90, 91, 89, 90), 2, "90"),  # a gap fills where the bar opens
        ((100, 110, 99, 105), None, None),  # a touch is no profit
    ],
)
def test_a_bracket_closes_where_the_bar_says(after, closed, price):
    tape = tape_of({PERP: [*flat(100, 2), after, *flat(105, 2)]})
    engine = run(tape, {0: [market("buy", "2", **BRACKET)]})
    assert fills(engine)[0] == ("buy", "2", "100", 1)
    assert fills(engine)[1:] == ([] if closed is None else [("sell", "2", price, closed)])
    assert len(engine.orders) == 0
    if closed is not None:
        assert reasons(engine) == ["the position is closed"], "the other of the pair goes, once"
        assert engine.ledger.accounts["alpha"].positions == {}


def test_a_bracket_goes_with_a_position_that_is_closed_otherwise():
    engine = run(
        tape_of({PERP: flat(100, 6)}), {0: [market("buy", "2", **BRACKET)], 2: [market("sell", "2", reduce_only=True)]}
    )
    assert [fill[0] for fill in fills(engine)] == ["buy", "sell"]
    assert reasons(engine) == ["the position is closed"] * 2


def test_the_bracket_of_a_resting_order_takes_no_profit_in_the_bar_that_filled_it():
    # The high of the bar that reached the limit may have come before it.
    tape = tape_of({PERP: [*flat(100, 2), (100, 112, 97, 100), (100, 112, 99, 100), *flat(100, 2)]})
    engine = run(tape, {1: [limit("buy", "1", "98", good_for_rounds=3, **BRACKET)]})
    assert fills(engine) == [("buy", "1", "98", 2), ("sell", "1", "110", 3)]


def test_its_stop_may_be_hit_in_that_bar():
    tape = tape_of({PERP: [*flat(100, 2), (100, 101, 94, 100), *flat(100, 2)]})
    engine = run(tape, {1: [limit("buy", "1", "98", good_for_rounds=3, **BRACKET)]})
    assert fills(engine) == [("buy", "1", "98", 2), ("sell", "1", "95", 2)]


def test_a_stop_that_the_venue_refuses_flattens_the_position():
    # The gate saw 100; by the fill the market is below the stop already.
    tape = tape_of({PERP: [*flat(100, 2), *flat(94, 4)]})
    engine = run(tape, {1: [market("buy", "2", **BRACKET)]})
    assert fills(engine) == [("buy", "2", "94", 2), ("sell", "2", "94", 2)]
    (refused,) = of_kind(engine, EventKind.ORDER_REJECTED)
    assert refused.payload["code"] == "would_trigger_at_once"
    origins = [event.payload["origin"] for event in of_kind(engine, EventKind.ORDERED)]
    assert origins == ["desk", "bracket", "bracket", "flatten"]
    assert len(engine.orders) == 0


def test_protective_orders_stay_when_trading_is_halted_and_do_not_count_as_opening():
    engine = engine_on(tape_of({PERP: [*flat(100, 4), (100, 100, 90, 90), *flat(90, 2)]}))
    engine.open_season()
    engine.open_round(0, engine.setup.round_ms(0))
    engine.submit(decision("alpha", 0, [market("buy", "2", **BRACKET), limit("buy", "1", "90", good_for_rounds=9)]))
    engine.close_round()
    engine.open_round(1, engine.setup.round_ms(1))
    assert engine.preview("alpha", [market("sell", "2", reduce_only=True)])[0].quantity_after == 2
    engine.close_round()
    engine.record(Event(ts_ms=engine.setup.round_ms(1), kind=EventKind.HALTED, payload={"scope": "x", "reason": "y"}))
    engine.open_round(2, engine.setup.round_ms(2))
    assert sorted(order.order_type.value for order in engine.orders.all()) == ["stop", "take_profit"]
    engine.close_round()
    engine.close_season()
    assert fills(engine)[-1] == ("sell", "2", "95", 4)


class FivePercent:
    """Follows the close with a stop five percent away, upward only."""

    def __init__(self):
        self.level = None

    def levels(self, desk, position, view):
        wanted = round(D(repr(view.quote(position.instrument).price)) * D("0.95"), 2)
        self.level = wanted if self.level is None else max(self.level, wanted)
        return ProtectiveLevels(stop=self.level)


def test_a_policy_moves_the_stop_and_the_engine_keeps_it():
    tape = tape_of(
        {PERP: [*flat(100, 2), (100, 110, 100, 110), (110, 112, 110, 112), (112, 112, 100, 101), *flat(101, 2)]}
    )
    engine = run(tape, {0: [market("buy", "1")]}, guard=FivePercent())
    stops = [event.payload for event in of_kind(engine, EventKind.ORDERED) if event.payload["origin"] == "protection"]
    assert [stop["trigger_price"] for stop in stops] == ["95", "104.5", "106.4"]
    assert fills(engine)[-1] == ("sell", "1", "106.4", 4)
    assert "replaced by new levels" in reasons(engine)


def test_a_desks_order_to_close_is_not_barred_by_its_own_stop_on_spot():
    wants = {0: [market("buy", "2", SPOT, stop_loss=D(90))], 2: [market("sell", "2", SPOT)]}
    engine = run(tape_of({SPOT: flat(100, 6)}), wants)
    assert [fill[:2] for fill in fills(engine)] == [("buy", "2"), ("sell", "2")]
    assert engine.ledger.accounts["alpha"].positions == {}


@pytest.mark.parametrize(
    ("intent", "words"),
    [
        (market("buy", "1", trigger_price=D(90)), "trigger_price belongs"),
        (market("buy", "1", order_type=OrderType.STOP), "trigger_price belongs"),
        (market("buy", "1", order_type=OrderType.TRAILING_STOP), "trail belongs"),
        (market("buy", "1", order_type=OrderType.TRAILING_STOP, trail=D("NaN")), "trail is a fraction"),
        (market("buy", "1", order_type=OrderType.STOP, trigger_price=D("1e30")), "positive price"),
        (market("buy", "1", post_only=True), "post_only belongs"),
        (market("buy", "1", stop_loss=D(110)), "wrong side"),
        (market("sell", "1", take_profit=D(110)), "wrong side"),
        (market("buy", "1", stop_loss=D(90), take_profit=D(80)), "wrong sides"),
        (market("buy", "1", stop_loss=D(90), reduce_only=True), "opens a position"),
        (limit("buy", "1", "99", stop_loss=D(99)), "either side"),
        (
            market("buy", "1", order_type=OrderType.STOP, trigger_price=D(110), time_in_force=TimeInForce.FOK),
            "IOC or FOK",
        ),
        (market("buy", "1", stop_loss=D("-5")), "positive price"),
    ],
)
def test_orders_that_make_no_sense_are_refused_by_the_gate(intent, words):
    engine = run(tape_of({PERP: flat(100, 4)}), {0: [intent]})
    (ruled,) = of_kind(engine, EventKind.RULED)
    assert ruled.payload["rule"] == "order_shape"
    assert words in ruled.payload["message"]
    assert of_kind(engine, EventKind.ORDERED) == []


def test_a_share_of_the_bars_volume_fills_in_parts():
    tape = tape_of({PERP: flat(100, 6)}, volume=1)
    engine = run(tape, {0: [market("buy", "2.5")]}, costs=FREE.model_copy(update={"participation": D("0.999")}))
    assert fills(engine) == [("buy", "0.999", "100", 1), ("buy", "0.999", "100", 2), ("buy", "0.502", "100", 3)]
    lefts = [event.payload.get("left") for event in of_kind(engine, EventKind.FILLED)]
    assert lefts == ["1.501", "0.502", None]


@pytest.mark.parametrize(("tif", "parts"), [(TimeInForce.IOC, 1), (TimeInForce.FOK, 0)])
def test_what_a_bar_cannot_fill_at_once_ends(tif, parts):
    costs = FREE.model_copy(update={"participation": D("0.999")})
    wants = {0: [limit("buy", "2", "101", time_in_force=tif)]}
    engine = run(tape_of({PERP: flat(100, 6)}, volume=1), wants, costs=costs)
    assert len(fills(engine)) == parts
    (expired,) = of_kind(engine, EventKind.ORDER_EXPIRED)
    assert expired.payload["code"] == "not_fillable_at_once"


def test_impact_grows_with_size_and_knows_no_future():
    rng = np.random.default_rng(3)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 60)))
    bars = [(c, c, c, c) for c in closes]
    costs = FREE.model_copy(update={"impact": D(1)})
    paid = {}
    for quantity in ("0.1", "0.4"):
        engine = run(tape_of({PERP: bars}, volume=1), {40: [market("buy", quantity)]}, costs=costs)
        (event,) = of_kind(engine, EventKind.FILLED)
        paid[quantity] = float(event.payload["price"]) / float(event.payload["arrival"]) - 1
    assert paid["0.4"] == pytest.approx(2 * paid["0.1"], rel=0.02)
    moves = np.diff(np.log(closes[42 - 24 : 42]))
    assert paid["0.1"] == pytest.approx(np.sqrt(np.mean(moves**2)) * np.sqrt(0.1), rel=0.05)


def test_fees_fall_with_turnover():
    tier = FeeTier(turnover=D(250), taker_fee_bps=D(2), maker_fee_bps=D(1))
    costs = FREE.model_copy(update={"taker_fee_bps": D(10), "fee_tiers": (tier,)})
    wants = {index: [market("buy" if index % 2 else "sell", "1")] for index in range(5)}
    engine = run(tape_of({PERP: flat(100, 8)}), wants, costs=costs)
    assert [e.payload["fee"] for e in of_kind(engine, EventKind.FILLED)] == ["0.1", "0.1", "0.1", "0.02", "0.02"]


def test_latency_is_drawn_by_seed_and_order():
    costs = FREE.model_copy(update={"latency_ms": 100, "latency_jitter_ms": 50})
    drawn = [costs.latency_of(f"o-{number}", 7) for number in range(4000)]
    assert drawn == [costs.latency_of(f"o-{number}", 7) for number in range(4000)]
    assert drawn != [costs.latency_of(f"o-{number}", 8) for number in range(4000)]
    assert min(drawn) >= 100
    assert np.mean(drawn) == pytest.approx(149.5, abs=3)


def every_kind(rng: np.random.Generator, opened) -> list[TradeIntent]:
    """Orders of every type at prices near the market."""
    intents = []
    for symbol in opened.view.symbols:
        if rng.random() > 0.4:
            continue
        price = opened.view.quote(symbol).price
        side = Side.BUY if rng.random() < 0.5 else Side.SELL

        def near(scale: float, price=price) -> Decimal:
            return D(repr(round(price * (1 + scale * float(rng.normal())), 2)))

        kind = list(OrderType)[int(rng.integers(6))]
        more = {}
        if kind.has_limit:
            more["limit_price"] = near(0.01)
        if kind.has_trigger:
            more["trigger_price"] = near(0.02)
        if kind is OrderType.TRAILING_STOP:
            more["trail"] = D(repr(round(float(rng.uniform(0.002, 0.05)), 4)))
        if not kind.waits:
            more["time_in_force"] = list(TimeInForce)[int(rng.integers(4))]
            if rng.random() < 0.5:
                away = price * float(rng.uniform(0.002, 0.04))
                more["stop_loss"] = D(repr(round(price - side.sign * away, 2)))
                more["take_profit"] = D(repr(round(price + side.sign * away, 2)))
        elif rng.random() < 0.5:
            more["time_in_force"] = TimeInForce.GTC
        quantity = D(repr(round(3000 / price * float(rng.random()), 3)))
        intents.append(
            TradeIntent(
                instrument=symbol,
                side=side,
                quantity=quantity,
                order_type=kind,
                good_for_rounds=int(rng.integers(1, 9)),
                post_only=kind is OrderType.LIMIT and bool(rng.random() < 0.2),
                reduce_only="stop_loss" not in more and bool(rng.random() < 0.2),
                **more,
            )
        )
    return intents


def played(seed: int, *, skip: bool, costs, bars: int = 90, **more) -> Engine:
    engine = engine_on(random_tape(seed, bars=bars), costs=costs, every_bars=2, **more)
    if not skip:
        engine._venue.quiet_until = lambda row, orders, accounts: row
    engine.open_season()
    for index in range(engine.setup.rounds):
        opened = engine.open_round(index, engine.setup.round_ms(index))
        rng = np.random.default_rng([seed, index])
        engine.submit(decision("alpha", index, every_kind(rng, opened)))
        engine.close_round()
    engine.close_season()
    return engine


COSTS = [
    USUAL,
    USUAL.model_copy(update={"participation": D("0.7"), "latency_jitter_ms": 900_000}),
    FREE.model_copy(update={"impact": D(1), "borrow_apr": D("0.2"), "latency_ms": 40 * 60_000}),
]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), which=st.integers(0, 2))
def test_bars_that_are_skipped_were_quiet_for_every_kind_of_order(seed, which):
    skipping, plodding = (played(seed, skip=skip, costs=COSTS[which]) for skip in (True, False))
    assert written(skipping._journal.events) == written(plodding._journal.events)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), which=st.integers(0, 2))
def test_the_record_folds_to_the_same_orders_and_never_fills_twice(seed, which):
    engine = played(seed, skip=True, costs=COSTS[which], bars=60)
    again = OpenOrders()
    for event in engine._journal.events:
        again.apply(event)  # raises on an illegal or double-filled state
    assert len(again) == 0
    for account in engine.ledger.accounts.values():
        for symbol, position in account.positions.items():
            assert position.quantity > 0 or engine.setup.instruments[symbol].is_perp
    assert engine.ledger.book.imbalance() == {}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(20, 80))
def test_a_changed_future_changes_nothing_before_it(seed, cut):
    whole = played(seed, skip=True, costs=COSTS[2])
    tape = random_tape(seed, bars=90)
    for name in ("open", "high", "low", "close", "volume"):
        getattr(tape, name)[:, cut:] *= 1.7
    other = engine_on(tape, costs=COSTS[2], every_bars=2)
    other.open_season()
    for index in range(other.setup.rounds):
        opened = other.open_round(index, other.setup.round_ms(index))
        other.submit(decision("alpha", index, every_kind(np.random.default_rng([seed, index]), opened)))
        other.close_round()
    known_ms = int(tape.open_ms[min(cut, len(tape) - 1)])
    before = [[row for row in written(engine._journal.events) if row[0] < known_ms] for engine in (whole, other)]
    assert before[0] == before[1]


def test_a_restart_goes_on_with_triggers_brackets_and_parts():
    costs = COSTS[1]
    whole = played(11, skip=True, costs=costs)
    journal = MemoryJournal()
    first = engine_on(random_tape(11, bars=90), costs=costs, every_bars=2, journal=journal)
    first.open_season()
    for index in range(20):
        opened = first.open_round(index, first.setup.round_ms(index))
        first.submit(decision("alpha", index, every_kind(np.random.default_rng([11, index]), opened)))
        first.close_round()
    second = engine_on(random_tape(11, bars=90), costs=costs, every_bars=2, journal=journal)
    second.restore(list(journal.events))
    for index in range(second.rounds_closed, second.setup.rounds):
        opened = second.open_round(index, second.setup.round_ms(index))
        second.submit(decision("alpha", index, every_kind(np.random.default_rng([11, index]), opened)))
        second.close_round()
    second.close_season()
    assert written(journal.events) == written(whole._journal.events)


def test_nano_contracts_trade_in_whole_contracts():
    listed = {PERP: instrument(lot=D("0.01"), contract_size=D("0.01"))}
    engine = run(tape_of({PERP: flat(100, 4)}), {0: [market("buy", "0.237")]}, instruments=listed)
    assert fills(engine)[0][1] == "0.23"
    assert listed[PERP].contracts(D("0.23")) == 23
    (opened,) = of_kind(engine, EventKind.SEASON_OPENED)
    assert opened.payload["instruments"][0]["contract_size"] == "0.01"

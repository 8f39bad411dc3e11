"""The children of an order that is to be worked: sums, windows, shares of volume, and what a venue makes of them."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.markets import (
    FREE,
    PERP,
    START_MS,
    instrument,
    limit,
    market,
    tape_of,
)
from trading.domain import ExecutionStyle, Order, OrderStatus, OrderType, Side, TimeInForce, ids, shape_problem
from trading.domain.errors import RequestError
from trading.domain.intent import style_payload
from trading.execution.algos import PlanRules, UsualVolume, plan_children, volume_curve
from trading.execution.algos.volume_curve import DAY_MS
from trading.execution.paper import PaperVenue

HOUR_MS = 3_600_000
WORKED = [ExecutionStyle.TWAP, ExecutionStyle.VWAP, ExecutionStyle.POV]
PRICE = Decimal(100)
BUSY = UsualVolume(a_day=1e9, curve=np.full(24, 1 / 24))


def parent(quantity="10", *, wanted=None, sent_ms=START_MS, **more) -> Order:
    wanted = wanted or market("buy", quantity)
    return Order(
        order_id="o-parent",
        client_order_id="tf-parent",
        intent_id="i",
        desk="alpha",
        instrument=PERP,
        side=wanted.side,
        order_type=wanted.order_type,
        quantity=wanted.quantity,
        limit_price=wanted.limit_price,
        sent_ms=sent_ms,
        arrives_ms=sent_ms + 250,
        **more,
    )


def asked(style, window_s=3600, quantity="10"):
    return market("buy", quantity, style=style, window_s=window_s)


def planned(quantity="10", style=ExecutionStyle.TWAP, window_s=3600, *, volume=BUSY, rules=None, price=PRICE, **grid):
    wanted = asked(style, window_s, quantity)
    return plan_children(parent(quantity), wanted, instrument(**grid), price=price, volume=volume, rules=rules)


@settings(max_examples=150, deadline=None)
@given(
    style=st.sampled_from(WORKED),
    lots=st.integers(1, 10**7),
    window_s=st.integers(60, 86_400),
    slice_ms=st.integers(30_000, 4 * HOUR_MS),
    sent_ms=st.integers(0, 3 * DAY_MS),
    least=st.sampled_from(["0", "5", "100"]),
    a_day=st.floats(0, 1e6),
    seed=st.integers(0, 99),
)
def test_children_sum_to_the_parent_in_whole_lots_within_the_window(
    style, lots, window_s, slice_ms, sent_ms, least, a_day, seed
):
    listed = instrument(min_notional=Decimal(least))
    order = parent(str(lots * listed.lot), sent_ms=sent_ms)
    shares = np.random.default_rng(seed).random(24)
    volume = UsualVolume(a_day=a_day, curve=shares / shares.sum())
    intent = market("buy", "1", style=style, window_s=window_s)
    plan = plan_children(order, intent, listed, price=PRICE, volume=volume, rules=PlanRules(slice_ms=slice_ms))
    quantities = [child.quantity for child in plan.children]
    assert sum(quantities, Decimal(0)) + plan.left == order.quantity
    assert plan.left >= 0
    if style is not ExecutionStyle.POV:
        assert plan.left == 0
    assert all(quantity > 0 and quantity % listed.lot == 0 for quantity in quantities)
    if len(quantities) > 1:
        assert min(quantities) * PRICE >= listed.min_notional
    sent = [child.sent_ms for child in plan.children]
    assert sent == sorted(set(sent))
    assert all(sent_ms <= at < sent_ms + 1000 * window_s for at in sent)
    assert len({child.client_order_id for child in plan.children}) == len(plan.children)


def test_an_order_that_goes_at_once_is_its_own_child():
    order = parent()
    assert plan_children(order, market("buy", "10"), instrument(), price=PRICE).children == (order,)


def test_twap_is_even_in_time():
    plan = planned("10", rules=PlanRules(slice_ms=900_000))
    assert [(child.sent_ms - START_MS, child.quantity) for child in plan.children] == [
        (quarter * 900_000, Decimal("2.5")) for quarter in range(4)
    ]
    assert plan.children[1].arrives_ms == START_MS + 900_000 + 250


def test_children_have_the_ids_that_a_worker_would_give_them():
    child = planned().children[3]
    assert child.order_id == ids.child_order_id("o-parent", "slice:3")
    assert child.client_order_id == ids.child_client_order_id("tf-parent", "slice:3")
    assert child.intent_id == "i"


def test_vwap_follows_the_usual_volume():
    hours = np.arange(48, dtype=np.int64) * HOUR_MS
    curve = volume_curve(hours, np.tile(np.r_[np.full(23, 1.0), 9.0], 2), bucket_ms=HOUR_MS)
    volume = UsualVolume(a_day=32.0, curve=curve)
    start = 22 * HOUR_MS
    order, wanted = parent("100", sent_ms=start), asked(ExecutionStyle.VWAP, 7200)
    plan = plan_children(order, wanted, instrument(), price=PRICE, volume=volume, rules=PlanRules(slice_ms=HOUR_MS))
    assert [child.quantity for child in plan.children] == [10, 90]


def test_a_share_of_volume_is_never_exceeded_and_what_it_does_not_reach_is_left():
    thin = UsualVolume(a_day=2400.0, curve=np.full(24, 1 / 24))
    plan = planned("50", ExecutionStyle.POV, volume=thin, rules=PlanRules(slice_ms=600_000, participation=0.1))
    assert plan.left == 40, "a tenth of the hundred that trade in an hour"
    done = Decimal(0)
    for child in plan.children:
        done += child.quantity
        passed_h = (child.sent_ms + 600_000 - START_MS) / HOUR_MS
        assert float(done) <= 0.1 * 100 * passed_h + 1e-9
    assert planned("5", ExecutionStyle.POV, volume=thin, rules=PlanRules(slice_ms=600_000)).left == 0


def test_parts_below_the_least_order_wait_for_one_another():
    plan = planned("1", min_notional=Decimal(30), rules=PlanRules(slice_ms=60_000))
    assert [child.quantity for child in plan.children] == [Decimal("0.3"), Decimal("0.3"), Decimal("0.4")]
    whole = planned("0.2", min_notional=Decimal(30))
    assert [child.quantity for child in whole.children] == [Decimal("0.2")], "less than the least goes in one"


def test_what_rests_ends_with_the_window():
    wanted = limit("sell", "10", "101", style=ExecutionStyle.TWAP, window_s=600)
    order = parent(wanted=wanted, time_in_force=TimeInForce.GTC)
    plan = plan_children(order, wanted, instrument(), price=PRICE)
    assert {child.expires_ms for child in plan.children} == {START_MS + 600_000}
    assert {(child.order_type, child.limit_price) for child in plan.children} == {(OrderType.LIMIT, Decimal(101))}
    assert {child.expires_ms for child in planned().children} == {None}


@pytest.mark.parametrize("style", [ExecutionStyle.VWAP, ExecutionStyle.POV])
def test_without_a_usual_volume_only_time_can_be_followed(style):
    with pytest.raises(RequestError, match="use twap"):
        planned(style=style, volume=None)


@pytest.mark.parametrize(
    "rubbish", [{"slice_ms": 0}, {"participation": 0}, {"participation": 1.1}, {"participation": float("nan")}]
)
def test_rules_that_are_none_are_refused(rubbish):
    with pytest.raises(RequestError, match="expected"):
        PlanRules(**rubbish)


def test_a_price_that_is_none_is_refused():
    with pytest.raises(RequestError, match="above 0"):
        planned(price=Decimal(0))


def test_a_venue_fills_the_children_of_a_plan_to_the_last_lot():
    bars = 80
    tape = tape_of({PERP: [(100.0, 101.0, 99.0, 100.0)] * bars}, step_ms=60_000)
    venue = PaperVenue(tape, {PERP: instrument()}, FREE, desk="alpha", capital=Decimal(10_000))
    plan = planned("3.217", window_s=3600, rules=PlanRules(slice_ms=180_000))
    waiting = list(plan.children)
    for at in range(START_MS, START_MS + bars * 60_000, 60_000):
        venue.advance(at)
        while waiting and waiting[0].sent_ms <= at:
            asyncio.run(venue.place(waiting.pop(0)))
    fills = asyncio.run(venue.fills_since(0))
    assert len(fills) == len(plan.children) == 20
    assert sum(fill.quantity for fill in fills) == Decimal("3.217")
    assert asyncio.run(venue.order(plan.children[-1].client_order_id, PERP)).status is OrderStatus.FILLED


# -- the intent ----------------------------------------------------------------------------------------------------


def test_an_intent_that_goes_at_once_writes_nothing_new():
    assert style_payload(market("buy", "1")) == {}
    assert style_payload(asked(ExecutionStyle.TWAP, 600)) == {"style": "twap", "window_s": 600}


@pytest.mark.parametrize("style", WORKED)
@pytest.mark.parametrize("wanted", [market("buy", "1"), limit("sell", "1", "90")])
def test_market_and_limit_intents_can_be_worked(style, wanted):
    assert shape_problem(replace(wanted, style=style, window_s=60)) is None
    assert shape_problem(replace(wanted, style=style, window_s=86_400, reduce_only=True)) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"window_s": None}, "need one"),
        ({"style": ExecutionStyle.NOW}, "need one"),
        ({"window_s": 59}, "60 to 86400"),
        ({"window_s": 86_401}, "60 to 86400"),
        ({"window_s": -600}, "60 to 86400"),
        ({"time_in_force": TimeInForce.IOC}, "plain market or limit"),
        ({"time_in_force": TimeInForce.FOK}, "plain market or limit"),
        ({"order_type": OrderType.LIMIT, "limit_price": PRICE, "post_only": True}, "plain market or limit"),
        ({"order_type": OrderType.STOP, "trigger_price": PRICE}, "plain market or limit"),
        ({"stop_loss": PRICE}, "at once"),
        ({"take_profit": PRICE}, "at once"),
    ],
)
def test_what_cannot_be_worked_is_said_in_one_sentence(changes, says):
    problem = shape_problem(replace(asked(ExecutionStyle.TWAP, 600), side=Side.SELL, **changes))
    assert problem is not None
    assert says in problem
    assert "\n" not in problem

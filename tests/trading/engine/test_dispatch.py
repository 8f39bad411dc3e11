"""An engine whose venue is elsewhere: it hands orders over, asks for cancellations, and learns what came of both."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.trading.markets import PERP, decision, engine_on, flat, market, tape_of
from trading.domain import Event, EventKind, ids
from trading.domain.reject import RejectCode
from trading.engine.interventions import CLOSING_PATIENCE_MS
from trading.risk import KillSwitch


class Handed:
    """What was handed over, and what was wanted back."""

    def __init__(self):
        self.orders, self.back = [], []

    def place(self, order):
        self.orders.append(order)

    def cancel(self, order, reason):
        self.back.append((order.order_id, reason))


@pytest.fixture
def here(tmp_path):
    handed = Handed()
    engine = engine_on(tape_of({PERP: flat(100, 30)}), dispatch=handed, kill_switch=KillSwitch(tmp_path), run_id="r-1")
    engine.open_season()
    return engine, handed, KillSwitch(tmp_path)


def play(engine, index, *intents):
    engine.open_round(index, engine.setup.round_ms(index))
    engine.submit(decision("alpha", index, list(intents)))
    engine.close_round()


def told(engine, order, kind, **more):
    payload = {"order_id": order.order_id, "desk": "alpha", **more}
    engine.hear(Event(ts_ms=engine.setup.round_ms(1), kind=kind, payload=payload))


def filled(engine, order, *, number=1):
    told(
        engine,
        order,
        EventKind.FILLED,
        fill_id=f"f-{number}",
        instrument=PERP,
        side=order.side.value,
        price="100",
        quantity=str(order.quantity),
        fee="0.1",
        liquidity="taker",
        ts_ms=engine.setup.round_ms(1),
    )


def events(engine, kind):
    return [event.payload for event in engine._journal.events + engine._journal.pending if event.kind is kind]


def test_orders_are_recorded_and_handed_over_and_only_the_venue_fills_them(here):
    engine, handed, _ = here
    play(engine, 0, market("buy", "1"))
    (order,) = handed.orders
    assert [row["order_id"] for row in events(engine, EventKind.ORDERED)] == [order.order_id]
    play(engine, 1)
    play(engine, 5)
    assert events(engine, EventKind.FILLED) == []
    assert engine.orders.all() == (order,)
    filled(engine, order)
    assert engine.ledger.accounts["alpha"].position(PERP).quantity == 1
    assert engine.orders.all() == ()


def test_a_fill_that_is_heard_brings_its_bracket(here):
    engine, handed, _ = here
    play(engine, 0, replace(market("buy", "1"), stop_loss=Decimal(90), take_profit=Decimal(120)))
    filled(engine, handed.orders[0])
    stop, target = handed.orders[1:]
    assert (stop.trigger_price, target.trigger_price) == (Decimal(90), Decimal(120))
    assert all(order.reduce_only for order in (stop, target))


@pytest.mark.parametrize(
    ("kind", "code", "closes"),
    [
        (EventKind.ORDER_REJECTED, RejectCode.OTHER, True),
        (EventKind.ORDER_REJECTED, RejectCode.NOTHING_TO_REDUCE, False),
        (EventKind.ORDER_CANCELLED, RejectCode.NEVER_ARRIVED, True),
        (EventKind.ORDER_CANCELLED, None, False),
    ],
)
def test_a_position_whose_stop_does_not_stand_is_closed(here, kind, code, closes):
    engine, handed, _ = here
    play(engine, 0, replace(market("buy", "1"), stop_loss=Decimal(90)))
    filled(engine, handed.orders[0])
    told(engine, handed.orders[1], kind, reason="", **({} if code is None else {"code": code.value}))
    closing = [order for order in handed.orders if order.origin == "flatten"]
    assert [(order.quantity, order.side.value, order.reduce_only) for order in closing] == (
        [(Decimal(1), "sell", True)] if closes else []
    )


def test_an_order_that_was_given_up_and_fills_late_still_gets_its_bracket(here):
    engine, handed, _ = here
    play(engine, 0, replace(market("buy", "1"), stop_loss=Decimal(90)))
    told(engine, handed.orders[0], EventKind.ORDER_CANCELLED, reason="", code=RejectCode.NEVER_ARRIVED.value)
    filled(engine, handed.orders[0])
    assert [order.trigger_price for order in handed.orders[1:]] == [Decimal(90)]


def test_a_halt_asks_for_what_rests_and_writes_nothing_of_it_down(here):
    engine, handed, switch = here
    play(engine, 0, market("buy", "1"))
    switch.halt("a test")
    assert engine.enforce_halt(engine.setup.round_ms(1))
    assert handed.back == [(handed.orders[0].order_id, "trading is halted")]
    assert engine.orders.all() == (handed.orders[0],)
    assert events(engine, EventKind.ORDER_CANCELLED) == []
    assert not engine.enforce_halt(engine.setup.round_ms(1))


def test_a_close_that_was_refused_is_tried_again_but_not_at_once(here):
    engine, handed, switch = here
    play(engine, 0, market("buy", "1"))
    filled(engine, handed.orders[0])
    switch.halt("get out", flatten=True)
    now = engine.setup.round_ms(1)
    assert engine.enforce_halt(now)
    assert not engine.enforce_halt(now)
    told(engine, handed.orders[1], EventKind.ORDER_REJECTED, reason="no", code="other")
    assert not engine.enforce_halt(now + CLOSING_PATIENCE_MS - 1)
    assert engine.enforce_halt(now + CLOSING_PATIENCE_MS)
    first, second = handed.orders[1:]
    assert first.client_order_id != second.client_order_id


def test_the_end_of_the_season_leaves_what_stands_at_the_venue(here):
    engine, handed, _ = here
    play(engine, 0, market("buy", "1"))
    engine.close_season()
    assert engine.is_closed
    assert engine.orders.all() == (handed.orders[0],)
    assert handed.back == []


def test_ids_at_a_real_venue_derive_from_the_rules_too(here):
    engine, handed, _ = here
    setup = engine.setup
    play(engine, 0, market("buy", "1"))
    assert handed.orders[0].client_order_id == ids.client_order_id("test", "alpha", 0, 0)
    live = replace(setup, source="live")
    assert live.order_scope == f"test {setup.rules_sha256}"
    assert replace(live, rules_sha256="1" * 64).order_scope != live.order_scope

"""Ids, symbols, orders and the clock: what must be the same, and what must be refused."""

from dataclasses import FrozenInstanceError
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.markets import PERP, instrument, market
from trading.domain import InstrumentKind, ManualClock, Order, OrderType, Position, Side, ids, parse_symbol
from trading.domain.errors import RequestError
from trading.domain.order import order_from_payload, order_payload


def test_ids_are_the_same_in_every_run_of_the_project():
    assert ids.decision_id("october", "momentum", 3) == "d-fc3a7a850f08d8831e83"
    assert ids.order_id(ids.intent_id("d", 0, 1)) == ids.order_id(ids.intent_id("d", 0, 1))


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6), st.integers(0, 99)), unique=True, max_size=20))
def test_different_things_have_different_ids(named):
    found = [ids.decision_id(*parts) for parts in named]
    clients = [ids.client_order_id(season, desk, index, 0) for season, desk, index in named]
    joined = {f"{season}\x1f{desk}\x1f{index}" for season, desk, index in named}
    assert len(set(found)) == len(set(clients)) == len(joined)
    assert all(len(client) <= 32 and client.replace("-", "").isalnum() for client in clients)


def test_symbols():
    assert parse_symbol("BTC-USDT-PERP") == ("BTC", "USDT", InstrumentKind.PERP)
    assert parse_symbol("1INCH-EUR") == ("1INCH", "EUR", InstrumentKind.SPOT)


@pytest.mark.parametrize(
    "text", ["", "BTC", "btc-usdt", "BTC/USDT", "BTC-USDT-", "BTC-USDT-SWAP", "BTC-USDT\n", "-USDT"]
)
def test_what_is_no_symbol_is_refused(text):
    with pytest.raises(RequestError, match="BASE-QUOTE"):
        parse_symbol(text)


quantities = st.decimals(Decimal("1e-12"), Decimal("1e15"), allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        Order,
        order_id=st.text(),
        client_order_id=st.text(),
        intent_id=st.text(),
        desk=st.text(),
        instrument=st.text(),
        side=st.sampled_from(Side),
        order_type=st.sampled_from(OrderType),
        quantity=quantities,
        sent_ms=st.integers(0, 2**52),
        arrives_ms=st.integers(0, 2**52),
        limit_price=st.none() | quantities,
        reduce_only=st.booleans(),
        expires_ms=st.none() | st.integers(0, 2**52),
        origin=st.sampled_from(["desk", "liquidation"]),
    )
)
def test_an_order_survives_the_journal(order):
    assert order_from_payload(orjson.loads(orjson.dumps(order_payload(order)))) == order


def test_values_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        market("buy", "1").quantity = Decimal(2)


def test_a_clock_does_not_run_back():
    clock = ManualClock(10)
    clock.set_ms(10)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set_ms(9)


@pytest.mark.parametrize(
    ("price", "sign", "on_grid"),
    [("1.239", 1, "1.23"), ("1.231", -1, "1.24"), ("1.23", 1, "1.23"), ("1.23", -1, "1.23")],
)
def test_a_limit_price_is_moved_to_the_grid_in_favour_of_whoever_asked(price, sign, on_grid):
    assert instrument().limit_price(Decimal(price), sign) == Decimal(on_grid)


def test_a_position_by_hand():
    short = Position(instrument=PERP, quantity=Decimal(-2), cost=Decimal(-100))
    assert short.average_price == 50
    assert (short.value(Decimal(40)), short.unrealised(Decimal(40))) == (-80, 20)
    assert Position(instrument=PERP).average_price is None

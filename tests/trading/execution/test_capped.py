"""The cap of live orders and an order that leaves in parts: what counts is the whole of it."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.trading.markets import FREE, PERP, START_MS, flat, instrument, market, tape_of
from trading.domain import ExecutionStyle, Order, OrderStatus
from trading.domain.errors import OrderRejected
from trading.domain.order import order_from_payload, order_payload
from trading.execution.algos import plan_children
from trading.execution.capped import capped
from trading.execution.paper import PaperVenue

PRICE = Decimal(100)


def part(quantity: str) -> Order:
    wanted = market("buy", quantity, style=ExecutionStyle.TWAP, window_s=600)
    whole = Order(
        order_id="o-whole",
        client_order_id="tf-whole",
        intent_id="i",
        desk="alpha",
        instrument=PERP,
        side=wanted.side,
        order_type=wanted.order_type,
        quantity=wanted.quantity,
        sent_ms=START_MS,
        arrives_ms=START_MS,
    )
    return plan_children(whole, wanted, instrument(), price=PRICE).children[0]


def test_no_part_of_an_order_above_the_cap_leaves():
    tape = tape_of({PERP: flat(100, 4)})
    inner = PaperVenue(tape, {PERP: instrument()}, FREE, desk="alpha", capital=Decimal(10_000))
    venue = capped(inner, Decimal(1000), lambda _: PRICE)
    small, large = part("10"), part("10.01")
    assert small.quantity < 2
    assert large.quantity < 2
    assert asyncio.run(venue.place(small)).status in (OrderStatus.OPEN, OrderStatus.SENT)
    with pytest.raises(OrderRejected, match="above the live cap"):
        asyncio.run(venue.place(replace(large, client_order_id="tf-other")))
    assert len(inner.orders) == 1


def test_a_part_reads_back_from_its_event():
    one = part("10")
    assert order_from_payload(order_payload(one)) == one
    assert (one.parent_id, one.parent_quantity) == ("o-whole", 10)

"""Which orders stand, as a fold over events."""

import pytest

from tests.trading.markets import limit
from trading.domain import Event, EventKind, Order, OrderType
from trading.domain.errors import JournalError
from trading.domain.order import order_payload
from trading.execution import OpenOrders

ENDS = [EventKind.FILLED, EventKind.ORDER_EXPIRED, EventKind.ORDER_CANCELLED, EventKind.ORDER_REJECTED]


def sent(order_id: str, desk: str = "a") -> Event:
    intent = limit("buy", "1", "100")
    order = Order(
        order_id=order_id,
        client_order_id="c",
        intent_id="i",
        desk=desk,
        instrument=intent.instrument,
        side=intent.side,
        order_type=OrderType.LIMIT,
        quantity=intent.quantity,
        limit_price=intent.limit_price,
        sent_ms=0,
        arrives_ms=0,
    )
    return Event(ts_ms=0, kind=EventKind.ORDERED, payload=order_payload(order))


def ended(order_id: str, kind: EventKind) -> Event:
    return Event(ts_ms=0, kind=kind, payload={"order_id": order_id, "desk": "a"})


def after(*events: Event) -> OpenOrders:
    orders = OpenOrders()
    for event in events:
        orders.apply(event)
    return orders


def test_orders_stand_in_the_order_they_were_sent_until_they_end():
    orders = after(sent("2"), sent("1", "b"), sent("3"))
    assert [order.order_id for order in orders.all()] == ["2", "1", "3"]
    assert [order.order_id for order in orders.of("a")] == ["2", "3"]
    assert orders.of("nobody") == ()
    for kind, order_id in zip(ENDS, ("3", "1", "2"), strict=False):
        orders.apply(ended(order_id, kind))
    assert (len(orders), orders.all(), orders.of("a")) == (0, (), ())


@pytest.mark.parametrize("kind", ENDS)
def test_an_order_is_sent_once_and_never_again(kind):
    with pytest.raises(JournalError, match="sent twice"):
        after(sent("1"), sent("1"))
    with pytest.raises(JournalError, match="sent twice"):
        after(sent("1"), ended("1", kind), sent("1"))


def test_the_end_of_an_unknown_order_changes_nothing():
    assert len(after(sent("1"), ended("2", EventKind.FILLED), ended("2", EventKind.FILLED))) == 1

"""Patterns that paint the tape: each is flagged where it was made up, and none in honest trading by chance."""

from decimal import Decimal

import numpy as np
import pytest

from trading.domain import Event, EventKind, Order, OrderType, Side
from trading.domain.order import order_payload
from trading.risk.surveillance import SPREE_MS, Pattern, Surveillance

PERP = "BTC-USDT-PERP"


def ordered(number: int, side: str, *, desk: str = "a", price: str | None = "100", ts_ms: int = 0) -> Event:
    order = Order(
        order_id=f"o{number}",
        client_order_id="c",
        intent_id="i",
        desk=desk,
        instrument=PERP,
        side=Side(side),
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=Decimal(1),
        limit_price=None if price is None else Decimal(price),
        sent_ms=ts_ms,
        arrives_ms=ts_ms,
    )
    return Event(ts_ms=ts_ms, kind=EventKind.ORDERED, payload=order_payload(order))


def cancelled(number: int, ts_ms: int = 0) -> Event:
    return Event(ts_ms=ts_ms, kind=EventKind.ORDER_CANCELLED, payload={"order_id": f"o{number}", "desk": "a"})


def filled(number: int, ts_ms: int = 0, price: str = "100", quantity: str = "1") -> Event:
    payload = {"order_id": f"o{number}", "price": price, "quantity": quantity}
    return Event(ts_ms=ts_ms, kind=EventKind.FILLED, payload=payload)


def seen(*events: Event, one_owner: tuple[str, ...] = ()) -> list[Pattern]:
    watch = Surveillance(one_owner)
    for event in events:
        watch.apply(event)
    return [flag.pattern for flag in watch.flags()]


def layers(count: int, side: str = "buy", ts_ms: int = 0) -> list[Event]:
    made = [ordered(n, side, price=str(99 - n), ts_ms=ts_ms) for n in range(count)]
    return [*made, *(cancelled(n, ts_ms) for n in range(count))]


def test_layering_is_flagged_once_whichever_comes_first():
    sold = [ordered(50, "sell", price=None), filled(50)]
    assert seen(*layers(4), *sold) == [Pattern.LAYERING]
    assert seen(*sold, *layers(4)) == [Pattern.LAYERING]


def test_what_only_looks_like_layering_is_not():
    sold = [ordered(50, "sell", price=None), filled(50)]
    assert seen(*layers(3), *sold) == [], "too few"
    assert seen(*layers(4, side="sell"), *sold) == [], "the same side"
    assert seen(*layers(4)) == [], "nothing traded"
    late = [ordered(50, "sell", price=None), filled(50, SPREE_MS + 1)]
    assert seen(*layers(4), *late) == [], "too far apart"
    assert seen(*layers(4), ordered(50, "sell", desk="b", price=None), filled(50)) == [], "another desk"


@pytest.mark.parametrize(
    ("first", "second", "owners", "flags"),
    [
        ("a", "a", (), [Pattern.WASH]),
        ("a", "b", (), []),
        ("a", "b", ("a", "b"), [Pattern.WASH]),
        ("a", "c", ("a", "b"), []),
    ],
)
def test_a_wash_trade_is_one_of_one_owner(first, second, owners, flags):
    events = [ordered(1, "buy", desk=first), ordered(2, "sell", desk=second), filled(1), filled(2)]
    assert seen(*events, one_owner=owners) == flags


@pytest.mark.parametrize("change", [{"ts_ms": 1}, {"price": "101"}, {"quantity": "2"}])
def test_a_trade_at_another_time_price_or_size_is_no_wash(change):
    assert seen(ordered(1, "buy"), ordered(2, "sell"), filled(1), filled(2, **change)) == []


def test_many_orders_and_hardly_a_trade_are_flagged_once():
    assert seen(*(ordered(n, "buy") for n in range(59))) == []
    assert seen(*(ordered(n, "buy") for n in range(300))) == [Pattern.ORDER_TO_TRADE]
    some = [event for n in range(60) for event in (ordered(n, "buy"), *([filled(n, n)] if n % 20 == 0 else []))]
    assert seen(*some) == [], "three trades in sixty orders are usual"


def test_evidence_names_the_orders():
    watch = Surveillance()
    for event in [*layers(4), ordered(50, "sell", price=None), filled(50)]:
        watch.apply(event)
    (flag,) = watch.flags()
    assert flag.order_ids == ("o0", "o1", "o2", "o3", "o50")
    assert flag.desks == ("a",)
    assert "4 buy orders" in flag.evidence


def test_honest_trading_by_chance_is_not_flagged():
    rng = np.random.default_rng(7)
    watch, number = Surveillance(("a", "b")), 0
    for hour in range(2000):
        for desk in "ab":
            number += 1
            side = "buy" if rng.random() < 0.5 else "sell"
            watch.apply(ordered(number, side, desk=desk, ts_ms=hour * SPREE_MS))
            if rng.random() < 0.6:
                price = str(round(100 + rng.normal(), 2))
                watch.apply(filled(number, hour * SPREE_MS + int(rng.integers(0, 1000)), price))
            else:
                watch.apply(cancelled(number, hour * SPREE_MS + 1))
    assert watch.flags() == ()

"""The events of the simulated venue, as the journal holds them."""

from decimal import Decimal, localcontext
from typing import Any

from trading.domain import ids
from trading.domain.event import Event, EventKind
from trading.domain.fill import Liquidity
from trading.domain.money import EXACT, QUOTE_STEP, money_text, round_up
from trading.domain.order import Order, part_of
from trading.domain.reject import RejectCode


def filled(
    order: Order,
    *,
    part: int,
    price: Decimal,
    arrival: Decimal,
    quantity: Decimal,
    fee_rate: Decimal,
    liquidity: Liquidity,
    ts_ms: int,
    left: Decimal | None = None,
    basis: str | None = None,
) -> Event:
    """A fill. ``left`` says what stays open; without it the order has ended. ``arrival`` is the price it met.

    ``basis`` is what it was matched against, ``book`` or ``bars``, where the market has both.
    """
    with localcontext(EXACT):
        fee = round_up(price * quantity * fee_rate, QUOTE_STEP)
    payload: dict[str, Any] = {
        "fill_id": ids.fill_id(order.order_id, part),
        "order_id": order.order_id,
        "desk": order.desk,
        "instrument": order.instrument,
        "side": order.side.value,
        "price": money_text(price),
        "quantity": money_text(quantity),
        "ordered": money_text(order.quantity),
        "fee": money_text(fee),
        "liquidity": liquidity.value,
        "arrival": money_text(arrival),
        "ts_ms": ts_ms,
        **part_of(order),
    }
    if left is not None:
        payload["left"] = money_text(left)
    if basis is not None:
        payload["basis"] = basis
    return Event(ts_ms=ts_ms, kind=EventKind.FILLED, payload=payload)


def ended(order: Order, kind: EventKind, ts_ms: int, reason: str, code: RejectCode | None = None) -> Event:
    """The end of an order that did not fill whole."""
    payload = {"order_id": order.order_id, "desk": order.desk, "reason": reason, **part_of(order)}
    if code is not None:
        payload["code"] = code.value
    return Event(ts_ms=ts_ms, kind=kind, payload=payload)


def triggered(order: Order, price: Decimal, ts_ms: int) -> Event:
    """A stop-limit that became a limit order."""
    payload = {"order_id": order.order_id, "desk": order.desk, "price": money_text(price)}
    return Event(ts_ms=ts_ms, kind=EventKind.ORDER_TRIGGERED, payload=payload)

"""From what the gate let through to the order that is sent, and from an order to those that follow from it."""

from dataclasses import replace
from decimal import Decimal

from trading.domain import ids
from trading.domain.decision import Decision
from trading.domain.event import Event, EventKind
from trading.domain.instrument import Instrument
from trading.domain.intent import OrderType, Side, TimeInForce, TradeIntent
from trading.domain.money import round_nearest
from trading.domain.order import BRACKET, DESK, FLATTEN, Order, order_payload
from trading.engine.setup import Setup
from trading.venues.simulated.costs import Costs


def ordered_event(order: Order, decision_id: str = "") -> Event:
    """The order as it leaves."""
    return Event(ts_ms=order.sent_ms, kind=EventKind.ORDERED, payload=order_payload(order), decision_id=decision_id)


def order_for(
    decision: Decision,
    intent: TradeIntent,
    quantity: Decimal,
    *,
    intent_id: str,
    leg: int,
    as_of_ms: int,
    setup: Setup,
    costs: Costs,
    reduce_only: bool,
    origin: str = DESK,
    delay_ms: int = 0,
) -> Order:
    """The order that carries out an intent: prices on the grid, never worse than asked, and with its expiry."""
    instrument = setup.instruments[intent.instrument]
    order_id = ids.order_id(intent_id)
    order = Order(
        order_id=order_id,
        client_order_id=ids.client_order_id(setup.order_scope, decision.desk, decision.round_index, leg),
        intent_id=intent_id,
        desk=decision.desk,
        instrument=intent.instrument,
        side=intent.side,
        order_type=intent.order_type,
        quantity=quantity,
        limit_price=None
        if intent.limit_price is None
        else instrument.limit_price(intent.limit_price, intent.side.sign),
        reduce_only=intent.reduce_only or reduce_only,
        origin=origin,
        sent_ms=as_of_ms,
        arrives_ms=as_of_ms + delay_ms + costs.latency_of(order_id, setup.seed),
        time_in_force=intent.time_in_force,
        post_only=intent.post_only,
        trigger_price=_on_grid(intent.trigger_price, instrument),
        trail=intent.trail,
        stop_loss=_on_grid(intent.stop_loss, instrument),
        take_profit=_on_grid(intent.take_profit, instrument),
    )
    if order.rests and order.time_in_force is TimeInForce.GTD:
        lifetime_ms = setup.every_ms * min(max(1, intent.good_for_rounds), setup.rounds + 1)
        return replace(order, expires_ms=as_of_ms + lifetime_ms)
    return order


def protective_order(
    *,
    order_id: str,
    client_order_id: str,
    desk: str,
    instrument: Instrument,
    side: Side,
    quantity: Decimal,
    sent_ms: int,
    arrives_ms: int,
    origin: str = BRACKET,
    oco_group: str = "",
    stop: Decimal | None = None,
    take_profit: Decimal | None = None,
    trail: Decimal | None = None,
) -> Order:
    """An order that only guards a position: a stop, a take-profit or a trailing stop, whichever price is given.

    Without any it closes at the market.
    """
    kind = (
        OrderType.STOP
        if stop is not None
        else OrderType.TAKE_PROFIT
        if take_profit is not None
        else OrderType.TRAILING_STOP
        if trail is not None
        else OrderType.MARKET
    )
    return Order(
        order_id=order_id,
        client_order_id=client_order_id,
        intent_id="",
        desk=desk,
        instrument=instrument.symbol,
        side=side,
        order_type=kind,
        quantity=quantity,
        sent_ms=sent_ms,
        arrives_ms=arrives_ms,
        reduce_only=True,
        origin=FLATTEN if kind is OrderType.MARKET else origin,
        time_in_force=TimeInForce.GTC,
        trigger_price=_on_grid(stop if stop is not None else take_profit, instrument),
        trail=trail,
        oco_group=oco_group,
    )


def _on_grid(price: Decimal | None, instrument: Instrument) -> Decimal | None:
    return None if price is None else max(instrument.tick, round_nearest(price, instrument.tick))

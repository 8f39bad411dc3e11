"""What guards a position: brackets that follow a fill, standing stops that a policy sets, and what comes of both.

A protective order can close and never open. It goes when its position is gone; one that the venue refuses, or never
got, is not passed over: the position that it was to guard is closed at the market (control 17).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from trading.domain import ids
from trading.domain.event import Event, EventKind
from trading.domain.fill import Liquidity
from trading.domain.intent import Side
from trading.domain.order import PROTECTION, Order, order_from_payload
from trading.domain.position import Position
from trading.domain.reject import RejectCode
from trading.engine.outgoing import ordered_event, protective_order
from trading.engine.setup import Setup
from trading.execution.orders import OpenOrders
from trading.ledger.ledger import Ledger
from trading.marketdata.view import MarketView
from trading.venues.simulated.costs import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectiveLevels:
    """Where a position is to be closed: prices of a stop and a take-profit, the distance of a trailing stop."""

    stop: Decimal | None = None
    take_profit: Decimal | None = None
    trail: Decimal | None = None


class ProtectionPolicy(Protocol):
    """Says, at each round, where a position of a desk is to be closed."""

    def levels(self, desk: str, position: Position, view: MarketView) -> ProtectiveLevels | None:
        """The levels from here on; None leaves those that stand."""
        ...


class Protection:
    """Keeps the protective orders of all desks. A fold over the journal; :meth:`follow` says what an event entails."""

    def __init__(self, setup: Setup, costs: Costs, orders: OpenOrders, ledger: Ledger, step_ms: int) -> None:
        self._setup = setup
        self._costs = costs
        self._orders = orders
        self._ledger = ledger
        self._step_ms = step_ms
        self._bracketed: dict[str, Order] = {}
        self._guards: dict[str, Order] = {}

    def apply(self, event: Event) -> None:
        """Take an event in: remember the orders that carry a bracket, and those that guard."""
        if event.kind is EventKind.ORDERED:
            payload = event.payload
            if "stop_loss" in payload or "take_profit" in payload:
                self._bracketed[payload["order_id"]] = order_from_payload(payload)
            elif payload["origin"] in ("bracket", PROTECTION):
                self._guards[payload["order_id"]] = order_from_payload(payload)
        elif event.kind is EventKind.SEASON_CLOSED:
            self._bracketed.clear()

    def guarding(self, order_id: str) -> Order | None:
        """The order of this id, where it is one that guards a position."""
        return self._guards.get(order_id)

    def follow(self, event: Event) -> Iterator[Event]:
        """The events that ``event``, which everything has taken in, brings about."""
        if event.kind is EventKind.FILLED:
            yield from self._bracket(event)
            yield from self._drop_idle(event)
        elif event.kind is EventKind.ORDER_REJECTED or _never_arrived(event):
            yield from self._flatten(event)
        if event.kind in _ENDS and "left" not in event.payload:
            if not _never_arrived(event):  # a request that was on its way for very long may yet arrive and fill
                self._bracketed.pop(event.payload["order_id"], None)
            self._guards.pop(event.payload["order_id"], None)

    def guard(self, desk: str, position: Position, levels: ProtectiveLevels, as_of_ms: int) -> Iterator[Event]:
        """Put the levels of a policy in the place of those that stand; nothing where they are the same."""
        side = Side.SELL if position.quantity > 0 else Side.BUY
        quantity = abs(position.quantity)
        group = f"{desk}:{position.instrument}:{as_of_ms}"
        prices = {"stop": levels.stop, "take_profit": levels.take_profit, "trail": levels.trail}
        wanted = [
            self._child(group, name, desk, position.instrument, side, quantity, as_of_ms, {name: price}, PROTECTION)
            for name, price in prices.items()
            if price is not None
        ]
        standing = [
            order
            for order in self._orders.of(desk)
            if order.origin == PROTECTION and order.instrument == position.instrument
        ]
        if {_what(order) for order in wanted} == {_what(order) for order in standing}:
            return
        for order in standing:
            yield _cancelled(order, as_of_ms, "replaced by new levels")
        for order in wanted:
            yield ordered_event(order)

    def close(self, desk: str, position: Position, as_of_ms: int) -> Iterator[Event]:
        """Close a position at the market, and take away what guarded it."""
        for order in self._orders.of(desk):
            if order.is_protective and order.instrument == position.instrument:
                yield _cancelled(order, as_of_ms, "the position is closed at the market")
        side = Side.SELL if position.quantity > 0 else Side.BUY
        group = f"{desk}:{position.instrument}:{as_of_ms}"
        yield ordered_event(
            self._child(group, "flatten", desk, position.instrument, side, abs(position.quantity), as_of_ms, {})
        )

    # -- inside ----------------------------------------------------------------------------------------------------

    def _bracket(self, event: Event) -> Iterator[Event]:
        parent = self._bracketed.get(event.payload["order_id"])
        if parent is None:
            return
        side = Side.SELL if parent.side is Side.BUY else Side.BUY
        quantity = Decimal(event.payload["quantity"])
        group = event.payload["fill_id"]
        for name, price in (("stop", parent.stop_loss), ("take_profit", parent.take_profit)):
            if price is None:
                continue
            sent_ms = event.ts_ms
            if name == "take_profit" and event.payload["liquidity"] == Liquidity.MAKER.value:
                # The bar does not say whether its extreme came before the resting order filled.
                sent_ms += self._step_ms - sent_ms % self._step_ms
            child = self._child(group, name, parent.desk, parent.instrument, side, quantity, sent_ms, {name: price})
            yield ordered_event(child, event.decision_id)

    def _child(
        self,
        group: str,
        role: str,
        desk: str,
        instrument: str,
        side: Side,
        quantity: Decimal,
        sent_ms: int,
        prices: dict[str, Decimal],
        origin: str = "bracket",
    ) -> Order:
        order_id = ids.child_order_id(group, role)
        return protective_order(
            order_id=order_id,
            client_order_id=ids.child_client_order_id(f"{self._setup.order_scope}:{group}", role),
            desk=desk,
            instrument=self._setup.instruments[instrument],
            side=side,
            quantity=quantity,
            sent_ms=sent_ms,
            arrives_ms=sent_ms + self._costs.latency_of(order_id, self._setup.seed),
            origin=origin,
            oco_group=group,
            **prices,
        )

    def _drop_idle(self, event: Event) -> Iterator[Event]:
        desk, symbol = event.payload["desk"], event.payload["instrument"]
        held = self._ledger.accounts[desk].position(symbol).quantity
        for order in self._orders.of(desk):
            if order.is_protective and order.instrument == symbol and order.side.sign * held >= 0:
                yield _cancelled(order, event.ts_ms, "the position is closed")

    def _flatten(self, event: Event) -> Iterator[Event]:
        refused = self._guards.get(event.payload["order_id"])
        if refused is None or event.payload.get("code") == RejectCode.NOTHING_TO_REDUCE.value:
            return
        held = self._ledger.accounts[refused.desk].position(refused.instrument).quantity
        if refused.side.sign * held >= 0:
            return
        for order in self._orders.of(refused.desk):
            if refused.oco_group and order.oco_group == refused.oco_group:
                yield _cancelled(order, event.ts_ms, "the stop beside it was refused")
        quantity = min(refused.quantity, abs(held))
        yield ordered_event(
            self._child(
                refused.order_id, "flatten", refused.desk, refused.instrument, refused.side, quantity, event.ts_ms, {}
            )
        )


_ENDS = (EventKind.FILLED, EventKind.ORDER_REJECTED, EventKind.ORDER_EXPIRED, EventKind.ORDER_CANCELLED)


def _never_arrived(event: Event) -> bool:
    code = event.payload.get("code") if event.kind is EventKind.ORDER_CANCELLED else None
    return code == RejectCode.NEVER_ARRIVED.value


def _what(order: Order) -> tuple[object, ...]:
    return order.side, order.order_type, order.quantity, order.trigger_price, order.trail


def _cancelled(order: Order, ts_ms: int, reason: str) -> Event:
    payload = {"order_id": order.order_id, "desk": order.desk, "reason": reason}
    return Event(ts_ms=ts_ms, kind=EventKind.ORDER_CANCELLED, payload=payload)

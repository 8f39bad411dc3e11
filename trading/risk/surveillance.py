"""Looking for patterns that paint the tape: layering, wash trades, orders that hardly ever trade.

A fold over the journal. It flags and refuses nothing: a flag is for a person, who sees the evidence with it. The
patterns are those of Article 13 of Regulation (EU) 2017/589 and Article 12 of Regulation (EU) 596/2014.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading.domain.event import Event, EventKind
from trading.domain.intent import Side
from trading.domain.order import Order, order_from_payload

LAYERS = 4
"""So many orders of one side, taken back around a fill on the other, are layering."""

SPREE_MS = 3_600_000
"""How far apart the steps of one pattern may lie, in market time."""

MOST_ORDERS_A_FILL = 20
FEWEST_ORDERS = 60
"""The ratio of orders to fills is judged from so many orders of a desk in an instrument on."""


class Pattern(StrEnum):
    """What was seen."""

    LAYERING = "layering"
    WASH = "wash"
    ORDER_TO_TRADE = "order_to_trade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A pattern with its evidence: the desks and orders it is made of, and a number in words."""

    pattern: Pattern
    ts_ms: int
    instrument: str
    desks: tuple[str, ...]
    order_ids: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trade:
    ts_ms: int
    desk: str
    order_id: str
    side: Side
    price: Decimal
    quantity: Decimal


class Surveillance:
    """Sees every order, fill and cancel; :meth:`flags` are what it found so far. Desks in ``one_owner`` count as one.

    Where accounts are isolated contests between desks are no wash trades: leave ``one_owner`` empty there.
    """

    def __init__(self, one_owner: Iterable[str] = ()) -> None:
        self._owners = frozenset(one_owner)
        self._orders: dict[str, Order] = {}
        self._withdrawn: dict[tuple[str, str, Side], deque[tuple[int, str]]] = {}
        self._trades: dict[str, deque[_Trade]] = {}
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}
        self._flags: list[Flag] = []
        self._ratio_flagged: set[tuple[str, str]] = set()

    def flags(self) -> tuple[Flag, ...]:
        """Everything that was flagged, oldest first."""
        return tuple(self._flags)

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if event.kind is EventKind.ORDERED:
            order = order_from_payload(event.payload)
            self._orders[order.order_id] = order
            self._count(event.ts_ms, order, orders=1, fills=0)
        elif event.kind is EventKind.ORDER_CANCELLED:
            self._cancelled(event)
        elif event.kind is EventKind.FILLED:
            self._filled(event)
        elif event.kind in (EventKind.ORDER_EXPIRED, EventKind.ORDER_REJECTED):
            self._orders.pop(event.payload["order_id"], None)

    def _cancelled(self, event: Event) -> None:
        order = self._orders.pop(event.payload["order_id"], None)
        if order is None or order.limit_price is None:
            return
        recent = self._withdrawn.setdefault((order.desk, order.instrument, order.side), deque())
        if not order.parent_id or order.parent_id not in {each for _, each in recent}:
            recent.append((event.ts_ms, order.parent_id or order.order_id))
        self._layering(event.ts_ms, order.desk, order.instrument, order.side)

    def _filled(self, event: Event) -> None:
        payload = event.payload
        order = self._orders.get(payload["order_id"])
        if order is None:
            return
        trade = _Trade(
            ts_ms=event.ts_ms,
            desk=order.desk,
            order_id=order.order_id,
            side=order.side,
            price=Decimal(payload["price"]),
            quantity=Decimal(payload["quantity"]),
        )
        recent = self._trades.setdefault(order.instrument, deque())
        _forget(recent, event.ts_ms)
        self._wash(order.instrument, trade, recent)
        recent.append(trade)
        self._count(event.ts_ms, order, orders=0, fills=1)
        other = Side.SELL if order.side is Side.BUY else Side.BUY
        self._layering(event.ts_ms, order.desk, order.instrument, other)

    def _layering(self, now_ms: int, desk: str, instrument: str, side: Side) -> None:
        """Many resting orders of ``side`` taken back, while something traded on the other side."""
        withdrawn = self._withdrawn.get((desk, instrument, side), deque())
        while withdrawn and withdrawn[0][0] < now_ms - SPREE_MS:
            withdrawn.popleft()
        traded = [
            trade
            for trade in self._trades.get(instrument, ())
            if trade.desk == desk and trade.side is not side and trade.ts_ms >= now_ms - SPREE_MS
        ]
        if len(withdrawn) < LAYERS or not traded:
            return
        ids = tuple(order_id for _, order_id in withdrawn)
        self._flags.append(
            Flag(
                pattern=Pattern.LAYERING,
                ts_ms=now_ms,
                instrument=instrument,
                desks=(desk,),
                order_ids=(*ids, traded[-1].order_id),
                evidence=f"{len(ids)} {side} orders taken back around a {traded[-1].side} that traded",
            )
        )
        withdrawn.clear()

    def _wash(self, instrument: str, trade: _Trade, recent: Iterable[_Trade]) -> None:
        """The same quantity bought and sold by one owner at one instant and price: nothing changed hands."""
        for other in recent:
            same = (other.ts_ms, other.price, other.quantity) == (trade.ts_ms, trade.price, trade.quantity)
            if same and other.side is not trade.side and self._is_one_owner(other.desk, trade.desk):
                self._flags.append(
                    Flag(
                        pattern=Pattern.WASH,
                        ts_ms=trade.ts_ms,
                        instrument=instrument,
                        desks=tuple(sorted({other.desk, trade.desk})),
                        order_ids=(other.order_id, trade.order_id),
                        evidence=f"{trade.quantity} bought and sold at {trade.price} at one instant",
                    )
                )
                return

    def _is_one_owner(self, first: str, second: str) -> bool:
        return first == second or {first, second} <= self._owners

    def _count(self, now_ms: int, order: Order, *, orders: int, fills: int) -> None:
        key = (order.desk, order.instrument)
        sent, filled = self._counts.get(key, (0, 0))
        sent, filled = self._counts[key] = (sent + orders, filled + fills)
        if sent < FEWEST_ORDERS or sent <= MOST_ORDERS_A_FILL * max(1, filled) or key in self._ratio_flagged:
            return
        self._ratio_flagged.add(key)
        self._flags.append(
            Flag(
                pattern=Pattern.ORDER_TO_TRADE,
                ts_ms=now_ms,
                instrument=order.instrument,
                desks=(order.desk,),
                order_ids=(order.order_id,),
                evidence=f"{sent} orders for {filled} fills; {MOST_ORDERS_A_FILL} orders a fill are usual at most",
            )
        )


def _forget(trades: deque[_Trade], now_ms: int) -> None:
    while trades and trades[0].ts_ms < now_ms - SPREE_MS:
        trades.popleft()

"""Which orders stand: a fold over the journal, so that a restart knows them again."""

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.domain.errors import JournalError
from trading.domain.event import Event, EventKind
from trading.domain.order import Order, OrderStatus, order_from_payload
from trading.execution.lifecycle import Happening, OrderLife

_HAPPENINGS: Mapping[EventKind, Happening] = {
    EventKind.ORDER_ACKNOWLEDGED: Happening.ACKNOWLEDGE,
    EventKind.ORDER_TRIGGERED: Happening.TRIGGER,
    EventKind.ORDER_UNKNOWN: Happening.LOSE,
    EventKind.ORDER_EXPIRED: Happening.EXPIRE,
    EventKind.ORDER_CANCELLED: Happening.CANCEL,
    EventKind.ORDER_REJECTED: Happening.REJECT,
}

REMEMBERED_ENDS = 4096
"""How many ended orders are remembered with their fills, to recognise what a venue tells late or twice."""


class OpenOrders:
    """Orders that may still fill, in the order they were sent, each with its life.

    A FILLED event that says what is ``left`` keeps its order open; one that does not ends it.
    """

    def __init__(self) -> None:
        self._sent: set[str] = set()
        self._open: dict[str, Order] = {}
        self._by_desk: dict[str, dict[str, Order]] = {}
        self._lives: dict[str, OrderLife] = {}
        self._ended: OrderedDict[str, tuple[Order, OrderLife]] = OrderedDict()
        self._triggered: set[str] = set()
        self._first_sent_ms = 0
        self._last_fill_ms = 0

    @property
    def told_until_ms(self) -> int:
        """Until when the record knows what the venue did: the last fill, or before any the first sending; else 0."""
        return self._last_fill_ms or self._first_sent_ms

    def apply(self, event: Event) -> None:
        """Take an event in. Raises JournalError when an order is sent twice or does what it cannot."""
        if event.kind is EventKind.ORDERED:
            self._add(order_from_payload(event.payload))
        elif event.kind is EventKind.FILLED:
            self._last_fill_ms = max(self._last_fill_ms, event.ts_ms)
            self._fill(event.payload)
        elif event.kind in _HAPPENINGS:
            self._happen(event.payload["order_id"], _HAPPENINGS[event.kind])

    def _add(self, order: Order) -> None:
        if order.order_id in self._sent:
            raise JournalError(f"order {order.order_id} was sent twice")
        self._sent.add(order.order_id)
        self._first_sent_ms = self._first_sent_ms or order.sent_ms
        self._open[order.order_id] = order
        self._by_desk.setdefault(order.desk, {})[order.order_id] = order
        self._lives[order.order_id] = OrderLife(
            order_id=order.order_id, quantity=order.quantity, status=OrderStatus.SENT
        )

    def _fill(self, payload: Mapping[str, Any]) -> None:
        life = self.life(payload["order_id"])
        if life is None:
            return
        quantity = payload.get("quantity")
        self._keep(
            life.after_fill(
                payload.get("fill_id", ""),
                life.left if quantity is None else Decimal(quantity),
                last="left" not in payload,
            )
        )

    def _happen(self, order_id: str, happening: Happening) -> None:
        life = self.life(order_id)
        if life is None:
            return
        if happening is Happening.TRIGGER and order_id in self._open:
            self._triggered.add(order_id)
        self._keep(life.after(happening))

    def _keep(self, life: OrderLife) -> None:
        if not life.status.is_final:
            self._lives[life.order_id] = life
            return
        self._lives.pop(life.order_id, None)
        self._triggered.discard(life.order_id)
        order = self._open.pop(life.order_id, None)
        if order is not None:
            del self._by_desk[order.desk][order.order_id]
        else:
            order = self._ended[life.order_id][0]
        self._ended[life.order_id] = order, life
        if len(self._ended) > REMEMBERED_ENDS:
            self._ended.popitem(last=False)

    def __len__(self) -> int:
        return len(self._open)

    def all(self) -> tuple[Order, ...]:
        """Every open order, oldest first."""
        return tuple(self._open.values())

    def of(self, desk: str) -> tuple[Order, ...]:
        """The open orders of a desk, oldest first."""
        return tuple(self._by_desk.get(desk, {}).values())

    def get(self, order_id: str) -> Order | None:
        """An open order by its id."""
        return self._open.get(order_id)

    def life(self, order_id: str) -> OrderLife | None:
        """Where an order stands, also for a while after it ended; None for one that was never sent here."""
        live = self._lives.get(order_id)
        if live is not None:
            return live
        ended = self._ended.get(order_id)
        return None if ended is None else ended[1]

    def recent(self) -> tuple[Order, ...]:
        """Orders that ended lately: a venue may still tell a fill of theirs."""
        return tuple(order for order, _ in self._ended.values())

    def by_client_id(self, client_order_id: str) -> Order | None:
        """An order, open or ended lately, by the id that the venue knows."""
        return next(
            (order for order in (*self.all(), *self.recent()) if order.client_order_id == client_order_id), None
        )

    def left(self, order: Order) -> Decimal:
        """What of an open order is not filled."""
        life = self._lives.get(order.order_id)
        return order.quantity if life is None else life.left

    def triggered(self, order: Order) -> bool:
        """Whether a waiting order met its trigger."""
        return order.order_id in self._triggered

    def parts(self, order: Order) -> int:
        """How many fills an open order has had."""
        life = self._lives.get(order.order_id)
        return 0 if life is None else len(life.fill_ids)

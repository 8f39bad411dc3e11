"""Orders that are worked in parts: what has left of each and what is still to come. A fold, so a restart knows it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from trading.domain.event import Event, EventKind
from trading.domain.money import ZERO, money_text
from trading.domain.order import Order, order_from_payload, order_payload
from trading.execution.algos.plan import Plan, part_order


@dataclass(slots=True, kw_only=True)
class WorkedOrder:
    """One order under way: ``parts`` are the instants and quantities of its plan, ``until_ms`` the end of its window.

    Of the parts ``gone`` have left or were passed over; ``sent`` is the quantity that has left.
    """

    order: Order
    parts: tuple[tuple[int, Decimal], ...]
    until_ms: int
    decision_id: str
    gone: int = 0
    sent: Decimal = ZERO

    @property
    def due_ms(self) -> int | None:
        """When the next part goes; None when none is left."""
        return self.parts[self.gone][0] if self.gone < len(self.parts) else None

    def due_before(self, ts_ms: int) -> bool:
        """Whether the next part goes before ``ts_ms``."""
        return self.due_ms is not None and self.due_ms < ts_ms

    @property
    def to_come(self) -> Decimal:
        """What is still to leave."""
        return sum((quantity for _, quantity in self.parts[self.gone :]), ZERO)

    @property
    def missing(self) -> Decimal:
        """What of the order has not left."""
        return self.order.quantity - self.sent

    @property
    def rest(self) -> Order:
        """What is still to leave, as the order that it would be if it stood at the venue."""
        return replace(self.order, quantity=self.to_come, expires_ms=self.until_ms)

    def part(self, number: int) -> Order:
        """One of its parts, as it is sent."""
        at_ms, quantity = self.parts[number]
        return part_order(self.order, number, at_ms, quantity, self.until_ms)


class WorkedOrders:
    """The orders under way, in the order in which they were decided. A fold over the journal."""

    def __init__(self) -> None:
        self._works: dict[str, WorkedOrder] = {}

    def __len__(self) -> int:
        return len(self._works)

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if event.kind is EventKind.WORK_STARTED:
            self._start(event)
        elif event.kind is EventKind.WORK_ENDED:
            self._works.pop(event.payload["order_id"], None)
        elif event.kind is EventKind.ORDERED and "parent_id" in event.payload:
            self._leave(event.payload)

    def all(self) -> tuple[WorkedOrder, ...]:
        """Every order under way."""
        return tuple(self._works.values())

    def of(self, desk: str) -> tuple[WorkedOrder, ...]:
        """Those of a desk."""
        return tuple(work for work in self._works.values() if work.order.desk == desk)

    def get(self, order_id: str) -> WorkedOrder | None:
        """One by the id of the whole order."""
        return self._works.get(order_id)

    def rests(self, works: Iterable[WorkedOrder] | None = None) -> tuple[Order, ...]:
        """What is still to leave of ``works``, of all without it."""
        return tuple(work.rest for work in (self.all() if works is None else works) if work.due_ms is not None)

    def next_due(self) -> WorkedOrder | None:
        """The one whose next part goes first; of two at one instant the one that was decided first."""
        waiting = [work for work in self._works.values() if work.due_ms is not None]
        return min(waiting, key=lambda work: work.due_ms or 0, default=None)

    def pass_over(self, before_ms: int) -> None:
        """Parts that were due before then and have not left do not leave any more."""
        for work in self._works.values():
            while work.due_before(before_ms):
                work.gone += 1

    def exhausted(self) -> tuple[WorkedOrder, ...]:
        """Those of which nothing is left to leave, although not all has left."""
        return tuple(work for work in self._works.values() if work.due_ms is None)

    def _start(self, event: Event) -> None:
        payload = event.payload
        work = WorkedOrder(
            order=order_from_payload(payload),
            parts=tuple((at_ms, Decimal(quantity)) for at_ms, quantity in payload["parts"]),
            until_ms=payload["until_ms"],
            decision_id=event.decision_id,
        )
        self._works[work.order.order_id] = work

    def _leave(self, payload: Mapping[str, Any]) -> None:
        work = self._works.get(payload["parent_id"])
        if work is None:
            return
        ahead = range(work.gone, len(work.parts))
        work.gone = 1 + next(number for number in ahead if work.part(number).order_id == payload["order_id"])
        work.sent += Decimal(payload["quantity"])
        if work.sent >= work.order.quantity:
            del self._works[work.order.order_id]


def started_event(order: Order, plan: Plan, until_ms: int, how: Mapping[str, Any], decision_id: str) -> Event:
    """That an order begins to be worked: the order itself, ``how`` it was asked for, and the parts of its plan."""
    payload = {
        **order_payload(order),
        **how,
        "until_ms": until_ms,
        "parts": [[part.sent_ms, money_text(part.quantity)] for part in plan.children],
    }
    return Event(ts_ms=order.sent_ms, kind=EventKind.WORK_STARTED, payload=payload, decision_id=decision_id)


def ended_event(work: WorkedOrder, ts_ms: int, reason: str, *, rule: str = "") -> Event:
    """That no further part of an order leaves, and how much of it has not; ``rule`` is the gate's, where it said so."""
    payload = {
        "order_id": work.order.order_id,
        "desk": work.order.desk,
        "instrument": work.order.instrument,
        "side": work.order.side.value,
        "left": money_text(work.missing),
        "reason": reason,
        **({"rule": rule} if rule else {}),
    }
    return Event(ts_ms=ts_ms, kind=EventKind.WORK_ENDED, payload=payload, decision_id=work.decision_id)

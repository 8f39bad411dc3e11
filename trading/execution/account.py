"""One account at a venue with its record: the folds, the sender and the reconciler put together over a journal.

Crash-only: opening it on the events of a journal is the same whether it was stopped or killed.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import OrderRejected
from trading.domain.event import Event
from trading.domain.order import Order, OrderStatus
from trading.execution.orders import OpenOrders
from trading.execution.reconciliation import Break, ExpectedBooks, OpenBreaks, Outcome, ReconcilePolicy, Reconciler
from trading.execution.resolver import ResolvePolicy, Sleep
from trading.execution.sender import OrderSender
from trading.storage.journal.writer import JournalSink
from trading.venues.port import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRecord:
    """A record that somebody else keeps: ``record`` writes an event down and lets the folds beside it take it in."""

    record: Callable[[Event], None]
    orders: OpenOrders
    books: ExpectedBooks
    breaks: OpenBreaks


class RecordedAccount:
    """Sends orders of ``instruments`` to ``venue`` and keeps ``journal``; ``past`` are the events that it holds.

    Nothing is sent before :meth:`start` found record and venue in agreement, and nothing that a break bars.
    ``listeners`` hear every event, such as a ledger. Where an engine keeps the record, ``kept`` is its side of it, and
    ``past`` has been taken in.
    """

    def __init__(
        self,
        venue: Venue,
        instruments: Sequence[str],
        journal: JournalSink,
        *,
        past: Iterable[Event] = (),
        tell: Callable[[Break], None],
        clock: Clock | None = None,
        policy: ReconcilePolicy | None = None,
        resolving: ResolvePolicy | None = None,
        sleep: Sleep = asyncio.sleep,
        listeners: Sequence[Callable[[Event], None]] = (),
        kept: KeptRecord | None = None,
    ) -> None:
        self.orders = OpenOrders() if kept is None else kept.orders
        self.books = ExpectedBooks() if kept is None else kept.books
        self.breaks = OpenBreaks() if kept is None else kept.breaks
        self._kept = kept
        self._journal = journal
        self._folds: tuple[Callable[[Event], None], ...] = (
            self.orders.apply,
            self.books.apply,
            self.breaks.apply,
            *listeners,
        )
        for event in past:
            self._apply(event)
        clock = clock or SystemClock()
        self.sender = OrderSender(
            venue,
            self.orders,
            record=self.record,
            commit=journal.commit,
            clock=clock,
            policy=resolving,
            sleep=sleep,
        )
        self.reconciler = Reconciler(
            venue,
            self.sender,
            orders=self.orders,
            books=self.books,
            breaks=self.breaks,
            instruments=instruments,
            record=self.record,
            commit=journal.commit,
            clock=clock,
            tell=tell,
            policy=policy,
            sleep=sleep,
        )
        self._is_started = False

    def record(self, event: Event) -> None:
        """Write an event down and let every fold take it in."""
        if self._kept is not None:
            self._kept.record(event)
            return
        self._journal.append(event)
        self._apply(event)

    @property
    def is_started(self) -> bool:
        """Whether record and venue have been compared since this was opened, so that orders may leave."""
        return self._is_started

    async def start(self) -> Outcome:
        """Recover and compare. Raises UnknownOrderState while the venue cannot be asked."""
        outcome = await self.reconciler.start()
        self._is_started = self.books.is_open
        return outcome

    async def reconcile(self) -> Outcome:
        """Compare again, as on a timer."""
        return await self.reconciler.run()

    async def send(self, order: Order, decision_id: str = "") -> OrderStatus:
        """Send an order once. Raises OrderRejected, with nothing sent or recorded, where it may not be traded."""
        self.check(order)
        return await self.sender.send(order, decision_id)

    async def place(self, order: Order) -> OrderStatus:
        """Send an order that the record holds already, once; one that may not be traded is recorded as rejected."""
        try:
            self.check(order)
        except OrderRejected as refusal:
            self.sender.drop(order, refusal)
            return OrderStatus.REJECTED
        return await self.sender.place(order)

    def check(self, order: Order) -> None:
        """Raise OrderRejected where an order may not be traded: while record and venue are not known to agree on it."""
        if not self._is_started:
            raise OrderRejected("the account has not been reconciled since it was opened", code="break")
        self.breaks.check(order)
        unknown = [other.client_order_id for other in self.sender.unknown() if other.instrument == order.instrument]
        if unknown:
            raise OrderRejected(
                f"{order.instrument} waits for order {unknown[0]}, whose fate is not known", code="break"
            )

    def _apply(self, event: Event) -> None:
        for fold in self._folds:
            fold(event)

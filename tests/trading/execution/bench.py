"""A sender on a faulty venue, with its journal and fold."""

import asyncio
from decimal import Decimal

from tests.trading.markets import START_MS, MemoryJournal, flat
from tests.trading.venues.harness import Harness, paper
from trading.domain import Event, EventKind, ManualClock
from trading.execution import OpenOrders
from trading.execution.resolver import ResolvePolicy
from trading.execution.sender import OrderSender
from trading.testing.faulty_venue import FaultyVenue, no_faults

QUICK = ResolvePolicy(asks=3, wait_s=0.0)


async def no_wait(_: float) -> None:
    return None


class Bench:
    """A sender on a faulty venue, with its journal and fold."""

    def __init__(
        self, plan=None, *, candles=None, journal: MemoryJournal | None = None, harness: Harness | None = None
    ):
        self.harness = harness or paper(candles or flat(100, 5))
        self.venue = FaultyVenue(self.harness.exchange, plan or no_faults, let_fill=self.harness.step)
        self.orders = OpenOrders()
        self.journal = journal or MemoryJournal()
        for event in self.journal.events:
            self.orders.apply(event)
        self.sender = OrderSender(
            self.venue,
            self.orders,
            record=self.record,
            commit=self.journal.commit,
            clock=ManualClock(START_MS),
            policy=QUICK,
            sleep=no_wait,
        )

    def record(self, event: Event) -> None:
        self.journal.append(event)
        self.orders.apply(event)

    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.journal.events]

    def filled(self) -> Decimal:
        return sum(
            (Decimal(e.payload["quantity"]) for e in self.journal.events if e.kind is EventKind.FILLED), Decimal(0)
        )

    def send(self, one):
        return asyncio.run(self.sender.send(one))

    def poll(self):
        asyncio.run(self.sender.poll())

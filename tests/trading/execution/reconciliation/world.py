"""A loopback exchange with an account on it, and our side of it on a journal in memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.exchanges import serve_exchange
from tests.exchanges.binance_account import KEY, SECRET, BinanceAccount
from tests.exchanges.limits import VirtualTime
from tests.exchanges.matching import BookAccount
from tests.exchanges.server import Venue
from tests.trading.markets import MemoryJournal
from trading.domain import Event, EventKind, Order, OrderType, Side, TimeInForce, ids
from trading.execution.account import RecordedAccount
from trading.execution.reconciliation import Break, ReconcilePolicy
from trading.execution.resolver import ResolvePolicy
from trading.marketdata.exchange import Backoff, ExchangeSpec
from trading.marketdata.exchange.calls import Caller
from trading.venues.ccxt_venue import CcxtVenue, Keys, VenueSpec, open_venue

READS = Backoff(first_s=0.001, cap_s=0.002, tries=3)


async def no_wait(_: float) -> None:
    return None


@dataclass
class World:
    server: Venue
    account: BookAccount
    private: BinanceAccount
    venue: CcxtVenue
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    told: list[Break] = field(default_factory=list)
    sent: int = 0

    @property
    def names(self) -> Sequence[str]:
        return tuple(self.server.markets)

    def ours(self, *listeners: Callable[[Event], None], **policy: Any) -> RecordedAccount:
        """Our side, opened on what the journal holds, as after a restart."""
        return RecordedAccount(
            self.venue,
            self.names,
            self.journal,
            past=list(self.journal.events),
            tell=self.told.append,
            policy=ReconcilePolicy(pause_s=0, **policy),
            resolving=ResolvePolicy(asks=2, wait_s=0),
            sleep=no_wait,
            listeners=listeners,
        )

    def agrees(self, side: RecordedAccount) -> bool:
        """Whether our books are the exchange's own, to the last digit."""
        theirs = {name: free + locked for name, (free, locked) in self.account.balances().items() if free + locked}
        positions = {name: quantity for name, (quantity, _) in self.account.positions().items()}
        return dict(side.books.balances) == theirs and dict(side.books.positions) == positions

    def on(self, time: VirtualTime) -> None:
        """Let the venue live in a time of its own."""
        opened = self.venue
        caller = Caller(exchange=opened.exchange, backoff=READS, sleep=time.sleep)
        self.venue = CcxtVenue(opened.exchange, opened.instruments, opened.facts, caller=caller, clock=time)

    def order(self, side: str, quantity: str, limit: str | None = None, *, at: int = 0, **more: Any) -> Order:
        """An order of the house; its ids follow from how many there were."""
        self.sent += 1
        client = ids.client_order_id("test", "alpha", self.sent, 0)
        now = self.server.now_ms()
        return Order(
            order_id=f"o-{client}",
            client_order_id=client,
            intent_id="",
            desk="alpha",
            instrument=self.names[at],
            side=Side(side),
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            quantity=Decimal(quantity),
            limit_price=None if limit is None else Decimal(limit),
            sent_ms=now,
            arrives_ms=now,
            time_in_force=TimeInForce.GTC,
            **more,
        )

    def kinds(self, *wanted: EventKind) -> list[str]:
        """The kinds of events written, of those wanted."""
        return [event.kind.value for event in self.journal.events if not wanted or event.kind in wanted]


@asynccontextmanager
async def world(exchange_id: str = "binanceusdm", *, deposit: str = "1000000", **base: str) -> AsyncIterator[World]:
    """The exchange, its account with ``deposit`` of the quote and what else is named, and the venue behind the port."""
    futures = exchange_id == "binanceusdm"
    async with serve_exchange(exchange_id, step_s=3600) as server:
        deposits = {"USDT": Decimal(deposit), **{name: Decimal(total) for name, total in base.items()}}
        account = BookAccount(server.markets, deposits, now_ms=server.now_ms)
        dialect: Any = server.dialect
        private = dialect.private = BinanceAccount(account, dialect.listings, futures=futures, venue=server)
        spec = VenueSpec(
            exchange=ExchangeSpec(exchange_id=exchange_id, endpoints=server.endpoints, pace=False),
            keys=Keys(api_key=KEY, secret=SECRET),
            instruments=tuple(server.markets),
        )
        async with open_venue(spec, reads=READS) as venue:
            yield World(server=server, account=account, private=private, venue=venue)

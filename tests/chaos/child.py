"""The process that is killed: journal, sender and reconciler over a real ccxt exchange, working through a plan."""

import asyncio
import os
import signal
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import ccxt.pro  # loaded once, in the process from which every child is forked
import numpy as np
import orjson

from tests.exchanges.binance_account import KEY, SECRET
from trading.domain import Event, EventKind, Order, OrderType, Side, SystemClock, TimeInForce, ids
from trading.domain.errors import OrderRejected, UnknownOrderState
from trading.execution.account import RecordedAccount
from trading.execution.reconciliation import ReconcilePolicy
from trading.execution.resolver import ResolvePolicy
from trading.marketdata.exchange import Backoff, Endpoints, ExchangeSpec
from trading.storage.journal import Journal
from trading.storage.journal.reader import read_verified
from trading.venues.ccxt_venue import Keys, VenueSpec, open_venue

assert ccxt.pro
ORDERS = 12
DONE, BROKEN = 0, 7
STILL = "/chaos/still"
"""Asked of the exchange when the plan is done: its market rests from then on."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """What one life of the process gets to know. ``dies_at`` is a commit to die at, and ``how`` where in it."""

    journal: Path
    exchange_id: str
    endpoints: Endpoints
    instruments: tuple[str, ...]
    seed: int
    dies_at: int | None = None
    how: str = "before"


def planned(seed: int, instruments: tuple[str, ...], now_ms: int) -> list[tuple[Order, bool]]:
    """The orders of a run, with whether each is cancelled after it was sent. Ids and sizes follow from the seed."""
    rng = np.random.default_rng([seed, 1])
    orders = []
    for number in range(ORDERS):
        market = bool(rng.random() < 0.5)
        buys = bool(rng.random() < 0.6)
        offset = int(rng.integers(-30, 60))
        name = instruments[int(rng.integers(len(instruments)))]
        start = {"BTC": 600_000, "ETH": 30_000}[name.split("-")[0]]
        limit = Decimal(start - offset if buys else start + offset) / 10
        client = ids.client_order_id(f"chaos-{seed}", "alpha", number, 0)
        order = Order(
            order_id=ids.order_id(client),
            client_order_id=client,
            intent_id="",
            desk="alpha",
            instrument=name,
            side=Side.BUY if buys else Side.SELL,
            order_type=OrderType.MARKET if market else OrderType.LIMIT,
            quantity=Decimal(int(rng.integers(10, 6000))) / 1000,
            limit_price=None if market else limit,
            sent_ms=now_ms,
            arrives_ms=now_ms,
            time_in_force=TimeInForce.GTC,
        )
        orders.append((order, bool(rng.random() < 0.3)))
    return orders


class DyingJournal(Journal):
    """A journal whose process dies before, within or after a commit that is due."""

    def __init__(self, life: Life) -> None:
        super().__init__(life.journal, fsync=True)
        self._life = life
        self._commits = 0

    def commit(self) -> None:
        if not self._pending:
            return
        due = self._commits == self._life.dies_at
        self._commits += 1
        if due and self._life.how == "before":
            die()
        if due and self._life.how == "within":
            self._db.set_progress_handler(die, 1 + self._life.seed % 40)
        super().commit()
        if due:
            die()


def die() -> int:
    """End at once, as by a power switch."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def live(life: Life) -> None:
    """One life, from opening the journal to the end of the plan."""
    os._exit(asyncio.run(_live(life)))


async def _live(life: Life) -> int:
    past: list[Event] = []
    if life.journal.is_file():
        for stored in read_verified(life.journal):
            payload = orjson.loads(stored.payload_json)
            past.append(Event(ts_ms=stored.ts_ms, kind=EventKind(stored.kind), payload=payload))
    journal = DyingJournal(life)
    spec = VenueSpec(
        exchange=ExchangeSpec(exchange_id=life.exchange_id, endpoints=life.endpoints, pace=False),
        keys=Keys(api_key=KEY, secret=SECRET),
        instruments=life.instruments,
    )
    async with open_venue(spec, reads=Backoff(first_s=0.001, cap_s=0.002, tries=4)) as venue:
        account = RecordedAccount(
            venue,
            life.instruments,
            journal,
            past=past,
            tell=lambda _: None,
            policy=ReconcilePolicy(pause_s=0.0, adopt_start=True),
            resolving=ResolvePolicy(asks=2, wait_s=0.0),
        )
        await _patiently(account.start)
        for order, cancelled in planned(life.seed, life.instruments, SystemClock().now_ms()):
            if account.orders.life(order.order_id) is not None:
                continue
            try:
                await account.send(order)
            except OrderRejected:
                await _patiently(account.reconcile)
            if cancelled and account.orders.get(order.order_id) is not None:
                await account.sender.cancel(order)
            await account.sender.poll()
        await venue.exchange.fetch(life.endpoints.rest + STILL)
        for _ in range(3):
            outcome = await _patiently(account.reconcile)
            if outcome.is_clean:
                break
        journal.close()
    return DONE if outcome.is_clean else BROKEN


async def _patiently(what):
    for _ in range(20):
        try:
            return await what()
        except UnknownOrderState:
            continue
    raise SystemExit(BROKEN)

"""Trading for real: the account at the exchange, its part of a run's record, and what carries orders between the two.

A season's engine stays as it is on paper. What differs is that its orders leave, that fills are the exchange's, and
that the record is compared with the exchange's own books before anything is sent and on a timer ever after.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from arena.autonomous.paper import exchange_of
from arena.autonomous.timer import Timer, WallTimer
from arena.preparing import Prepared
from arena.seasons.rules import SeasonRules
from arena.settings import Settings
from trading.domain.errors import RequestError, VenueError
from trading.domain.money import decimal_from_float
from trading.engine import Engine
from trading.execution.account import KeptRecord, RecordedAccount
from trading.execution.capped import capped
from trading.execution.dead_man import DeadMansGrip
from trading.execution.departures import DepartedOrders
from trading.execution.dispatcher import Dispatcher, Rhythm
from trading.execution.reconciliation import (
    Break,
    BreakKind,
    ExpectedBooks,
    ForeignOrders,
    OpenBreaks,
    ReconcilePolicy,
)
from trading.execution.resolver import ResolvePolicy
from trading.risk import KillSwitch
from trading.storage.journal import Journal
from trading.venues.ccxt_venue import (
    CcxtVenue,
    VenueSpec,
    VenueSwitch,
    has_stream,
    keys_from,
    open_venue,
    order_changes,
    venue_facts,
)

log = logging.getLogger("tradefloor.live")

PASSING = (BreakKind.LATE_ORDER, BreakKind.VANISHED_ORDER, BreakKind.UNKNOWN_ORDER)
"""Breaks that the reconciler settles itself, or that end when the venue answers: told, and need no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """Whom live trading speaks to: ``alarm`` gets a text and whether a person must answer, ``halt`` stops the run for a
    reason, ``looked`` says that it works while no market is looked at, ``is_alive`` whether the run as a whole does.
    """

    alarm: Callable[[str, bool], None]
    halt: Callable[[str], None]
    looked: Callable[[], None]
    is_alive: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveManners:
    """What a test puts in the place of the usual: the account, the clock of events, and how patiently it is asked."""

    spec: VenueSpec | None = None
    timer: Timer | None = None
    rhythm: Rhythm | None = None
    resolving: ResolvePolicy | None = None


def account_spec(rules: SeasonRules, settings: Settings) -> VenueSpec:
    """The account that a live season trades. Keys come from the environment alone.

    Raises ConfigError naming the keys that are not set, RequestError for an exchange that takes no orders from here.
    """
    exchange = exchange_of(rules.market, settings)
    venue_facts(exchange.exchange_id)
    return VenueSpec(
        exchange=exchange,
        keys=keys_from(os.environ, exchange.exchange_id, testnet=rules.market.testnet),
        instruments=rules.market.instruments,
        testnet=rules.market.testnet,
    )


class LiveTrading:
    """One run's trading at a real exchange. Made before its engine, whose orders the :attr:`dispatcher` carries.

    :attr:`folds` must see every event of the run. :meth:`opened` connects; then :meth:`start` recovers, and nothing
    leaves before it.
    """

    def __init__(
        self,
        prepared: Prepared,
        settings: Settings,
        watchers: Watchers,
        *,
        run_id: str,
        manners: LiveManners | None = None,
    ) -> None:
        if prepared.live is None:
            raise ValueError("the season is not live")
        manners = manners or LiveManners()
        self._terms = prepared.live
        self._rules = prepared.rules
        self._spec = manners.spec or account_spec(prepared.rules, settings)
        self._watchers = watchers
        self._timer = manners.timer or WallTimer()
        self._resolving = manners.resolving
        self._switch = KillSwitch(settings.home)
        self._run_id = run_id
        self._engine: Engine | None = None
        self._grip: DeadMansGrip | None = None
        self._stopping: asyncio.Event | None = None
        self._is_between = False
        self._is_settled = False
        self._orders, self._books, self._breaks = DepartedOrders(), ExpectedBooks(), OpenBreaks()
        self.folds = (self._orders, self._books, self._breaks)
        self.dispatcher = Dispatcher(
            self._orders,
            clock=self._timer,
            is_halted=self._halted,
            on_look=self._look,
            on_trouble=lambda text: watchers.alarm(text, True),
            on_failure=self._fail,
            rhythm=manners.rhythm,
        )

    # -- what plays the season calls -------------------------------------------------------------------------------

    @asynccontextmanager
    async def opened(self, engine: Engine, journal: Journal) -> AsyncIterator[None]:
        """Connect to the account for ``engine``, which was restored. It may be left at any time: a start recovers."""
        self._engine = engine
        async with AsyncExitStack() as stack:
            venue = await stack.enter_async_context(open_venue(self._spec))
            account = RecordedAccount(
                capped(venue, self._terms.max_notional, self._last_price),
                self._spec.instruments,
                journal,
                tell=self._tell,
                clock=self._timer,
                policy=self._policy(),
                resolving=self._resolving,
                kept=KeptRecord(record=engine.hear, orders=self._orders, books=self._books, breaks=self._breaks),
            )
            self.dispatcher.attach(account, order_changes(venue) if has_stream(venue) else None)
            stack.push_async_callback(self.dispatcher.detach)
            await stack.enter_async_context(self._held(venue))
            yield

    async def start(self, stopping: asyncio.Event) -> None:
        """Recover every order and compare the books; until then nothing leaves. ``stopping`` is set where all fails."""
        self._stopping = stopping
        self._is_between = True
        await self.dispatcher.start(stopping)
        self._is_between = False

    async def settle(self, reason: str) -> None:
        """Before an orderly end: nothing that could open a position stands, and nothing is unknown.

        Positions and the orders that guard them stay at the exchange, and a person is told of them.
        """
        self._is_between = True
        assert self._engine is not None, "it was opened"
        self._engine.end_work(self._timer.now_ms(), reason)
        await self.dispatcher.settle(reason)
        self._is_settled = True
        unknown = [order.client_order_id for order in self._orders.all() if not order.is_protective]
        if unknown:
            self._watchers.alarm(f"stopped with orders that may stand at the exchange: {', '.join(unknown[:5])}", True)
        held = [
            f"{position.quantity} {position.instrument}"
            for account in self._engine.ledger.accounts.values()
            for position in account.positions.values()
        ]
        if held:
            self._watchers.alarm(f"stopped with positions at the exchange: {', '.join(held)}", False)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _policy(self) -> ReconcilePolicy:
        desk = self._rules.desks[0].name  # the account is one desk's, and so is what is paid into and out of it
        if not self._terms.adopt:
            return ReconcilePolicy(cash_desk=desk)
        return ReconcilePolicy(adopt_start=True, foreign_orders=ForeignOrders.ADOPT, adopt_desk=desk, cash_desk=desk)

    def _last_price(self, instrument: str) -> Decimal | None:
        assert self._engine is not None, "orders leave an opened account"
        tape = self._engine.tape
        last = int(tape.last_row[tape.index[instrument], len(tape) - 1]) if len(tape) else -1
        return None if last < 0 else decimal_from_float(float(tape.close[tape.index[instrument], last]))

    def _halted(self) -> bool:
        return self._switch.state(self._run_id) is not None

    def _look(self) -> None:
        engine = self._engine
        if engine is not None and len(engine.tape) and not engine.is_closed:
            now_ms = self._timer.now_ms()
            engine.enforce_halt(now_ms)
            if not self._is_between:
                engine.send_due(now_ms)
        if self._is_between:
            self._watchers.looked()
        if self._grip is not None and self._watchers.is_alive():
            self._grip.beat()

    def _tell(self, found: Break) -> None:
        self._watchers.alarm(found.text(), found.kind not in PASSING)

    def _fail(self, reason: str) -> None:
        self._watchers.halt(reason)
        if self._stopping is not None:
            self._stopping.set()

    @asynccontextmanager
    async def _held(self, venue: CcxtVenue) -> AsyncIterator[None]:
        """Keep the venue's dead-man switch armed, where it has one; disarmed only after an orderly stop."""
        try:
            switch = VenueSwitch(venue)
        except RequestError as error:
            log.info("%s", error)
            yield
            return
        if not self._terms.dead_man_s:
            yield
            return
        timeout_ms = 1000 * self._terms.dead_man_s
        grip = self._grip = DeadMansGrip(
            switch, timeout_ms=timeout_ms, silence_ms=timeout_ms // 4, monotonic_ms=lambda: 1000 * time.monotonic()
        )
        grip.beat()
        holding = asyncio.create_task(grip.hold())
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
            self._grip = None
            if self._is_settled:
                try:
                    await grip.let_go()
                except VenueError as error:
                    log.warning("the dead-man switch stays armed: %s", error)

"""The post between an engine, which never waits, and an account at a venue, where everything takes time.

Orders leave one after the other, in the order in which they were recorded. Cancellations overtake them. What became of
both is heard from the venue's stream, asked for on a timer, and compared with the books on a longer one.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from trading.domain.clock import Clock
from trading.domain.errors import OrderRejected, UnknownOrderState, VenueError
from trading.domain.order import FLATTEN, Order
from trading.domain.reject import RejectCode
from trading.execution.account import RecordedAccount
from trading.execution.departures import DepartedOrders
from trading.execution.resolver import Sleep
from trading.venues.port import VenueOrder

log = logging.getLogger("tradefloor.dispatcher")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often things are done, in seconds of the wall clock.

    ``look_s``: the kill switch is read; ``poll_s``: fills and orders are asked for, ``heard_poll_s`` where a stream
    tells them; ``compare_s``: the books are compared, ``doubt_s`` while the fate of an order is not known; ``retry_s``:
    a cancellation that failed, and a venue that does not answer, are tried again. ``stale_s`` after it was due, by the
    clock of the record, an order that could open a position does not leave any more.
    """

    look_s: float = 0.25
    poll_s: float = 2.0
    heard_poll_s: float = 10.0
    compare_s: float = 60.0
    doubt_s: float = 5.0
    retry_s: float = 1.0
    stale_s: float = 120.0


SETTLING_S = 30.0
GRACE_MS = 5_000
"""So long after an order's time it is cancelled where the venue has not ended it."""


class Dispatcher:
    """Carries orders to an account, as :class:`trading.engine.dispatch.Dispatch`, once :meth:`attach` named it.

    ``is_halted`` says whether no order that could open a position may leave; ``on_look`` is called at every look;
    ``on_trouble`` is told, once a trouble, what a person should know. What must end the run, such as a record that
    cannot be written, is raised by :meth:`check`, after ``on_failure`` was called.
    """

    def __init__(
        self,
        orders: DepartedOrders,
        *,
        clock: Clock,
        is_halted: Callable[[], bool],
        on_look: Callable[[], None] = lambda: None,
        on_trouble: Callable[[str], None] = lambda _: None,
        on_failure: Callable[[str], None] = lambda _: None,
        rhythm: Rhythm | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._orders = orders
        self._clock = clock
        self._is_halted = is_halted
        self._on_look = on_look
        self._on_trouble = on_trouble
        self._on_failure = on_failure
        self._rhythm = rhythm or Rhythm()
        self._sleep = sleep
        self._account: RecordedAccount | None = None
        self._is_heard = False
        self._busy = asyncio.Lock()
        self._waiting: dict[str, Order] = {}
        self._wanted_back: dict[str, tuple[Order, str]] = {}
        self._placing = ""
        self._has_orders = asyncio.Event()
        self._has_cancels = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._taking_back: dict[str, asyncio.Task[None]] = {}
        self._failure: BaseException | None = None
        self._silences = 0

    # -- what the engine calls -------------------------------------------------------------------------------------

    def place(self, order: Order) -> None:
        """See :class:`trading.engine.dispatch.Dispatch`."""
        self._waiting[order.order_id] = order
        self._has_orders.set()

    def cancel(self, order: Order, reason: str) -> None:
        """See :class:`trading.engine.dispatch.Dispatch`."""
        self._wanted_back.setdefault(order.order_id, (order, reason))
        self._has_cancels.set()

    # -- what plays the season calls -------------------------------------------------------------------------------

    def attach(self, account: RecordedAccount, changes: AsyncIterator[VenueOrder] | None = None) -> None:
        """Work with ``account`` from now on; ``changes`` is its stream of orders, where it has one."""
        self._account = account
        self._is_heard = changes is not None
        self._orders.holds = True
        self._spawn(self._look_out())
        self._spawn(self._take_back())
        self._spawn(self._send_all())
        self._spawn(self._follow())
        if changes is not None:
            self._spawn(self._listen(changes))

    async def detach(self) -> None:
        """Stop working, at once. What is under way is found again by the next :meth:`start`."""
        tasks = [*self._tasks, *self._taking_back.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def start(self, stopping: asyncio.Event) -> None:
        """Recover and compare, before anything leaves; tried until the venue answers or ``stopping`` is set.

        Raises VenueError for an account that cannot be taken over.
        """
        account, wait_s = self._attached(), self._rhythm.retry_s
        while not account.is_started and not stopping.is_set():
            self.check()
            try:
                async with self._busy:
                    outcome = await account.start()
            except UnknownOrderState as error:
                self._note_silence(error)
                await self._sleep(wait_s)
                wait_s = min(2 * wait_s, 30.0)
                continue
            if not account.is_started:
                found = "; ".join(each.text() for each in outcome.breaks[:3])
                raise VenueError(f"the account cannot be taken over: {found}; close what is there, and start again")
        self._silences = 0
        self._has_orders.set()

    async def settle(self, reason: str, *, timeout_s: float = SETTLING_S) -> None:
        """Before the end: take back every order that could open a position, and find out what is not known.

        Protective orders stay where they are. Comes back after ``timeout_s`` at the latest; the record says the rest.
        """
        account = self._attached()
        self.check()
        if not account.is_started:
            return
        for order in (*self._orders.all(), *self._waiting.values()):
            if not order.is_protective and order.origin != FLATTEN:
                self.cancel(order, reason)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self._failure is None:
            if not self._waiting and not self._placing and not self._wanted_back and not account.sender.unknown():
                break
            await self._sleep(min(self._rhythm.look_s, 0.1))
        await self._compare()
        self.check()

    def check(self) -> None:
        """Raise what ended the work, where anything did."""
        if self._failure is not None:
            raise self._failure

    # -- the work --------------------------------------------------------------------------------------------------

    async def _look_out(self) -> None:
        while True:
            self._on_look()
            await self._sleep(self._rhythm.look_s)

    async def _send_all(self) -> None:
        account = self._attached()
        while True:
            await self._has_orders.wait()
            self._has_orders.clear()
            while self._waiting and account.is_started:
                async with self._busy:
                    await self._send_next(account)

    async def _send_next(self, account: RecordedAccount) -> None:
        order_id = next(iter(self._waiting))
        order = self._waiting.pop(order_id)
        self._placing = order_id
        self._orders.depart(order_id)
        try:
            _, back = self._wanted_back.pop(order_id, (order, ""))
            refusal = self._refusal(order)
            if back:
                account.sender.withdraw(order, back)
            elif refusal is not None:
                account.sender.drop(order, refusal)
            else:
                await account.place(order)
        finally:
            self._placing = ""
        life = self._orders.life(order_id)
        if life is not None and life.status.is_final and not life.filled and _closes(order):
            self._on_trouble(f"{order.instrument}: the order that was to close or guard a position does not stand")

    def _refusal(self, order: Order) -> OrderRejected | None:
        if _closes(order) or order.reduce_only:
            return None
        if self._is_halted():
            return OrderRejected("trading was halted before the order left", code=RejectCode.OTHER.value)
        waited_ms = self._clock.now_ms() - order.arrives_ms
        if waited_ms > 1000 * self._rhythm.stale_s:
            return OrderRejected(f"the order could not leave for {waited_ms // 1000} s", code=RejectCode.OTHER.value)
        return None

    async def _take_back(self) -> None:
        account = self._attached()
        while True:
            await self._has_cancels.wait()
            self._has_cancels.clear()
            for order_id, (order, _) in list(self._wanted_back.items()):
                if order_id in self._waiting or order_id == self._placing or order_id in self._taking_back:
                    continue
                if self._orders.get(order_id) is None:
                    del self._wanted_back[order_id]
                    continue
                task = asyncio.create_task(self._take_one_back(account, order))
                self._taking_back[order_id] = task
                task.add_done_callback(self._ended)
            if self._wanted_back:
                await self._sleep(min(self._rhythm.look_s, 0.1))
                self._has_cancels.set()

    async def _take_one_back(self, account: RecordedAccount, order: Order) -> None:
        try:
            status = await account.sender.cancel(order)
            if not status.is_final:
                await self._sleep(self._rhythm.retry_s)
        finally:
            self._taking_back.pop(order.order_id, None)

    async def _follow(self) -> None:
        account, rhythm = self._attached(), self._rhythm
        polled = compared = time.monotonic()
        while True:
            await self._sleep(min(rhythm.look_s, rhythm.poll_s))
            if not account.is_started:
                continue
            now = time.monotonic()
            if now - compared >= (rhythm.doubt_s if account.sender.unknown() else rhythm.compare_s):
                await self._compare()
                polled = compared = time.monotonic()
            elif now - polled >= (rhythm.heard_poll_s if self._is_heard else rhythm.poll_s):
                async with self._busy:
                    await account.sender.poll()
                    await account.sender.expire(self._clock.now_ms() - GRACE_MS)
                polled = time.monotonic()

    async def _compare(self) -> None:
        try:
            async with self._busy:
                await self._attached().reconcile()
        except UnknownOrderState as error:
            self._note_silence(error)
        else:
            self._silences = 0

    async def _listen(self, changes: AsyncIterator[VenueOrder]) -> None:
        account = self._attached()
        async for told in changes:
            if account.is_started:
                async with self._busy:
                    await account.sender.hear(told)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _attached(self) -> RecordedAccount:
        if self._account is None:
            raise ValueError("no account is attached")
        return self._account

    def _note_silence(self, error: UnknownOrderState) -> None:
        self._silences += 1
        log.warning("the venue does not answer: %s", error)
        if self._silences == 3:
            self._on_trouble(f"the venue does not answer, so nothing is compared: {error}")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failure is None:
            self._failure = error
            log.critical("orders are not followed any more: %s: %s", type(error).__name__, error)
            self._on_failure(f"orders are not followed any more: {type(error).__name__}: {error}")


def _closes(order: Order) -> bool:
    return order.is_protective or order.origin == FLATTEN

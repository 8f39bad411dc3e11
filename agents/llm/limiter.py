"""The limiter: how many calls of a provider are under way at once and how fast they start, for the whole process."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic

from trading.domain.errors import ModelUnavailable

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

_MINUTE_S = 60.0


class Lane:
    """One provider's places and its token bucket, which is full at the start and holds as many tokens as places.

    Callers may be on several event loops: places are handed over under a lock and waiters woken on their own loop.
    """

    def __init__(self, *, concurrency: int, requests_per_minute: float) -> None:
        self._free = concurrency
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()
        self._lock = threading.Lock()
        self._interval_s = _MINUTE_S / requests_per_minute
        self._burst_s = concurrency * self._interval_s
        self._due_s: float | None = None

    async def enter(self) -> None:
        """Take a place, waiting for one in the order of arrival."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.append((loop, future))
        try:
            await future
        except asyncio.CancelledError:
            with self._lock:
                handed_over = (loop, future) not in self._waiting
                if not handed_over:
                    self._waiting.remove((loop, future))
            if handed_over:
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place to whoever waits longest, or back."""
        with self._lock:
            while self._waiting:
                loop, future = self._waiting.popleft()
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_wake, future)
                    return
            self._free += 1

    def start_in_s(self, now_s: float, within_s: float) -> float | None:
        """Seconds until the rate lets the caller start; None, and no turn, where that is more than ``within_s``."""
        with self._lock:
            earliest_s = now_s - self._burst_s + self._interval_s
            due_s = earliest_s if self._due_s is None else max(self._due_s, earliest_s)
            wait_s = max(0.0, due_s - now_s)
            if wait_s > within_s:
                return None
            self._due_s = due_s + self._interval_s
            return wait_s


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


class Limiter:
    """The lanes of a process, made as they are first used."""

    def __init__(self, *, clock: Clock = monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._lanes: dict[str, Lane] = {}
        self._clock = clock
        self._sleep = sleep

    @asynccontextmanager
    async def place(
        self, name: str, *, concurrency: int, requests_per_minute: float, within_s: float
    ) -> AsyncIterator[None]:
        """A place in the lane ``name`` and the right to start a request now.

        Raises ModelUnavailable when that would take longer than ``within_s`` seconds; nothing was sent then.
        """
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes.setdefault(name, Lane(concurrency=concurrency, requests_per_minute=requests_per_minute))
        before_s = self._clock()
        try:
            async with asyncio.timeout(within_s):
                await lane.enter()
        except TimeoutError:
            raise _too_busy(name, f"{concurrency} calls at once") from None
        try:
            now_s = self._clock()
            wait_s = lane.start_in_s(now_s, within_s - (now_s - before_s))
            if wait_s is None:
                raise _too_busy(name, f"{requests_per_minute:g} calls a minute")
            if wait_s > 0:
                await self._sleep(wait_s)
            yield
        finally:
            lane.leave()


def _too_busy(name: str, limit: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{name}: no room for another call within the deadline, at our limit of {limit}", reason="busy"
    )

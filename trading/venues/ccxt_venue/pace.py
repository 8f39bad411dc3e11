"""When a request of an account goes out: few at a time, and none while the exchange asked for a pause."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

from trading.domain.clock import Clock
from trading.domain.errors import OrderRejected
from trading.domain.reject import RejectCode
from trading.marketdata.exchange.calls import Caller
from trading.venues.ccxt_venue.refusals import failures, is_limit

COMES_BACK = 3
"""How often a request that met a limit goes out in all; it was not acted on, so it can go out again."""


class Pace:
    """Keeps to the limits of one account. What only asks waits a pause out; an order is refused while one lasts,
    because it would arrive at another market than the one it was decided on. ``most`` requests are on their way at
    once: no more can meet a limit before the first answer tells of it.
    """

    def __init__(self, caller: Caller, clock: Clock, *, most: int) -> None:
        self.in_flight = asyncio.Semaphore(most)
        self._caller = caller
        self._clock = clock
        self._paused_until_ms = 0

    @property
    def left_ms(self) -> int:
        """How long the exchange still wants nothing."""
        return max(0, self._paused_until_ms - self._clock.now_ms())

    def check(self) -> None:
        """Raise OrderRejected while the exchange wants nothing."""
        if self.left_ms:
            raise OrderRejected("the venue asked for a pause", code=RejectCode.RATE_LIMITED.value)

    def pause(self) -> None:
        """Hold everything back for as long as the exchange's last answer asked for."""
        self._caller.limited += 1
        until_ms = self._clock.now_ms() + math.ceil(1000 * self._caller.asked_to_wait_s())
        self._paused_until_ms = max(self._paused_until_ms, until_ms)

    async def unhurried(self, request: Callable[[], Awaitable[Any]]) -> Any:
        """The answer to a request that waits its turn, and keeps it while the exchange asks to come back later.

        Raises what the request raises, a limit only when it was met again and again or came without a time to wait.
        """
        async with self.in_flight:
            for _ in range(COMES_BACK - 1):
                try:
                    return await self._after_pause(request)
                except failures() as error:
                    if not is_limit(error) or not self.left_ms:
                        raise
            return await self._after_pause(request)

    async def _after_pause(self, request: Callable[[], Awaitable[Any]]) -> Any:
        if self.left_ms:
            await self._caller.sleep(self.left_ms / 1000)
        try:
            return await request()
        except failures() as error:
            if is_limit(error):
                self.pause()
            raise

    async def ask(
        self, what: str, request: Callable[[], Awaitable[Any]], *, accept: Callable[[Any], bool] = lambda _: True
    ) -> Any:
        """The answer to a question, asked again while it may come: see :meth:`Caller.ask`."""
        return await self._caller.ask(what, lambda: self.unhurried(request), accept=accept)

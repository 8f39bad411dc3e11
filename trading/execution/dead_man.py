"""Keeping a venue's dead-man switch armed for as long as trading shows that it is alive, and not a beat longer."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from trading.domain.errors import RequestError, VenueError
from trading.execution.resolver import Sleep

_LOG = logging.getLogger("tradefloor.dead_man")


class DeadMansSwitch(Protocol):
    """A switch at the venue that cancels every order unless it is armed again in time."""

    async def arm(self, timeout_ms: int) -> None:
        """Arm for so long; 0 disarms."""
        ...


class DeadMansGrip:
    """Arms ``switch`` for ``timeout_ms`` again and again while :meth:`beat` is called at least every ``silence_ms``.

    ``monotonic_ms`` is a clock that nobody sets. A beat that is missed is not made up for: the venue's countdown runs
    on. When the beats come back it is armed anew.
    """

    def __init__(
        self,
        switch: DeadMansSwitch,
        *,
        timeout_ms: int,
        silence_ms: int,
        monotonic_ms: Callable[[], float],
    ) -> None:
        if not 0 < silence_ms < timeout_ms:
            raise RequestError(f"beats every {silence_ms} ms at least, expected less than the timeout {timeout_ms} ms")
        self.is_armed = False
        self._switch = switch
        self._timeout_ms = timeout_ms
        self._silence_ms = silence_ms
        self._monotonic_ms = monotonic_ms
        self._beat_ms = -float("inf")

    def beat(self) -> None:
        """Trading is alive."""
        self._beat_ms = self._monotonic_ms()

    async def tick(self) -> bool:
        """Arm the switch where the last beat is fresh; whether it was armed."""
        if self._monotonic_ms() - self._beat_ms > self._silence_ms:
            self.is_armed = False
            return False
        try:
            await self._switch.arm(self._timeout_ms)
        except VenueError as error:
            self.is_armed = False
            _LOG.warning("the dead-man switch was not armed: %s", error)
            return False
        self.is_armed = True
        return True

    async def hold(self, *, sleep: Sleep = asyncio.sleep) -> None:
        """Tick three times a timeout, until cancelled; then the switch is left to run out."""
        while True:
            await self.tick()
            await sleep(self._timeout_ms / 3000)

    async def let_go(self) -> None:
        """Disarm, after an orderly stop. Raises VenueError where the venue did not take it."""
        await self._switch.arm(0)
        self.is_armed = False

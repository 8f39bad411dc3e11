"""Telling the time and waiting for it: one part, so that a test may let days pass in seconds."""

import asyncio
from typing import Protocol

from trading.domain.clock import Clock, SystemClock


class Timer(Clock, Protocol):
    """A clock that can also be waited for."""

    async def sleep_ms(self, wait_ms: int) -> None:
        """Come back when so many milliseconds of this clock have passed."""
        ...


class WallTimer(SystemClock):
    """The time of the system, and real waits."""

    async def sleep_ms(self, wait_ms: int) -> None:
        """Wait."""
        await asyncio.sleep(max(wait_ms, 0) / 1000)

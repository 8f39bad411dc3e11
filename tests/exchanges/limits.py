"""Time that passes when somebody waits for it, and an exchange's limit on requests in that time."""

import asyncio
from dataclasses import dataclass, field

from tests.exchanges.accounts import Refusal

GRACE = 3
"""Requests over the limit that an exchange answers with 429 before it bans."""


@dataclass
class VirtualTime:
    """A clock whose sleeps cost nothing: waiting until an instant makes it that instant."""

    ms: int

    def now_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        until = self.ms + round(1000 * seconds)
        await asyncio.sleep(0)
        self.ms = max(self.ms, until)


@dataclass
class RateWindow:
    """``weight`` of requests in each window of ``window_ms``. Whoever goes on beyond the grace is banned."""

    time: VirtualTime
    weight: int
    window_ms: int = 60_000
    ban_ms: int = 180_000
    limited: int = 0
    bans: int = 0
    spent: dict[int, int] = field(default_factory=dict)
    _over: int = 0
    _at: int = -1
    _banned_until_ms: int = 0

    def weigh(self, weight: int) -> None:
        """Raise the answer to a request that is one too many."""
        now = self.time.now_ms()
        window = now // self.window_ms
        if window != self._at:
            self._at, self._over = window, 0
        if now < self._banned_until_ms:
            self._ban(now)
        if self.spent.get(window, 0) + weight > self.weight:
            self._over += 1
            if self._over > GRACE:
                self._ban(now)
            self.limited += 1
            raise _too_many(429, (window + 1) * self.window_ms - now)
        self.spent[window] = self.spent.get(window, 0) + weight

    def _ban(self, now_ms: int) -> None:
        self.bans += 1
        self._banned_until_ms = now_ms + self.ban_ms
        raise _too_many(418, self.ban_ms)


def _too_many(status: int, wait_ms: int) -> Refusal:
    text = "Too many requests." if status == 429 else "Way too many requests; IP banned."
    return Refusal(status, {"code": -1003, "msg": text}, {"Retry-After": str(-(-wait_ms // 1000))})

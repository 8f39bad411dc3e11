"""The offset of the exchange's clock, measured, put into the signed requests, and too great to trade above a limit."""

import time
from collections.abc import Callable
from typing import Any

from trading.domain.clock import Clock
from trading.domain.errors import OrderRejected
from trading.domain.reject import RejectCode
from trading.marketdata.exchange.skew import ClockSkew, measure_skew

MAX_SKEW_MS = 1_000
MAX_STEP_MS = 1_000


class ClockGuard:
    """Bars signed orders while our clock and the exchange's differ by more than ``max_skew_ms``, or none was measured.

    A clock that is set while we run shows against the monotonic one: after a step the skew counts as unknown.
    """

    def __init__(
        self,
        exchange: Any,
        clock: Clock,
        *,
        max_skew_ms: int = MAX_SKEW_MS,
        grain_ms: int = 1,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.skew: ClockSkew | None = None
        self._exchange = exchange
        self._clock = clock
        self._max_skew_ms = max_skew_ms
        self._grain_ms = grain_ms
        self._monotonic = monotonic
        self._base = 0.0

    async def measure(self) -> ClockSkew:
        """Measure anew. The offset within the limit is told to ccxt, which stamps requests with it."""
        skew = await measure_skew(self._exchange.fetch_time, self._clock, grain_ms=self._grain_ms)
        self.skew = skew
        self._base = self._offset()
        self._exchange.options["timeDifference"] = -round(skew.skew_ms)
        return skew

    def check(self) -> None:
        """Raise OrderRejected while the time is not to be trusted."""
        if self.skew is None:
            raise OrderRejected("the venue's clock was not measured yet", code=RejectCode.CLOCK_OFF.value)
        if abs(self.skew.skew_ms) > self._max_skew_ms:
            raise OrderRejected(
                f"the venue's clock is {self.skew.skew_ms:.0f} ms from ours, at most {self._max_skew_ms} ms is "
                "allowed; set the clock",
                code=RejectCode.CLOCK_OFF.value,
            )
        if abs(self._offset() - self._base) > MAX_STEP_MS:
            self.skew = None
            raise OrderRejected("our clock was set while running: measuring anew", code=RejectCode.CLOCK_OFF.value)

    def _offset(self) -> float:
        return self._clock.now_ms() - 1000 * self._monotonic()

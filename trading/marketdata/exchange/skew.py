"""How far an exchange's clock is from ours."""

import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from trading.domain.clock import Clock

SAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew:
    """``skew_ms`` is the exchange's clock minus ours, the median of the samples; ``round_trip_ms`` their median too.

    The exchange is taken to read its clock half way through the round trip (D. L. Mills, RFC 5905), so a skew is known
    to about half of ``round_trip_ms``.
    """

    skew_ms: float
    round_trip_ms: float
    measured_ms: int


async def measure_skew(
    server_ms: Callable[[], Awaitable[int]], clock: Clock, *, samples: int = SAMPLES, grain_ms: int = 1
) -> ClockSkew:
    """The skew from ``samples`` readings of the exchange's clock, one after the other.

    A clock told in whole steps of ``grain_ms`` is taken to stand half a step later than told.
    """
    skews, trips = [], []
    for _ in range(samples):
        sent = clock.now_ms()
        told = await server_ms()
        back = clock.now_ms()
        skews.append(told + (grain_ms // 2) - (sent + back) / 2)
        trips.append(back - sent)
    return ClockSkew(
        skew_ms=statistics.median(skews), round_trip_ms=statistics.median(trips), measured_ms=clock.now_ms()
    )

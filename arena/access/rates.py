"""How much one caller may ask: a token bucket each. Reads cost 1, writes cost more."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass

from trading.domain.clock import Clock, SystemClock

WRITE_COST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A bucket that holds ``burst`` and gains ``per_s`` each second."""

    burst: float
    per_s: float


KNOWN = Rate(burst=20_000, per_s=500)
"""Of somebody who is known: 10,000 reads pass at once, and 30,000 a minute for ever."""

STRANGER = Rate(burst=600, per_s=10)
"""Of an address of which nobody is known."""

_MOST = 10_000


class Rates:
    """The buckets of all callers. Any thread may call."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_s(self, key: str, cost: float, rate: Rate) -> int:
        """Takes ``cost`` from the bucket of ``key``: 0 where it was there, else the whole seconds until it will be."""
        now_ms = self._clock.now_ms()
        with self._lock:
            left, then_ms = self._buckets.pop(key, (rate.burst, now_ms))
            left = min(rate.burst, left + max(0, now_ms - then_ms) / 1_000 * rate.per_s)
            wait_s = 0 if left >= cost else math.ceil((cost - left) / rate.per_s)
            self._buckets[key] = (left if wait_s else left - cost, now_ms)
            if len(self._buckets) > _MOST:
                self._buckets.popitem(last=False)
        return wait_s

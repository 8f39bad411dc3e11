"""Back-off after wrong passwords: each further try at a name, or from an address, has to wait twice as long."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import TradefloorError

FREE_TRIES = 5
"""Wrong passwords before anybody has to wait."""

LONGEST_MS = {"name": 60_000, "address": 900_000}
"""The longest wait. A name's is short: strangers who guess must not be able to keep its owner out."""

FORGOTTEN_MS = 3_600_000
"""Tries are forgotten after an hour without one."""

_MOST = 10_000


class TooManyTries(TradefloorError):
    """A login has to wait. ``wait_s`` says how long, in whole seconds."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many tries: wait {wait_s} s, then try again")
        self.wait_s = wait_s


@dataclass(slots=True)
class _Tries:
    count: int = 0
    last_ms: int = 0
    open_ms: int = 0


class Lockout:
    """Counts tries by name and by address, known or not. Any thread may call; a restart forgets."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()

    def begin(self, name: str, address: str) -> None:
        """Count a try before it is made, so that many at once gain nothing. Raises TooManyTries."""
        now_ms = self._clock.now_ms()
        with self._lock:
            both = [self._of(kind, key, now_ms) for kind, key in (("name", name), ("address", address))]
            wait_ms = max(one.open_ms for one in both) - now_ms
            if wait_ms > 0:
                raise TooManyTries(-(-wait_ms // 1_000))
            for one, longest_ms in zip(both, LONGEST_MS.values(), strict=True):
                one.count += 1
                one.last_ms = now_ms
                if one.count >= FREE_TRIES:
                    one.open_ms = now_ms + min(longest_ms, 1_000 << min(one.count - FREE_TRIES, 20))

    def succeeded(self, name: str, address: str) -> None:
        """Forget the tries at ``name``, and take this one back from ``address``.

        The others of the address stay: whoever has a login of their own does not clear guesses at somebody else's.
        """
        with self._lock:
            self._tries.pop(("name", name), None)
            tries = self._tries.get(("address", address))
            if tries is not None:
                tries.count -= 1
                tries.open_ms = 0

    def _of(self, kind: str, key: str, now_ms: int) -> _Tries:
        tries = self._tries.pop((kind, key), None)
        if tries is None or now_ms - tries.last_ms >= FORGOTTEN_MS:
            tries = _Tries()
        self._tries[kind, key] = tries
        if len(self._tries) > _MOST:
            self._tries.popitem(last=False)
        return tries

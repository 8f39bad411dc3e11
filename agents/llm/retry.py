"""When to ask again, and how long to wait before it: exponential back-off with full jitter."""

import random
from dataclasses import dataclass

from trading.domain.errors import ModelFailure

_PASSING = frozenset({"rate_limited", "timeout", "unavailable", "garbled"})
"""Reasons that may be gone the next time. Everything else the same request would meet again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a model is asked at most, and the bounds of the waits in between.

    The wait before attempt n + 1 is drawn evenly from 0 to ``base_s * 2**(n - 1)``, at most ``cap_s``. A wait that the
    provider asked for comes first and the drawn one on top of it, so that clients do not return together.
    """

    attempts: int = 3
    base_s: float = 0.5
    cap_s: float = 8.0

    def wait_s(self, failure: ModelFailure, *, made: int, left_s: float, draw: random.Random) -> float | None:
        """Seconds to wait after ``made`` attempts; None when ``failure`` is to stand.

        It stands when it would come again, when the attempts are used up, or when the wait does not fit in ``left_s``.
        """
        if failure.reason not in _PASSING or made >= self.attempts:
            return None
        wait_s = draw.uniform(0.0, min(self.cap_s, self.base_s * 2 ** (made - 1)))
        wait_s += failure.retry_after_s or 0.0
        return wait_s if wait_s < left_s else None

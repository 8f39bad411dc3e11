"""What a maker wrote down: each call it served, what it billed, and what went wrong."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from tests.wire.bill import Usage
from tests.wire.faults import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCall:
    """One call as the maker saw it.

    ``digest`` is that of the conversation. ``key_ok`` says whether the key came with it; the key is not kept.
    ``usage`` and ``usd`` are None where the model never spoke; ``usd`` also where the model has no price.
    ``delivered``: an answer with its usage went out whole, so that the client can know what it was billed.
    Times are seconds on the monotonic clock, from the request's arrival to the start of its answer.
    """

    model: str
    digest: str
    key_ok: bool
    streamed: bool
    fault: Fault | None
    kind: str
    usage: Usage | None
    usd: float | None
    delivered: bool
    arrived_s: float
    answered_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over the calls whose usage reached the client."""

    calls: int
    tokens_in: int
    tokens_out: int
    cached: int
    usd: float


class Ledger:
    """The calls of one maker, in the order in which they were answered."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._calls: list[ServedCall] = []
        self._lookups: list[str] = []
        self._refused: list[str] = []

    @property
    def calls(self) -> Sequence[ServedCall]:
        """The calls so far."""
        with self._lock:
            return tuple(self._calls)

    @property
    def lookups(self) -> Sequence[str]:
        """Paths of the requests that called no model (lists of models, descriptions)."""
        with self._lock:
            return tuple(self._lookups)

    @property
    def refused(self) -> Sequence[str]:
        """Requests that were not in the wire format, each with what was wrong."""
        with self._lock:
            return tuple(self._refused)

    def wait_for_calls(self, count: int, *, timeout_s: float = 2.0) -> Sequence[ServedCall]:
        """The calls, once there are ``count``: a caller that gave up is noticed a moment later. Raises TimeoutError.

        It blocks: where the caller's own event loop has yet to hang up, wait in another thread.
        """
        with self._lock:
            if not self._lock.wait_for(lambda: len(self._calls) >= count, timeout_s):
                raise TimeoutError(f"{len(self._calls)} calls after {timeout_s} s, expected {count}")
            return tuple(self._calls)

    def enter(self, call: ServedCall) -> None:
        """Add a call. It is entered before its answer goes out, so that whoever has the answer finds it here."""
        with self._lock:
            self._calls.append(call)
            self._lock.notify_all()

    def mark_lost(self, call: ServedCall) -> None:
        """Note that the answer to ``call`` did not get through after all."""
        with self._lock:
            self._calls[self._calls.index(call)] = replace(call, delivered=False)

    def enter_lookup(self, path: str) -> None:
        """Add a request that called no model."""
        with self._lock:
            self._lookups.append(path)

    def enter_refused(self, what: str) -> None:
        """Add a request that was not in the wire format."""
        with self._lock:
            self._refused.append(what)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._calls.clear()
            self._lookups.clear()
            self._refused.clear()

    def totals(self) -> Totals:
        """Sums of what was billed and delivered."""
        billed = [(call.usage, call.usd) for call in self.calls if call.delivered and call.usage is not None]
        return Totals(
            calls=len(billed),
            tokens_in=sum(usage.prompt for usage, _ in billed),
            tokens_out=sum(usage.completion for usage, _ in billed),
            cached=sum(usage.cached for usage, _ in billed),
            usd=sum(usd or 0.0 for _, usd in billed),
        )

    def peak_in_flight(self) -> int:
        """The most calls that were under way at once."""
        calls = self.calls
        edges = [(call.arrived_s, 1) for call in calls] + [(call.answered_s, -1) for call in calls]
        return max(accumulate(step for _, step in sorted(edges)), default=0)

"""Values that take long to compute: made in a thread beside the app, kept with their age, and made anew when old."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from arena.jobs import Jobs, Ticket
from trading.domain.clock import Clock, SystemClock
from trading.domain.errors import RequestError

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Generic[Value]):
    """What is known of a value: the last one with the instant it was made at (wall clock), None before the first.

    ``trouble`` says why the newest attempt failed; ``is_made`` whether one is under way.
    """

    value: Value | None = None
    made_ms: int | None = None
    trouble: str = ""
    is_made: bool = False


class Beside(Generic[Value]):
    """One kind of value by key. Asking never waits: it gives what is known and has the rest made.

    Each made value stays until ``fresh_ms`` have passed or its ``edition`` is another one; at most ``most`` are kept.
    """

    def __init__(
        self,
        name: str,
        jobs: Jobs,
        *,
        fresh_ms: float = float("inf"),
        clock: Clock | None = None,
        most: int = 32,
    ) -> None:
        self._name = name
        self._jobs = jobs
        self._fresh_ms = fresh_ms
        self._clock = clock or SystemClock()
        self._most = most
        self._lock = threading.Lock()
        self._version = 0
        self._values: dict[str, tuple[Hashable, int, Value]] = {}
        self._tried: dict[str, tuple[Hashable, int]] = {}

    @property
    def version(self) -> int:
        """Another number whenever an attempt came to its end."""
        return self._version

    def ask(self, key: str, make: Callable[[Ticket], Value], *, edition: Hashable = None) -> Known[Value]:
        """What is known of ``key``; ``make`` is called in a thread where that is not enough."""
        now_ms = self._clock.now_ms()
        with self._lock:
            found, tried = self._values.get(key), self._tried.get(key)
        is_new = found is not None and found[0] == edition and now_ms - found[1] < self._fresh_ms
        was_tried = tried is not None and tried[0] == edition and now_ms - tried[1] < self._fresh_ms
        if not is_new and not was_tried:
            self._begin(key, make, edition, now_ms)
        job = self._jobs.get(f"{self._name}:{key}")
        failed = job is not None and not job.is_running and job.status != "done"
        return Known(
            value=None if found is None else found[2],
            made_ms=None if found is None else found[1],
            trouble=job.said if job is not None and failed else "",
            is_made=job is not None and job.is_running,
        )

    def _begin(self, key: str, make: Callable[[Ticket], Value], edition: Hashable, now_ms: int) -> None:
        def work(ticket: Ticket) -> str:
            try:
                value = make(ticket)
            finally:
                self._version += 1
            with self._lock:
                self._version += 1
                self._values.pop(key, None)
                self._values[key] = (edition, self._clock.now_ms(), value)
                while len(self._values) > self._most:
                    oldest = next(iter(self._values))
                    del self._values[oldest]
                    self._tried.pop(oldest, None)
            return ""

        try:
            self._jobs.start(f"{self._name}:{key}", self._name, work)
        except RequestError:  # it is being made, or there is no room now: whoever asks next tries again
            return
        with self._lock:
            self._tried[key] = (edition, now_ms)

"""Where time comes from. Whatever needs the time is handed a clock; nothing reads the system's by itself."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time in milliseconds since 1970 (UTC)."""

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        ...


class SystemClock:
    """The wall clock, for live running and telemetry."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, read from the operating system."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands where it was put: the engine moves it in replay, tests move it by hand."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """The instant that was last set."""
        return self._now_ms

    def set_ms(self, now_ms: int) -> None:
        """Move forward; time does not run back."""
        if now_ms < self._now_ms:
            raise ValueError(f"clock at {self._now_ms} cannot go back to {now_ms}")
        self._now_ms = now_ms

"""What a loopback exchange does wrong, and when."""

from collections import Counter
from enum import StrEnum


class Fault(StrEnum):
    DROP = "dropped connection"
    GAP = "gap in sequence"
    DUPLICATE = "duplicate message"
    REORDER = "reordered messages"
    STALE_SNAPSHOT = "stale snapshot"
    RATE_LIMIT = "429"
    BAN = "418"
    HTML = "HTML instead of JSON"
    CLOCK = "clock off by 90 s"
    HALF_OPEN = "half-open socket"
    SILENT_SYMBOL = "one symbol goes silent"
    BAD_ROW = "rows that are no rows"


CLOCK_OFF_MS = 90_000
RETRY_AFTER_S = 1


class Weather:
    """The faults now in force on one server. ``armed`` faults strike once each; ``served`` counts those that struck."""

    def __init__(self) -> None:
        self.armed: Counter[Fault] = Counter()
        self.served: Counter[Fault] = Counter()
        self.clock_off_ms = 0
        self.deaf = False
        self.delay_s = 0.0
        self.silent: set[str] = set()

    def arm(self, fault: Fault, times: int = 1) -> None:
        """Strike the next ``times`` times that the fault can."""
        self.armed[fault] += times

    def strikes(self, fault: Fault) -> bool:
        """Whether the fault strikes now."""
        if not self.armed[fault]:
            return False
        self.armed[fault] -= 1
        self.served[fault] += 1
        return True

    def clear(self) -> None:
        """No fault from now on."""
        self.armed.clear()
        self.clock_off_ms = 0
        self.deaf = False
        self.silent.clear()

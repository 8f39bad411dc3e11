"""What each desk traded lately: exchanges grade their fees by it."""

from collections import deque
from decimal import Decimal

from trading.domain.event import Event, EventKind
from trading.domain.money import ZERO

DAY_MS = 86_400_000
WINDOW_DAYS = 30


class RecentTurnover:
    """Traded notional (quote currency) of the last thirty days up to today, by desk. A fold over the journal."""

    def __init__(self) -> None:
        self._days: dict[str, deque[tuple[int, Decimal]]] = {}

    def apply(self, event: Event) -> None:
        """Take an event in; only fills count."""
        if event.kind is not EventKind.FILLED:
            return
        notional = Decimal(event.payload["price"]) * Decimal(event.payload["quantity"])
        days = self._days.setdefault(event.payload["desk"], deque(maxlen=WINDOW_DAYS + 1))
        day = event.ts_ms // DAY_MS
        if days and days[-1][0] == day:
            days[-1] = day, days[-1][1] + notional
        else:
            days.append((day, notional))

    def of(self, desk: str, ts_ms: int) -> Decimal:
        """What ``desk`` traded in the thirty days before the instant."""
        since = ts_ms // DAY_MS - WINDOW_DAYS
        return sum((notional for day, notional in self._days.get(desk, ()) if day >= since), ZERO)

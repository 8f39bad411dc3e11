"""Messages to a venue and repeated orders, counted by desk: folds over the journal, so that no restart forgets them."""

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.event import Event, EventKind
from trading.domain.intent import Side
from trading.risk.limits import Limits

SECOND_MS, MINUTE_MS = 1_000, 60_000


@dataclass(slots=True, kw_only=True)
class TokenBucket:
    """A token bucket in exact integers: it fills by ``capacity`` in ``span_ms`` and holds no more than that.

    Levels are kept in token-milliseconds. Cancels take what is left and never less than nothing.
    """

    span_ms: int
    spent: int = 0
    at_ms: int = 0

    def level(self, capacity: int, now_ms: int) -> int:
        """Whole tokens there are at ``now_ms``. A clock that steps back fills nothing."""
        filled = max(0, now_ms - self.at_ms) * capacity
        return (capacity * self.span_ms - max(0, self.spent - filled)) // self.span_ms

    def take(self, capacity: int, now_ms: int) -> None:
        """Take one token, or what is left of one."""
        filled = max(0, now_ms - self.at_ms) * capacity
        left = max(0, self.spent - filled)
        self.spent = min(capacity * self.span_ms, left + self.span_ms)
        self.at_ms = max(self.at_ms, now_ms)


class Traffic:
    """The buckets of one desk, a second and a minute, as they stand at the instant of its gate."""

    def __init__(self, second: TokenBucket, minute: TokenBucket, now_ms: int) -> None:
        self._buckets = (
            (second, "second", "max_messages_per_second"),
            (minute, "minute", "max_messages_per_minute"),
        )
        self._now_ms = now_ms

    def short_of(self, limits: Limits, *, already: int) -> tuple[str, int] | None:
        """The span and limit that one more message would break after ``already`` allowed in this round."""
        for bucket, span, name in self._buckets:
            capacity = getattr(limits, name)
            if bucket.level(capacity, self._now_ms) - already < 1:
                return span, capacity
        return None


class MessageCount:
    """How many messages each desk has sent lately."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._buckets: dict[str, tuple[TokenBucket, TokenBucket]] = {}

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if (
            event.kind in (EventKind.ORDERED, EventKind.ORDER_CANCELLED)
            and event.payload.get("origin", "desk") == "desk"
        ):
            second, minute = self._of(event.payload["desk"])
            second.take(self.limits.max_messages_per_second, event.ts_ms)
            minute.take(self.limits.max_messages_per_minute, event.ts_ms)

    def traffic(self, desk: str, now_ms: int) -> Traffic:
        """The desk's buckets at ``now_ms``."""
        return Traffic(*self._of(desk), now_ms)

    def _of(self, desk: str) -> tuple[TokenBucket, TokenBucket]:
        if desk not in self._buckets:
            self._buckets[desk] = TokenBucket(span_ms=SECOND_MS), TokenBucket(span_ms=MINUTE_MS)
        return self._buckets[desk]


class RepeatCount:
    """How many orders in a row each desk has sent on one side of an instrument. Only a person's resume forgets them.

    An order that is worked is one, in however many parts it leaves.
    """

    def __init__(self) -> None:
        self._runs: dict[str, dict[tuple[str, Side], int]] = {}

    def apply(self, event: Event) -> None:
        """Take an event in."""
        payload = event.payload
        whole = event.kind is EventKind.ORDERED and "parent_id" not in payload
        if (whole or event.kind is EventKind.WORK_STARTED) and payload["origin"] == "desk":
            runs = self._runs.setdefault(payload["desk"], {})
            side = Side(payload["side"])
            other = Side.SELL if side is Side.BUY else Side.BUY
            runs.pop((payload["instrument"], other), None)
            runs[payload["instrument"], side] = runs.get((payload["instrument"], side), 0) + 1
        elif event.kind is EventKind.RESUMED:
            desk = payload.get("desk")
            for each in [desk] if desk else list(self._runs):
                self._runs.pop(each, None)

    def of(self, desk: str) -> dict[tuple[str, Side], int]:
        """The run of each instrument and side of a desk."""
        return self._runs.get(desk, {})

    def longest(self, desk: str) -> Decimal:
        """The longest run of a desk."""
        return Decimal(max(self._runs.get(desk, {}).values(), default=0))

    def desks(self) -> tuple[str, ...]:
        """Every desk that has sent something since it was last let go on."""
        return tuple(self._runs)

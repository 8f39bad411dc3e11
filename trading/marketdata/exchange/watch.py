"""The watch over a feed's streams: what is fresh, what went stale and since when."""

from collections.abc import Callable

from trading.domain.clock import Clock
from trading.marketdata.exchange.events import Freshness, StreamKind
from trading.marketdata.exchange.health import StalenessLimits, StreamRecord, StreamState
from trading.marketdata.exchange.skew import ClockSkew

StreamKey = tuple[str, StreamKind]

_DOWN = frozenset({StreamState.RECONNECTING, StreamState.RESYNCING})


class StreamWatch:
    """Keeps the record of every stream. A stream goes stale alone, and says so once each way through ``say``."""

    def __init__(self, clock: Clock, limits: StalenessLimits, step_ms: int, say: Callable[[Freshness], None]) -> None:
        self._clock = clock
        self._limits = limits
        self._step_ms = step_ms
        self._say = say
        self.skew: ClockSkew | None = None
        self.records: dict[StreamKey, StreamRecord] = {}

    def add(self, instrument: str, kind: StreamKind, *, supported: bool) -> StreamRecord:
        """Begin a record. What the exchange has no stream for is said to be unsupported, not stale."""
        state = StreamState.STARTING if supported else StreamState.UNSUPPORTED
        record = StreamRecord(instrument=instrument, kind=kind, state=state, started_ms=self._clock.now_ms())
        self.records[instrument, kind] = record
        return record

    def limit_ms(self, kind: StreamKind) -> int:
        """How long the stream may be silent or behind."""
        return self._limits.of(kind, self._step_ms)

    def here_ms(self, event_ms: int) -> int:
        """The instant by our clock of a venue's instant."""
        return event_ms if self.skew is None else round(event_ms - self.skew.skew_ms)

    def heard(self, key: StreamKey, event_ms: int | None) -> bool:
        """Something came. Whether it is of the present; what is behind or ahead of it by more than the limit is not."""
        record, now = self.records[key], self._clock.now_ms()
        record.events += 1
        record.event_ms = event_ms
        if event_ms is not None and self.skew is not None:
            age = now - self.here_ms(event_ms)
            if abs(age) > self.limit_ms(key[1]):
                self._stale(record, now, f"the venue's time is {age} ms from ours")
                return False
        record.received_ms = now
        self._fresh(record, now)
        return True

    def down(self, key: StreamKey, state: StreamState, reason: str) -> None:
        """The stream broke off or its book may not be trusted: stale from its last event on."""
        record = self.records[key]
        if record.state is not StreamState.UNSUPPORTED:
            self._stale(record, self._clock.now_ms(), reason, state)

    def look(self) -> list[StreamKey]:
        """Mark the streams that have been silent for too long; those that are."""
        now = self._clock.now_ms()
        silent = []
        for key, record in self.records.items():
            since = record.received_ms if record.received_ms is not None else record.started_ms
            if record.state is not StreamState.UNSUPPORTED and now - since > self.limit_ms(key[1]):
                silent.append(key)
                if record.state not in _DOWN:
                    self._stale(record, now, "silent")
        return silent

    def _stale(self, record: StreamRecord, now: int, reason: str, state: StreamState = StreamState.STALE) -> None:
        record.state = state
        record.reason = reason
        if record.stale_since_ms is None:
            record.stale_since_ms = record.received_ms if record.received_ms is not None else record.started_ms
            record.staled += 1
            self._tell(record, now)

    def _fresh(self, record: StreamRecord, now: int) -> None:
        record.state = StreamState.LIVE
        if record.stale_since_ms is not None:
            record.stale_since_ms = None
            record.reason = ""
            self._tell(record, now)

    def _tell(self, record: StreamRecord, now: int) -> None:
        self._say(
            Freshness(
                instrument=record.instrument,
                ts_ms=record.event_ms,
                received_ms=now,
                stream=record.kind,
                stale_since_ms=record.stale_since_ms,
                reason=record.reason,
            )
        )

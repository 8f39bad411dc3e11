"""When a stream of ticks was whole: from its first tick until it broke off."""

from collections import deque

from trading.marketdata.store.spans import Span

_KEPT_SPANS = 10_000


class Coverage:
    """The spans of venue time in which no tick of one stream was missed."""

    def __init__(self) -> None:
        self._done: deque[Span] = deque(maxlen=_KEPT_SPANS)
        self._begin_ms: int | None = None
        self._last_ms = 0

    def heard(self, ts_ms: int) -> None:
        """A tick of that instant came; the first after a break begins a span."""
        if self._begin_ms is None:
            self._begin_ms = self._last_ms = ts_ms
        self._last_ms = max(self._last_ms, ts_ms)

    def broke(self) -> None:
        """The stream may have missed something since its last tick."""
        if self._begin_ms is not None:
            self._done.append(Span(self._begin_ms, self._last_ms))
            self._begin_ms = None

    def spans(self, until_ms: int) -> tuple[Span, ...]:
        """The spans up to ``until_ms``; silence of a stream that stands is no gap."""
        found = [Span(each.begin_ms, min(each.end_ms, until_ms)) for each in self._done]
        if self._begin_ms is not None:
            found.append(Span(self._begin_ms, until_ms))
        return tuple(span for span in found if span.end_ms > span.begin_ms)

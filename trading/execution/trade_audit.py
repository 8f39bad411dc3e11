"""The trade audit: how long each step from market event to fill took, and what the way there cost.

A fold over the journal, so it is the same live and afterwards. It keeps percentiles and the latest time lines; what it
holds does not grow with the length of a run.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trading.domain.event import Event, EventKind
from trading.stats.sketch import QuantileSketch

STAGES = ("data_age_ms", "thinking_ms", "send_ms", "acknowledge_ms", "fill_ms")
"""Age of the price decided on, the desk's thinking (wall clock, where measured), decision to sending, sending to the
venue having it, and from there to a fill."""

SLIPPAGES = ("decision_bps", "arrival_bps")
"""Fill against the price decided on and against the one the order met; positive is worse."""

KEPT = 1000
"""How many of the latest time lines can be kept."""

_ENDS = (EventKind.ORDER_CANCELLED, EventKind.ORDER_EXPIRED, EventKind.ORDER_REJECTED)


@dataclass(slots=True, kw_only=True)
class OrderLine:
    """The time line of one order, in milliseconds since 1970; None where a step was not seen."""

    order_id: str
    decision_id: str
    desk: str
    venue: str
    instrument: str
    side: str
    printed_ms: int | None
    decided_ms: int
    sent_ms: int
    acknowledged_ms: int | None
    decision_price: float | None
    arrival_price: float | None = None
    filled_ms: int | None = None
    ended: str | None = None
    thinking_ms: float | None = None
    slippage_bps: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    orders: int = 0
    fills: int = 0
    unfilled: int = 0
    sketches: dict[str, QuantileSketch] = field(default_factory=dict)

    def add(self, name: str, value: float | None) -> None:
        if value is not None:
            self.sketches.setdefault(name, QuantileSketch()).add(value)


class TradeAudit:
    """Audits orders as events come in. ``thinking`` looks up the measured latency of a decision in milliseconds."""

    def __init__(self, *, last: int = 20, thinking: Callable[[str], float | None] = lambda _: None) -> None:
        self.lines: deque[OrderLine] = deque(maxlen=min(last, KEPT))
        self._thinking = thinking
        self._groups: dict[tuple[str, str], _Group] = {}
        self._open: dict[str, OrderLine] = {}
        self._venue = ""
        self._prices: Mapping[str, str] = {}
        self._printed: Mapping[str, int] = {}
        self._decided_ms = 0

    def apply(self, event: Event) -> None:
        """Take an event in."""
        payload = event.payload
        if event.kind is EventKind.SEASON_OPENED:
            self._venue = payload["market"]
        elif event.kind is EventKind.ROUND_OPENED:
            self._prices, self._printed = payload["prices"], payload["printed_ms"]
            self._decided_ms = event.ts_ms
        elif event.kind is EventKind.ORDERED:
            self._sent(event)
        elif event.kind is EventKind.ORDER_ACKNOWLEDGED:
            line = self._open.get(payload["order_id"])
            if line is not None:
                line.acknowledged_ms = event.ts_ms
        elif event.kind is EventKind.FILLED:
            self._fill(payload)
        elif event.kind in _ENDS:
            self._end(payload["order_id"], event.kind.value)

    def summary(self) -> list[dict[str, Any]]:
        """For each desk and venue: orders, fills, and percentiles of every stage and slippage."""
        return [
            {
                "desk": desk,
                "venue": venue,
                "orders": group.orders,
                "fills": group.fills,
                "unfilled": group.unfilled,
                "stages": {name: _figures(group.sketches.get(name)) for name in STAGES},
                "slippage": {name: _figures(group.sketches.get(name)) for name in SLIPPAGES},
            }
            for (desk, venue), group in sorted(self._groups.items())
        ]

    def _sent(self, event: Event) -> None:
        payload = event.payload
        if payload["origin"] == "liquidation":
            return
        symbol = payload["instrument"]
        # What follows from a fill, such as a bracket, was not decided on a price of its own.
        decided = payload["origin"] == "desk"
        price = self._prices.get(symbol) if decided else None
        line = OrderLine(
            order_id=payload["order_id"],
            decision_id=event.decision_id,
            desk=payload["desk"],
            venue=self._venue,
            instrument=symbol,
            side=payload["side"],
            printed_ms=self._printed.get(symbol) if decided else None,
            decided_ms=self._decided_ms if decided and self._decided_ms else payload["sent_ms"],
            sent_ms=payload["sent_ms"],
            acknowledged_ms=payload["arrives_ms"],
            decision_price=None if price is None else float(price),
            thinking_ms=self._thinking(event.decision_id) if event.decision_id else None,
        )
        self._open[line.order_id] = line
        self.lines.append(line)
        group = self._group(line)
        group.orders += 1
        group.add("thinking_ms", line.thinking_ms)
        if line.printed_ms is not None:
            group.add("data_age_ms", line.decided_ms - line.printed_ms)
        if decided:
            group.add("send_ms", line.sent_ms - line.decided_ms)

    def _fill(self, payload: Mapping[str, Any]) -> None:
        line = self._open.get(payload["order_id"])
        if line is None:
            return
        line.venue = payload.get("venue", line.venue)
        group = self._group(line)
        group.fills += 1
        price, sign = float(payload["price"]), 1 if payload["side"] == "buy" else -1
        arrival = payload.get("arrival")
        line.arrival_price = None if arrival is None else float(arrival)
        first = line.filled_ms is None
        line.filled_ms = payload["ts_ms"]
        if first and line.acknowledged_ms is not None:
            group.add("acknowledge_ms", line.acknowledged_ms - line.sent_ms)
            # A fill may be heard of before the acknowledgement.
            group.add("fill_ms", max(0, payload["ts_ms"] - line.acknowledged_ms))
        for name, reference in (("decision_bps", line.decision_price), ("arrival_bps", line.arrival_price)):
            if reference:
                line.slippage_bps[name] = sign * (price / reference - 1) * 10_000
                group.add(name, line.slippage_bps[name])
        if "left" not in payload:
            line.ended = "filled"
            del self._open[line.order_id]

    def _end(self, order_id: str, how: str) -> None:
        line = self._open.pop(order_id, None)
        if line is not None:
            line.ended = how.removeprefix("order_")
            if line.filled_ms is None:
                self._group(line).unfilled += 1

    def _group(self, line: OrderLine) -> _Group:
        return self._groups.setdefault((line.desk, line.venue), _Group())


def _figures(sketch: QuantileSketch | None) -> dict[str, float | int | None] | None:
    if sketch is None:
        return None
    p50, p95, p99 = (sketch.quantile(share) for share in (0.5, 0.95, 0.99))
    return {"n": sketch.n, "mean": sketch.mean, "p50": p50, "p95": p95, "p99": p99, "max": sketch.most}

"""The floor's feed: the latest decisions with all that led to them, and the latest trades. A fold over the journal."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.seasons.book_card import BookCard, book_card
from arena.seasons.snapshot import DecisionCard, ForecastLine, ToolLine, TradeRow, VerdictLine
from trading.domain.event import Event, EventKind
from trading.storage.journal.telemetry import Telemetry

DECISIONS = 60
TRADES = 240
RATIONALE_CHARS = 2000


@dataclass(slots=True, kw_only=True)
class _Open:
    """A decision while its events come in."""

    ts_ms: int
    payload: Mapping[str, Any] = field(default_factory=dict)
    verdicts: list[VerdictLine] = field(default_factory=list)
    tools: list[tuple[str, ToolLine]] = field(default_factory=list)
    calls: int = 0


class Feed:
    """Keeps the last decisions that did or failed something, the last hold of each desk, and the last trades."""

    def __init__(self) -> None:
        self._slots: dict[str, tuple[int, str]] = {}
        self._open: dict[str, _Open] = {}
        self._notable: deque[str] = deque(maxlen=DECISIONS)
        self._last_hold: dict[str, str] = {}
        self._cards: dict[str, DecisionCard] = {}
        self._trades: deque[TradeRow] = deque(maxlen=TRADES)
        self._decision_of: dict[str, str] = {}
        self._forecasts: dict[tuple[str, str], ForecastLine] = {}
        self._books: dict[str, BookCard] = {}
        self.last_action: dict[str, tuple[str, int]] = {}
        self._handlers: Mapping[EventKind, Callable[[Event], None]] = {
            EventKind.SEASON_OPENED: self._season,
            EventKind.MODEL_CALLED: self._called,
            EventKind.TOOL_CALLED: self._tool,
            EventKind.DECIDED: self._decided,
            EventKind.RULED: self._ruled,
            EventKind.ORDERED: self._ordered,
            EventKind.FILLED: self._filled,
            EventKind.BOOK_SEEN: self._seen,
        }

    def apply(self, event: Event) -> None:
        """Take an event in."""
        handler = self._handlers.get(event.kind)
        if handler is not None:
            handler(event)

    def decisions(self, telemetry: Telemetry) -> tuple[DecisionCard, ...]:
        """The cards to show, newest first."""
        wanted = dict.fromkeys([*self._notable, *self._last_hold.values()])
        for identity in wanted:
            if identity in self._open:
                self._cards[identity] = self._card(identity, self._open.pop(identity), telemetry)
        self._cards = {identity: self._cards[identity] for identity in wanted}
        self._open = {}
        return tuple(sorted(self._cards.values(), key=lambda card: (-card.ts_ms, card.status == "held", card.slot)))

    def trades(self) -> tuple[TradeRow, ...]:
        """The trades to show, newest first."""
        return tuple(reversed(self._trades))

    def forecasts(self) -> tuple[ForecastLine, ...]:
        """Each desk's newest forecast of each instrument."""
        return tuple(self._forecasts.values())

    def books(self) -> tuple[BookCard, ...]:
        """The order book of each instrument as it was seen last."""
        return tuple(self._books.values())

    def _season(self, event: Event) -> None:
        for slot, desk in enumerate(event.payload["desks"]):
            self._slots[desk["desk"]] = slot, desk["kind"]

    def _of(self, event: Event) -> _Open:
        return self._open.setdefault(event.decision_id, _Open(ts_ms=event.ts_ms))

    def _called(self, event: Event) -> None:
        self._of(event).calls += 1

    def _tool(self, event: Event) -> None:
        payload = event.payload
        line = ToolLine(
            role=payload["role"],
            tool=payload["tool"],
            arguments_json=payload["arguments_json"],
            outcome=payload["outcome"],
            latency_ms=0.0,
        )
        self._of(event).tools.append((payload["call_id"], line))

    def _decided(self, event: Event) -> None:
        payload = event.payload
        self._of(event).payload = payload
        if payload["status"] == "held":
            self._last_hold[payload["desk"]] = event.decision_id
            words = "held"
        else:
            self._notable.append(event.decision_id)
            self._last_hold.pop(payload["desk"], None)
            words = "traded" if payload["status"] == "acted" else f"abstained: {payload['abstain_reason']}"
        self.last_action[payload["desk"]] = words[:80], event.ts_ms
        for row in payload["forecasts"]:
            line = ForecastLine(ts_ms=event.ts_ms, desk=payload["desk"], slot=self._slots[payload["desk"]][0], **row)
            self._forecasts[payload["desk"], row["instrument"]] = line

    def _ruled(self, event: Event) -> None:
        payload = event.payload
        line = VerdictLine(
            intent=f"{payload['side']} {payload['quantity_before']} {payload['instrument']}",
            ruling=payload["ruling"],
            rule=payload["rule"],
            message=payload["message"],
        )
        self._of(event).verdicts.append(line)
        if payload["ruling"] == "refused":
            self.last_action[payload["desk"]] = f"refused by {payload['rule']}", event.ts_ms

    def _ordered(self, event: Event) -> None:
        payload = event.payload
        self._decision_of[payload["order_id"]] = event.decision_id
        words = f"{payload['side']} {payload['quantity']} {payload['instrument']}"
        self.last_action[payload["desk"]] = words, event.ts_ms

    def _seen(self, event: Event) -> None:
        self._books[event.payload["instrument"]] = book_card(event.payload, event.ts_ms)

    def _filled(self, event: Event) -> None:
        payload = event.payload
        self._trades.append(
            TradeRow(
                ts_ms=payload["ts_ms"],
                desk=payload["desk"],
                slot=self._slots[payload["desk"]][0],
                instrument=payload["instrument"],
                side=payload["side"],
                quantity=payload["quantity"],
                price=float(payload["price"]),
                fee=float(payload["fee"]),
                decision_id=self._decision_of.pop(payload["order_id"], ""),
            )
        )

    def _card(self, identity: str, found: _Open, telemetry: Telemetry) -> DecisionCard:
        payload = found.payload
        slot, kind = self._slots[payload["desk"]]
        return DecisionCard(
            decision_id=identity,
            desk=payload["desk"],
            slot=slot,
            kind=kind,
            ts_ms=found.ts_ms,
            round_index=payload["round"],
            status=payload["status"],
            rationale=payload["rationale"][:RATIONALE_CHARS],
            abstain_reason=payload["abstain_reason"],
            confidence=payload["confidence"],
            notes=tuple((role, text[:RATIONALE_CHARS]) for role, text in payload["notes"]),
            verdicts=tuple(found.verdicts),
            tools=tuple(
                ToolLine(
                    role=line.role,
                    tool=line.tool,
                    arguments_json=line.arguments_json,
                    outcome=line.outcome,
                    latency_ms=telemetry.latency("tool_call", call_id) or 0.0,
                )
                for call_id, line in found.tools
            ),
            prompt_hash=payload["prompt_hash"],
            llm_calls=found.calls,
            usd=payload["usd"],
            latency_ms=telemetry.latency("decision", identity) or 0.0,
        )

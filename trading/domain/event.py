"""What can happen, as it stands in the journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """Every kind of event; accounts are a fold over those marked (money)."""

    SEASON_OPENED = "season_opened"
    DEPOSITED = "deposited"  # (money)
    ROUND_OPENED = "round_opened"
    TAPE_GREW = "tape_grew"
    BOOK_SEEN = "book_seen"
    DEPTH_GREW = "depth_grew"
    FUNDING_TOLD = "funding_told"
    ORDER_ACKNOWLEDGED = "order_acknowledged"
    ORDER_TRIGGERED = "order_triggered"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_EXPIRED = "order_expired"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_REJECTED = "order_rejected"
    FILLED = "filled"  # (money)
    FUNDED = "funded"  # (money)
    BORROWED = "borrowed"  # (money)
    LIQUIDATED = "liquidated"
    INSURED = "insured"  # (money)
    CHARGED = "charged"  # (money)
    MARKED = "marked"
    QUIET = "quiet"
    BREAKER_TRIPPED = "breaker_tripped"
    BREAKER_CLEARED = "breaker_cleared"
    CONDITION_NOTED = "condition_noted"
    LIMITS_CHANGED = "limits_changed"
    HALTED = "halted"
    RESUMED = "resumed"
    BUDGET_WARNED = "budget_warned"
    BUDGET_DEGRADED = "budget_degraded"
    BUDGET_EXHAUSTED = "budget_exhausted"
    STATE_NOTED = "state_noted"
    MEMORY_CHANGED = "memory_changed"
    REFLECTED = "reflected"
    MODEL_CALLED = "model_called"
    TOOL_CALLED = "tool_called"
    APPROVAL_ANSWERED = "approval_answered"
    TICKET_TAKEN = "ticket_taken"
    DECIDED = "decided"
    INTENDED = "intended"
    RULED = "ruled"
    ORDERED = "ordered"
    WORK_STARTED = "work_started"
    WORK_ENDED = "work_ended"
    BOOKS_OPENED = "books_opened"
    BOOKS_ADJUSTED = "books_adjusted"
    CASH_MOVED = "cash_moved"
    BREAK_FOUND = "break_found"
    BREAK_RESOLVED = "break_resolved"
    SEASON_CLOSED = "season_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event before it is chained: when it happened in market time, what, and for which decision."""

    ts_ms: int
    kind: EventKind
    payload: Mapping[str, Any]
    decision_id: str = ""

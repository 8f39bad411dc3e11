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
    ORDER_EXPIRED = "order_expired"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_REJECTED = "order_rejected"
    FILLED = "filled"  # (money)
    FUNDED = "funded"  # (money)
    LIQUIDATED = "liquidated"
    INSURED = "insured"  # (money)
    MARKED = "marked"
    QUIET = "quiet"
    BREAKER_TRIPPED = "breaker_tripped"
    HALTED = "halted"
    RESUMED = "resumed"
    BUDGET_WARNED = "budget_warned"
    BUDGET_DEGRADED = "budget_degraded"
    BUDGET_EXHAUSTED = "budget_exhausted"
    MODEL_CALLED = "model_called"
    TOOL_CALLED = "tool_called"
    DECIDED = "decided"
    INTENDED = "intended"
    RULED = "ruled"
    ORDERED = "ordered"
    SEASON_CLOSED = "season_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event before it is chained: when it happened in market time, what, and for which decision."""

    ts_ms: int
    kind: EventKind
    payload: Mapping[str, Any]
    decision_id: str = ""

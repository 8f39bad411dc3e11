"""How desks conduct themselves: what they declared, how sure they said they were, limits they hit, what roles cost.

A fold over the season's events, beside the tally: nothing here enters a rank.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trading.domain.event import Event, EventKind

LESSONS = 5
"""Looks back that are kept of a desk, the newest."""


@dataclass(slots=True, kw_only=True)
class RoleCost:
    """What a role of a desk was asked and cost. Unknown sums are None."""

    calls: int = 0
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    usd: float | None = 0.0
    failed: int = 0


@dataclass(slots=True, kw_only=True)
class DeskConduct:
    """What is gathered of one desk. ``prompts`` are SHA-256 by role, ``lessons`` the newest looks back."""

    models: Mapping[str, str]
    prompts: Mapping[str, str]
    confidences: list[float] = field(default_factory=list)
    limits_hit: Counter[str] = field(default_factory=Counter)
    roles: dict[str, RoleCost] = field(default_factory=dict)
    reflections: int = 0
    lessons: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=LESSONS))


class Conduct:
    """Gathers the conduct of every desk, and the limits they trade under."""

    def __init__(self) -> None:
        self.desks: dict[str, DeskConduct] = {}
        self.limits: dict[str, str] = {}
        self._handlers = {
            EventKind.SEASON_OPENED: self._open,
            EventKind.DECIDED: self._decided,
            EventKind.MODEL_CALLED: self._called,
            EventKind.RULED: self._ruled,
            EventKind.REFLECTED: self._remembered,
        }

    def apply(self, event: Event) -> None:
        """Take an event in."""
        handler = self._handlers.get(event.kind)
        if handler is not None:
            handler(event)

    def _open(self, event: Event) -> None:
        payload = event.payload
        self.limits = {name: _text(value) for name, value in payload.get("limits", {}).items() if value not in ([], ())}
        self.desks = {
            row["desk"]: DeskConduct(models=row["models"], prompts=row.get("prompts", {})) for row in payload["desks"]
        }

    def _decided(self, event: Event) -> None:
        if event.payload["confidence"] is not None:
            self.desks[event.payload["desk"]].confidences.append(event.payload["confidence"])

    def _called(self, event: Event) -> None:
        payload = event.payload
        cost = self.desks[payload["desk"]].roles.setdefault(payload["role"], RoleCost())
        cost.calls += 1
        cost.failed += payload["outcome"] != "ok"
        cost.tokens_in = _sum(cost.tokens_in, payload["tokens_in"])
        cost.tokens_out = _sum(cost.tokens_out, payload["tokens_out"])
        cost.usd = _sum(cost.usd, payload["usd"])

    def _ruled(self, event: Event) -> None:
        if event.payload["ruling"] != "allowed" and not event.payload.get("edited"):
            self.desks[event.payload["desk"]].limits_hit[event.payload["rule"]] += 1

    def _remembered(self, event: Event) -> None:
        desk = self.desks.get(event.payload.get("desk", ""))
        if desk is not None:
            desk.reflections += 1
            said = [one["said"]["next_time"] for one in event.payload["episodes"] if one["said"]]
            desk.lessons.extend((event.ts_ms, str(text)) for text in said)


def _sum(total: Any, more: Any) -> Any:
    return None if total is None or more is None else total + more


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

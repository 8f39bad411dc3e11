"""A breaker that tripped: what it stops, by which rule, and what sets it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trading.domain.money import money_text

ARENA = "arena"
REDUCE_ONLY = "reduce_only"
HALTED = "halted"


class Over(StrEnum):
    """What a breaker stops."""

    ARENA = "arena"
    DESK = "desk"
    INSTRUMENT = "instrument"


class Clears(StrEnum):
    """What sets a breaker back: a person, or a declared rule."""

    PERSON = "person"
    NEXT_DAY = "next_day"
    PAUSE = "pause"
    BACK_WITHIN = "back_within"


@dataclass(frozen=True, slots=True, kw_only=True)
class TripReason:
    """A breaker that tripped: ``limit`` and ``value`` are in the rule's own unit.

    ``scope`` names the desk or instrument, or is ``"arena"``; ``state`` is ``"reduce_only"`` or ``"halted"``.
    ``until_ms`` is when the rules ``next_day`` and ``pause`` set it back.
    """

    scope: str
    rule: str
    state: str
    limit: Decimal
    value: Decimal
    over: Over = Over.DESK
    clears: Clears = Clears.PERSON
    until_ms: int | None = None

    def text(self) -> str:
        """The trip in one line."""
        return f"{self.rule} {money_text(round(self.value, 6))} of {money_text(self.limit)}"

    def payload(self) -> dict[str, Any]:
        """The trip as its event holds it."""
        return {
            "scope": self.scope,
            "over": self.over.value,
            "rule": self.rule,
            "state": self.state,
            "limit": money_text(self.limit),
            "value": money_text(round(self.value, 6)),
            "clears": self.clears.value,
            "until_ms": self.until_ms,
        }


def trip_from_payload(payload: Mapping[str, Any]) -> TripReason:
    """The trip that an event holds. Events from before trips said it are of a desk, or halt the arena."""
    plain = Over.ARENA if payload["state"] == HALTED else Over.DESK
    return TripReason(
        scope=payload["scope"],
        rule=payload["rule"],
        state=payload["state"],
        limit=Decimal(payload["limit"]),
        value=Decimal(payload["value"]),
        over=Over(payload.get("over", plain)),
        clears=Clears(payload.get("clears", Clears.PERSON)),
        until_ms=payload.get("until_ms"),
    )

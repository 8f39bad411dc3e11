"""What happened to a desk since it last decided: told to it in its next round. A fold, so a restart tells the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain.event import Event, EventKind
from trading.domain.money import ZERO, money_text

_OF_DESK = {
    EventKind.FILLED: ("instrument", "side", "quantity", "price", "fee"),
    EventKind.ORDER_EXPIRED: ("order_id", "reason"),
    EventKind.ORDER_REJECTED: ("order_id", "reason"),
    EventKind.ORDER_CANCELLED: ("order_id", "reason"),
    EventKind.LIQUIDATED: ("equity", "maintenance"),
    EventKind.WORK_ENDED: ("order_id", "instrument", "side", "left", "reason"),
}
_BUDGET = (EventKind.BUDGET_WARNED, EventKind.BUDGET_DEGRADED)
_RULING = ("instrument", "side", "ruling", "rule", "limit", "value", "message")


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far an order is that is worked."""

    order: Mapping[str, Any]
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    fee: Decimal = ZERO

    def add(self, fill: Mapping[str, Any]) -> None:
        quantity = Decimal(fill["quantity"])
        self.filled += quantity
        self.paid += quantity * Decimal(fill["price"])
        self.fee += Decimal(fill["fee"])

    @property
    def expired(self) -> dict[str, Any]:
        left = money_text(Decimal(self.order["quantity"]) - self.filled)
        named = {name: self.order[name] for name in ("order_id", "instrument", "side")}
        return {**named, "left": left, "reason": "its window is over"}

    @property
    def row(self) -> dict[str, Any]:
        return {
            **{name: self.order[name] for name in ("order_id", "instrument", "side", "quantity")},
            "filled": money_text(self.filled),
            "price": money_text(round(self.paid / self.filled, 8)),
            "fee": money_text(self.fee),
        }


class Feedback:
    """What became of each desk's last decision, and what else it has to know, until it decides again."""

    def __init__(self) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._worked: dict[str, _Progress] = {}

    def apply(self, event: Event) -> None:
        """Take an event in."""
        payload = event.payload
        if event.kind is EventKind.DECIDED:
            self._rows[payload["desk"]] = []
        elif event.kind is EventKind.RULED and payload["ruling"] != "allowed" and not payload["superseded"]:
            self._note(payload["desk"], event.kind, {name: payload[name] for name in _RULING})
        elif event.kind is EventKind.WORK_STARTED:
            self._worked[payload["order_id"]] = _Progress(order=payload)
        elif "parent_id" in payload and event.kind is not EventKind.ORDER_REJECTED:
            self._work(event)
        elif event.kind in _OF_DESK:
            self._note(payload["desk"], event.kind, {name: payload[name] for name in _OF_DESK[event.kind]})
        elif event.kind is EventKind.BREAKER_TRIPPED:
            row = {name: payload[name] for name in ("rule", "state", "limit", "value")}
            alone = payload.get("over", "desk" if payload["state"] == "reduce_only" else "arena") == "desk"
            for desk in [payload["scope"]] if alone else list(self._rows):
                self._note(desk, event.kind, row)
        elif event.kind is EventKind.BREAKER_CLEARED and payload["over"] == "desk":
            self._note(payload["scope"], event.kind, {"rule": payload["rule"], "state": payload["state"]})
        elif event.kind is EventKind.LIMITS_CHANGED:
            for desk in list(self._rows):
                self._note(desk, event.kind, {"changes": payload["changes"]})
        elif event.kind is EventKind.APPROVAL_ANSWERED and (not payload["approved"] or "edits" in payload):
            row = {"by": payload["by"], "note": payload["note"], "edits": payload.get("edits", ())}
            self._note(payload["desk"], event.kind, row)
        elif event.kind in _BUDGET:
            row = {name: payload[name] for name in ("scope", "measure", "spent", "limit")}
            for desk in payload["desks"]:
                self._note(desk, event.kind, row)

    def _work(self, event: Event) -> None:
        """Of all parts of an order one row tells how much is filled by now, and one what was left at last."""
        progress = self._worked.get(event.payload["parent_id"])
        if progress is not None and event.kind is EventKind.FILLED:
            progress.add(event.payload)
            self._renew(event.payload["desk"], {"event": "worked", **progress.row})
        elif progress is not None and event.kind is EventKind.ORDER_EXPIRED:
            self._renew(event.payload["desk"], {"event": EventKind.WORK_ENDED.value, **progress.expired})

    def _renew(self, desk: str, told: dict[str, Any]) -> None:
        rows = self._rows.setdefault(desk, [])
        same = [(row["event"], row.get("order_id")) for row in rows]
        if (key := (told["event"], told["order_id"])) in same:
            rows[same.index(key)] = told
        else:
            rows.append(told)

    def of(self, desk: str) -> list[dict[str, Any]]:
        """What a desk is told, oldest first; each row has ``event`` and the fields of that event."""
        return list(self._rows.get(desk, ()))

    def _note(self, desk: str, kind: EventKind, row: dict[str, Any]) -> None:
        self._rows.setdefault(desk, []).append({"event": kind.value, **row})

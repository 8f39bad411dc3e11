"""What happened to a desk since it last decided: told to it in its next round. A fold, so a restart tells the same."""

from typing import Any

from trading.domain.event import Event, EventKind

_OF_DESK = {
    EventKind.FILLED: ("instrument", "side", "quantity", "price", "fee"),
    EventKind.ORDER_EXPIRED: ("order_id", "reason"),
    EventKind.ORDER_REJECTED: ("order_id", "reason"),
    EventKind.ORDER_CANCELLED: ("order_id", "reason"),
    EventKind.LIQUIDATED: ("equity", "maintenance"),
}
_BUDGET = (EventKind.BUDGET_WARNED, EventKind.BUDGET_DEGRADED)
_RULING = ("instrument", "side", "ruling", "rule", "limit", "value", "message")


class Feedback:
    """What became of each desk's last decision, and what else it has to know, until it decides again."""

    def __init__(self) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def apply(self, event: Event) -> None:
        """Take an event in."""
        payload = event.payload
        if event.kind is EventKind.DECIDED:
            self._rows[payload["desk"]] = []
        elif event.kind is EventKind.RULED and payload["ruling"] != "allowed" and not payload["superseded"]:
            self._note(payload["desk"], event.kind, {name: payload[name] for name in _RULING})
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

    def of(self, desk: str) -> list[dict[str, Any]]:
        """What a desk is told, oldest first; each row has ``event`` and the fields of that event."""
        return list(self._rows.get(desk, ()))

    def _note(self, desk: str, kind: EventKind, row: dict[str, Any]) -> None:
        self._rows.setdefault(desk, []).append({"event": kind.value, **row})

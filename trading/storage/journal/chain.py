"""How events are chained: each carries the hash of the one before it, so a changed byte breaks every later link."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from trading.domain.event import Event, EventKind

GENESIS = "0" * 64
"""The previous hash of the first event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as it stands in the journal. ``ts_ms`` is market time."""

    seq: int
    ts_ms: int
    kind: str
    decision_id: str
    payload_json: str
    prev_hash: str
    hash: str

    def event(self) -> Event:
        """The event with its payload read."""
        return Event(
            ts_ms=self.ts_ms,
            kind=EventKind(self.kind),
            payload=orjson.loads(self.payload_json),
            decision_id=self.decision_id,
        )


def canonical_json(payload: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no spaces: the same value always gives the same text."""
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode()


def event_hash(prev_hash: str, seq: int, ts_ms: int, kind: str, decision_id: str, payload_json: str) -> str:
    """SHA-256 over the previous hash and every field; fields hold no newline, so none can run into the next."""
    text = f"{prev_hash}\n{seq}\n{ts_ms}\n{kind}\n{decision_id}\n{payload_json}"
    return hashlib.sha256(text.encode()).hexdigest()

"""Where each decision stands in a journal: an index that follows the file as it grows."""

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Any

from trading.domain.event import Event, EventKind
from trading.storage.journal import StoredEvent, select_events
from trading.storage.runs import RunFolder

_KINDS = (EventKind.SEASON_OPENED, EventKind.ROUND_OPENED, EventKind.DECIDED, EventKind.INTENDED, EventKind.RULED)
_AT_ONCE = 50_000
_WORDS = 200
_WORSE = {"refused": 2, "resized": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A decision in a list. ``action`` says in words what it wanted, ``ruling`` is the gate's hardest word on it."""

    seq: int
    decision_id: str
    desk: str
    ts_ms: int
    round_index: int
    status: str
    words: str
    confidence: float | None
    usd: float | None
    action: str = ""
    ruling: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Where a round begins in the journal."""

    seq: int
    ts_ms: int
    round_index: int


class JournalIndex:
    """The decisions of one run in order, by id and by desk. :meth:`follow` takes in what was written since."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.opening: dict[str, Any] = {}
        self.rounds: list[Opened] = []
        self.entries: dict[str, Entry] = {}
        self._by_desk: dict[str, list[str]] = {}
        self._place: dict[str, int] = {}
        self._seq = 0
        self._is_whole = False

    def follow(self) -> None:
        """Read on from where the last reading ended. Raises JournalError."""
        if self._is_whole:
            return
        is_finished = self.run.is_finished
        while True:
            found = select_events(self.run.journal, after=self._seq, kinds=_KINDS, most=_AT_ONCE)
            for stored in found:
                self._take(stored, stored.event())
                self._seq = stored.seq
            if len(found) < _AT_ONCE:
                self._is_whole = is_finished
                return

    def of_desk(self, desk: str, last: int) -> list[Entry]:
        """The newest decisions of a desk, newest first."""
        return [self.entries[one] for one in reversed(self._by_desk.get(desk, [])[-last:])]

    def count(self, desk: str) -> int:
        """How many decisions of a desk there are."""
        return len(self._by_desk.get(desk, ()))

    def beside(self, entry: Entry) -> tuple[str | None, str | None]:
        """The ids of the same desk's decision before, and of the one after."""
        mine, at = self._by_desk[entry.desk], self._place[entry.decision_id]
        return (mine[at - 1] if at > 0 else None), (mine[at + 1] if at + 1 < len(mine) else None)

    def round_of(self, entry: Entry) -> tuple[Opened, Opened | None]:
        """The round of a decision and the one after, None where there is none yet."""
        at = max(0, bisect_left(self.rounds, entry.seq, key=lambda one: one.seq) - 1)
        return self.rounds[at], self.rounds[at + 1] if at + 1 < len(self.rounds) else None

    def round_at(self, ts_ms: int) -> Opened | None:
        """The first round that opened at ``ts_ms`` or later."""
        at = bisect_left(self.rounds, ts_ms, key=lambda one: one.ts_ms)
        return self.rounds[at] if at < len(self.rounds) else None

    def _take(self, stored: StoredEvent, event: Event) -> None:
        payload = event.payload
        if event.kind is EventKind.SEASON_OPENED:
            self.opening = dict(payload)
        elif event.kind is EventKind.ROUND_OPENED:
            self.rounds.append(Opened(seq=stored.seq, ts_ms=event.ts_ms, round_index=payload["round"]))
        elif event.kind is EventKind.DECIDED:
            self._decided(stored, event)
        elif event.decision_id in self.entries:
            self._wanted(event)

    def _decided(self, stored: StoredEvent, event: Event) -> None:
        payload, mine = event.payload, self._by_desk.setdefault(event.payload["desk"], [])
        self._place[event.decision_id] = len(mine)
        mine.append(event.decision_id)
        self.entries[event.decision_id] = Entry(
            seq=stored.seq,
            decision_id=event.decision_id,
            desk=payload["desk"],
            ts_ms=event.ts_ms,
            round_index=payload["round"],
            status=payload["status"],
            words=(payload["abstain_reason"] or payload["rationale"] or "")[:_WORDS],
            confidence=payload["confidence"],
            usd=payload["usd"],
        )

    def _wanted(self, event: Event) -> None:
        entry, payload = self.entries[event.decision_id], event.payload
        if event.kind is EventKind.INTENDED:
            leg = f"{payload['side']} {payload['quantity']} {payload['instrument'].split('-', 1)[0]}"
            entry = replace(entry, action=f"{entry.action}, {leg}" if entry.action else leg)
        elif _WORSE.get(payload["ruling"], 0) >= _WORSE.get(entry.ruling, 0):
            entry = replace(entry, ruling=payload["ruling"])
        self.entries[event.decision_id] = entry

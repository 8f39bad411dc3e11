"""The memory of a season: a fold over its events, from which every desk is told what it may know.

What desks recall follows from the journal alone, so a resumed or replayed season recalls the same. The store is written
behind it; where it cannot be opened or written, desks are told that memory is unavailable and the season goes on.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from arena.seasons.looking_back import Awaiting
from arena.seasons.memory_rules import MemoryRules
from arena.seasons.placebo import Placebo
from memory import Chronicle, DeskMemory, Episode, Shelves
from memory.lessons import Rules, last_cell
from memory.state import payload_of, states_at
from trading.domain import Event, EventKind, iso, money_text
from trading.domain.errors import MemoryUnavailable
from trading.engine import Round
from trading.storage.journal import Journal, StoredEvent

FLUSH_EPISODES = 1024
"""So many new episodes are written at once; what is not written yet is in the journal."""

_PLANS_TOLD = 8

log = logging.getLogger("tradefloor")


class Store(Protocol):
    """Where episodes are kept beside the journal."""

    @property
    def written_seq(self) -> int:
        """The last journal event of which everything is in the store."""
        ...

    def write(self, episodes: Iterable[Episode], *, written_seq: int) -> None:
        """Keep episodes, new or changed. Raises MemoryUnavailable."""
        ...


class Place:
    """Where in the journal the event lies that is being folded: from what is read back, then from what is written."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._read: StoredEvent | None = None

    def __call__(self) -> tuple[int, str]:
        """Number and hash of the event."""
        if self._read is not None:
            return self._read.seq, self._read.hash
        return self._journal.events, self._journal.head

    def following(self, events: Iterable[StoredEvent]) -> Iterable[Event]:
        """The events, each the place while it is folded."""
        try:
            for stored in events:
                self._read = stored
                yield stored.event()
        finally:
            self._read = None


class SeasonMemory:
    """What every desk of a season remembers.

    ``desks`` are those that asked for memory, ``reflecting`` those whose model looks back. ``lost`` says why the store
    cannot be had, in words; ``earlier`` are the episodes of declared runs by run.
    """

    def __init__(
        self,
        *,
        rules: MemoryRules,
        desks: frozenset[str],
        seed: int,
        every_ms: int,
        place: Place,
        store: Store | None = None,
        lost: str | None = None,
        earlier: Iterable[tuple[str, Iterable[Episode]]] = (),
        reflecting: frozenset[str] = frozenset(),
    ) -> None:
        self.desks = desks
        self.lost = lost
        self.told = True
        self.shelves = Shelves(horizon_ms=rules.horizon_ms, every_ms=every_ms, shared=rules.shared)
        for run_id, episodes in earlier:
            for episode in episodes:
                self.shelves.add(episode, source=run_id)
        self.chronicle = Chronicle(
            horizon_ms=rules.horizon_ms, place=place, desks=desks, opened=self._opened, closed=self._closed
        )
        self._place = place
        self._placebo = Placebo(seed) if rules.mode == "shuffled" else None
        self._store = store
        self._awaiting = Awaiting(reflecting & desks)
        self._pending: dict[str, Episode] = {}
        self._lessons: dict[str, tuple[int, Rules]] = {}

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if event.kind is EventKind.MEMORY_CHANGED:
            self.told = event.payload["available"]
        self.chronicle.apply(event)
        if event.kind is EventKind.REFLECTED:
            self._awaiting.done(event)

    def to_look_back_on(self, desk: str) -> list[Episode]:
        """What has closed for a desk whose model looks back and has not yet, oldest first."""
        return [] if self.lost is not None else self._awaiting.of(desk)

    def open_round(self, opened: Round, record: Callable[[Event], None]) -> None:
        """Write down the states of the round, and whether memory is there if that has changed."""
        if self.told != (self.lost is None):
            found = {"available": self.lost is None, "reason": self.lost}
            record(Event(ts_ms=opened.as_of_ms, kind=EventKind.MEMORY_CHANGED, payload=found))
        noted = {"round": opened.index, "states": payload_of(states_at(opened.view))}
        record(Event(ts_ms=opened.as_of_ms, kind=EventKind.STATE_NOTED, payload=noted))

    def of(self, desk: str, as_of_ms: int) -> DeskMemory | str | None:
        """What a desk's tools are handed: None where it asked for none, words where it cannot be had."""
        if desk not in self.desks:
            return None
        if self.lost is not None:
            return self.lost
        return DeskMemory(
            desk=desk,
            as_of_ms=as_of_ms,
            states=lambda: self.chronicle.states,
            shelves=self.shelves,
            chronicle=self.chronicle,
            lessons_of=self._lessons_of,
        )

    def feedback(self, desk: str, as_of_ms: int) -> list[str]:
        """What a desk is told without asking: its open plans, and where its last decision went against one."""
        memory = self.of(desk, as_of_ms)
        if not isinstance(memory, DeskMemory):
            return [] if memory is None else [f"Trade memory is unavailable: {memory}."]
        told = [f"You went against your own plan in {symbol}: {words}." for symbol, words in self._against(desk)]
        for plan in memory.plans()[:_PLANS_TOLD]:
            side = "long" if plan.side > 0 else "short"
            bounds = "" if plan.target is None else f", target {plan.target:.6g}, stop {plan.stop:.6g}"
            told.append(
                f"Open plan: {side} {money_text(plan.quantity)} {plan.instrument} since {iso(plan.opened_ms)} "
                f"at {float(plan.entry_price):.6g}{bounds}; {plan.standing}."
            )
        return told

    def flush(self, *, at_least: int = FLUSH_EPISODES) -> None:
        """Write what has changed to the store, once there is enough of it. A store that fails is lost, and said so."""
        if self._store is None or self.lost is not None or len(self._pending) < at_least:
            return
        try:
            self._store.write(self._pending.values(), written_seq=self._place()[0])
        except MemoryUnavailable as error:
            log.error("%s", error)
            self.lost = error.short
            return
        self._pending.clear()

    def _against(self, desk: str) -> Iterable[tuple[str, str]]:
        for episode in reversed(self.chronicle.episodes):
            if episode.decided_ms < self.chronicle.now_ms - self.chronicle.every_ms:
                return
            if episode.desk == desk and episode.contradicts:
                yield episode.instrument, episode.contradicts

    def _opened(self, episode: Episode) -> None:
        self.shelves.add(episode if self._placebo is None else self._placebo.shown(episode))
        self._note(episode)

    def _closed(self, episode: Episode) -> None:
        shown = episode if self._placebo is None else self._placebo.shown(episode)
        self.shelves.update(shown)
        self._awaiting.note(shown)
        self._note(episode)

    def _note(self, episode: Episode) -> None:
        if self._store is not None and episode.touched_seq > self._store.written_seq:
            self._pending[episode.episode_id] = episode

    def _lessons_of(self, desk: str, as_of_ms: int) -> Rules:
        cell = last_cell(as_of_ms, self.chronicle.horizon_ms)
        known = self._lessons.get(desk)
        if known is None or known[0] != cell:
            known = self._lessons[desk] = (cell, self.shelves.lessons(desk, as_of_ms))
        return known[1]

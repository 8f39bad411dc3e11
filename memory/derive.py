"""Deriving memory from a journal: all episodes of a run, and whether a store holds those and nothing else."""

from dataclasses import dataclass
from pathlib import Path

from memory.chronicle import Chronicle
from memory.episode import Episode, episode_id
from memory.store import MemoryStore
from trading.domain import EventKind
from trading.domain.errors import JournalError
from trading.storage.journal import read_events, read_verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """The episodes of a journal, its last event, and the horizon they were followed over."""

    episodes: list[Episode]
    last_seq: int
    horizon_ms: int


def derive(journal: Path, *, horizon_ms: int, desks: frozenset[str] | None = None) -> Derived:
    """Every episode of a run, from its journal alone. Raises JournalError for a record that was touched."""
    at = (0, "")
    chronicle = Chronicle(horizon_ms=horizon_ms, place=lambda: at, desks=desks)
    for stored in read_verified(journal):
        at = (stored.seq, stored.hash)
        chronicle.apply(stored.event())
    chronicle.finish()
    return Derived(episodes=chronicle.episodes, last_seq=at[0], horizon_ms=horizon_ms)


def on_record(journal: Path, episode: Episode) -> bool:
    """Whether the decision that an episode claims to rest on is in the journal. False for a journal that is gone."""
    try:
        stored = next(iter(read_events(journal, after=episode.seq - 1)), None)
    except JournalError:
        return False
    return (
        stored is not None
        and (stored.seq, stored.hash, stored.decision_id) == (episode.seq, episode.event_hash, episode.decision_id)
        and stored.kind == EventKind.DECIDED.value
        and stored.event().payload["desk"] == episode.desk
        and episode.episode_id == episode_id(episode.event_hash, episode.instrument)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """A store against its journal. ``planted`` ids rest on no event; ``altered`` differ from what the journal gives."""

    good: int
    planted: tuple[str, ...]
    altered: tuple[str, ...]
    missing: int

    @property
    def ok(self) -> bool:
        """Whether nothing in the store is anything but what the journal says."""
        return not self.planted and not self.altered


def audit_store(store: MemoryStore, derived: Derived) -> Audit:
    """Compare every stored episode with the one that the journal gives. What is merely not written yet is missing."""
    truth = {episode.episode_id: episode for episode in derived.episodes}
    written = store.written_seq
    planted, altered, seen = [], [], set()
    for episode, digest in store.digests():
        true = truth.get(episode.episode_id)
        if true is None:
            planted.append(episode.episode_id)
            continue
        seen.add(episode.episode_id)
        if true.touched_seq <= written and not digest == episode.digest() == true.digest():
            altered.append(episode.episode_id)
    return Audit(
        good=len(seen) - len(altered),
        planted=tuple(planted),
        altered=tuple(altered),
        missing=len(truth.keys() - seen),
    )

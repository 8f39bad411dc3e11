"""The memories of a home folder: where a run keeps its own, how it is opened, and what earlier runs it may know."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from arena.seasons.memory_rules import MemoryRules
from arena.seasons.remembering import Place, SeasonMemory
from arena.settings import Settings
from memory.derive import Derived, audit_store, derive
from memory.embedding import HASHING, Embedding, Vectors, embedding
from memory.episode import Episode
from memory.store import MemoryStore, Progress, forget_embedded, set_aside
from trading.domain.errors import ConfigError, JournalError, MemoryUnavailable, RequestError
from trading.storage.runs import RunFolder, Runs

if TYPE_CHECKING:
    from arena.wiring import Prepared

REMOTE = "litellm/"
_INDEX = ("episodes.sqlite", "episodes.sqlite-wal", "episodes.sqlite-shm")
_VECTORS = "chroma"


def memory_folder(run: RunFolder) -> Path:
    """Where a run keeps its memory."""
    return run.path / "memory"


def memory_rules(run: RunFolder) -> MemoryRules | None:
    """The rules a run's memory was kept by; None for a run without."""
    table = run.manifest.get("rules", {}).get("memory")
    return None if table is None else MemoryRules.model_validate(table)


def open_memory(
    prepared: "Prepared",
    folder: RunFolder,
    place: Place,
    settings: Settings,
    stack: AsyncExitStack,
    *,
    reflecting: frozenset[str] = frozenset(),
) -> SeasonMemory | None:
    """The memory of a season that is about to be played; None for one without.

    ``reflecting`` are the desks whose models look back. Where the store cannot be had the season goes on: its desks are
    told, and so is the record.
    """
    rules = prepared.rules.memory
    if rules is None or not prepared.rules.remembering:
        return None
    store, lost = None, None
    try:
        store = stack.enter_context(closing(open_store(folder, rules.embedding, settings)))
    except MemoryUnavailable as error:
        from arena.commands.output import say

        say(f"tradefloor: {error}; the season goes on without memory")
        lost = error.short
    return SeasonMemory(
        rules=rules,
        desks=prepared.rules.remembering,
        seed=prepared.setup.seed,
        every_ms=prepared.setup.every_ms,
        place=place,
        store=store,
        lost=lost,
        earlier=earlier_episodes(rules, settings),
        reflecting=reflecting,
    )


def open_store(run: RunFolder, name: str, settings: Settings, *, progress: Progress | None = None) -> MemoryStore:
    """The store of a run's memory, embedded by ``name``. Raises MemoryUnavailable."""
    return MemoryStore(
        memory_folder(run),
        named_embedding(name),
        run_id=run.run_id,
        chroma_url=settings.chroma_url,
        progress=progress,
    )


def named_embedding(name: str) -> Embedding:
    """The embedding of this name; ``litellm/<model>`` asks a model. Raises ConfigError."""
    if not name.startswith(REMOTE):
        return embedding(name)
    from agents.llm.embedding import embed

    model = name.removeprefix(REMOTE)

    def ask(texts: Sequence[str]) -> Vectors:
        return embed(model, texts)

    return embedding(name, ask)


def earlier_episodes(rules: MemoryRules, settings: Settings) -> Iterator[tuple[str, Sequence[Episode]]]:
    """The episodes of the finished runs that a season declares, from their journals. Raises ConfigError."""
    for run_id in rules.runs:
        try:
            run = Runs(settings.home).get(run_id)
        except RequestError as error:
            raise ConfigError(f"[memory] runs: {error}") from error
        if not run.is_finished:
            raise ConfigError(f"[memory] runs: {run_id} is not finished; only what is sealed can be declared")
        try:
            yield run_id, derived(run, rules.horizon_ms).episodes
        except JournalError as error:
            raise ConfigError(f"[memory] runs: {error}") from error


def derived(run: RunFolder, horizon_ms: int | None = None) -> Derived:
    """The episodes that a run's journal gives, by the rules of its season."""
    rules = memory_rules(run)
    desks = None
    if rules is not None:
        named = run.manifest["rules"].get("desk") or run.manifest["rules"].get("desks") or []
        desks = frozenset(desk["name"] for desk in named if desk.get("memory", True))
    horizon = horizon_ms or (rules or MemoryRules()).horizon_ms
    return derive(run.journal, horizon_ms=horizon, desks=desks)


def embedding_of(run: RunFolder) -> str:
    """The embedding that a run's store was written with last; hashing for one that cannot say."""
    index = memory_folder(run) / _INDEX[0]
    if not index.is_file():
        return HASHING
    try:
        with closing(sqlite3.connect(f"{index.resolve().as_uri()}?mode=ro", uri=True)) as db:
            row = db.execute("SELECT value FROM facts WHERE name = 'embedding'").fetchone()
    except sqlite3.Error:
        return HASHING
    return str(row[0]) if row else HASHING


def bring_up_to_date(run: RunFolder, store: MemoryStore) -> Derived:
    """Write what the journal has and the store lacks: what a run that was killed left behind."""
    found = derived(run)
    if store.written_seq < found.last_seq:
        fresh = [episode for episode in found.episodes if episode.touched_seq > store.written_seq]
        store.write(fresh, written_seq=found.last_seq)
    return found


def rebuild_store(
    run: RunFolder, name: str, settings: Settings, progress: Progress
) -> tuple[dict[str, int], list[Path]]:
    """Make a store what the journal says, embedded by ``name``; answers its counts and what was set aside.

    What is there and sound is kept, so an interrupted rebuild goes on. Nothing is deleted. Raises MemoryUnavailable
    where another process has it open.
    """
    aside = _set_damaged_aside(run, name, settings, progress)
    truth = derived(run)
    with closing(open_store(run, name, settings)) as store:
        if audit_store(store, truth).ok:
            store.write(truth.episodes, written_seq=truth.last_seq, progress=progress)
            if store.counts()["vectors"] < len(truth.episodes):
                store.forget_vectors()
                store.heal(progress)
            return store.counts(), aside
    # An index with items that do not follow from the journal goes as a whole, and the vectors with it.
    aside += _moved(run, (*_INDEX, _VECTORS))
    with closing(open_store(run, name, settings)) as store:
        store.write(truth.episodes, written_seq=truth.last_seq, progress=progress)
        return store.counts(), aside


def _set_damaged_aside(run: RunFolder, name: str, settings: Settings, progress: Progress) -> list[Path]:
    """Move what cannot be opened out of the way, the vectors first, then all of it."""
    moved: list[Path] = []
    for parts in ((_VECTORS,), (*_INDEX, _VECTORS)):
        try:
            open_store(run, name, settings, progress=progress).close()
        except MemoryUnavailable as error:
            if error.is_locked or settings.chroma_url is not None:
                raise
            moved += _moved(run, parts)
            forget_embedded(memory_folder(run))
        else:
            return moved
    return moved


def _moved(run: RunFolder, parts: Sequence[str]) -> list[Path]:
    return [path for part in parts if (path := set_aside(memory_folder(run), part)) is not None]

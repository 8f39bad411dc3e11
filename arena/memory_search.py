"""Searching what desks remember: the nearest texts, as they were known at an instant."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from arena.commands.output import say
from arena.memories import bring_up_to_date, derived, embedding_of, memory_rules, open_store
from arena.memory_documents import estimate_document, hit_document
from arena.settings import Settings
from memory.derive import on_record
from memory.episode import Episode
from memory.nearest import nearest
from memory.recall import SAMPLE, estimate, recalled
from trading.domain import iso
from trading.domain.errors import MemoryUnavailable, RequestError
from trading.domain.recollection import RecalledEpisode
from trading.storage.runs import RunFolder, Runs


def search_document(
    settings: Settings, text: str, *, as_of_ms: int, run: str | None, desk: str | None, count: int
) -> dict[str, Any]:
    """The remembered decisions whose texts are nearest, known before ``as_of_ms``; ``refused`` rest on no event.

    Raises RequestError where no run has memory, or the one that is named has none.
    """
    found: dict[str, tuple[RecalledEpisode, RunFolder]] = {}
    closed: dict[str, float] = {}
    refused = 0
    for folder in remembering(settings, run):
        for episode, cosine in _hits(folder, settings, text, as_of_ms, desk, max(count, SAMPLE)):
            if not on_record(folder.journal, episode):
                refused += 1
                continue
            found.setdefault(episode.episode_id, (recalled(episode, cosine, as_of_ms), folder))
            if episode.kind == "realised" and episode.closed_ms < as_of_ms and episode.net_return is not None:
                closed[episode.episode_id] = episode.net_return
    ranked = sorted(found.values(), key=lambda item: (-item[0].similarity, item[0].episode_id))
    results = [closed[one.episode_id] for one, _ in ranked[:SAMPLE] if one.episode_id in closed]
    return {
        "query": text,
        "as_of": iso(as_of_ms),
        "hits": [{**hit_document(one), "run_id": folder.run_id} for one, folder in ranked[:count]],
        "n": len(ranked),
        "statistics": {"realised_net_return": estimate_document(estimate(results))},
        "refused": refused,
    }


def remembering(settings: Settings, run: str | None) -> Sequence[RunFolder]:
    """The run that was named, or all that have a memory."""
    if run is not None:
        return [chosen_run(settings, run)]
    found = [folder for folder in Runs(settings.home).all() if memory_rules(folder) is not None]
    if not found:
        raise RequestError(
            f"no run under {settings.home} has memory: `tradefloor run SEASON.toml --memory on` makes one"
        )
    return found


def chosen_run(settings: Settings, run: str | None) -> RunFolder:
    """The run that was named, or the last that has a memory."""
    runs = Runs(settings.home)
    if run is None:
        return list(remembering(settings, None))[-1]
    folder = runs.get(run)
    if memory_rules(folder) is None:
        raise RequestError(
            f"{folder.run_id} has no memory; `tradefloor run SEASON.toml --memory on` makes a run that has"
        )
    return folder


def _hits(
    folder: RunFolder, settings: Settings, text: str, as_of_ms: int, desk: str | None, count: int
) -> list[tuple[Episode, float]]:
    try:
        store = open_store(folder, embedding_of(folder), settings)
    except MemoryUnavailable as error:
        if not error.is_locked:
            raise
        say(f"tradefloor: {folder.run_id} is being written; searched by its words in the journal, nothing is changed")
        return nearest(derived(folder).episodes, text, as_of_ms=as_of_ms, desk=desk, count=count)
    with closing(store):
        bring_up_to_date(folder, store)
        return store.search(text, as_of_ms=as_of_ms, desk=desk, count=count)

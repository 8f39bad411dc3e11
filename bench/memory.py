"""Trade memory at a hundred thousand episodes: recalling, writing, rebuilding, and what it takes on disk."""

import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from bench.figure import Figure
from memory.embedding import HASHING, MINILM, embedding
from memory.episode import Episode, episode_id
from memory.recall import Shelves
from memory.state import COMPONENTS, regime_of, words_of
from memory.store import MemoryStore
from trading.domain.errors import ConfigError

EPISODES = 100_000
QUERIES = 100
MINILM_TEXTS = 256
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def measure() -> list[Figure]:
    """One desk with a hundred thousand episodes by chance, in memory and in a store in a folder.

    Times are of CPU, which on one idle core is what passes.
    """
    rng = np.random.default_rng(7)
    episodes = _episodes(rng)
    return [*_recall(episodes, rng), *_store(episodes), *_minilm(episodes)]


def _recall(episodes: list[Episode], rng: np.random.Generator) -> list[Figure]:
    shelves = Shelves(horizon_ms=DAY_MS, every_ms=HOUR_MS)
    started = time.process_time()
    for episode in episodes:
        shelves.add(episode)
    adding_s = time.process_time() - started
    spent: dict[str, list[float]] = {"": [], "rising with heavy volume": []}
    found = 0
    asked = rng.integers(0, EPISODES, QUERIES)
    for number in asked:
        as_of_ms = int(rng.integers(EPISODES // 2, EPISODES)) * HOUR_MS
        state = tuple(rng.standard_normal(len(COMPONENTS)).tolist())
        for text, took in spent.items():
            started = time.process_time()
            shelves.similar("bench", "X", state, as_of_ms=as_of_ms, text=text)
            took.append(1000 * (time.process_time() - started))
        planted = tuple(np.array(episodes[number].state) + 0.1 * rng.standard_normal(len(COMPONENTS)))
        hits = shelves.similar("bench", "X", planted, as_of_ms=EPISODES * HOUR_MS).episodes
        found += episodes[number].episode_id in [hit.episode_id for hit in hits]
    started = time.process_time()
    shelves.lessons("bench", EPISODES * HOUR_MS)
    lessons_s = time.process_time() - started
    plain, worded = spent.values()
    return [
        Figure(name="recall as of an instant, median", value=statistics.median(plain), unit="ms CPU", target="<= 20"),
        Figure(name="  95th percentile", value=float(np.quantile(plain, 0.95)), unit="ms CPU", target="<= 50"),
        Figure(name="recall with words, median", value=statistics.median(worded), unit="ms CPU", target="<= 20"),
        Figure(name="  95th percentile", value=float(np.quantile(worded, 0.95)), unit="ms CPU", target="<= 50"),
        Figure(name="a state seen before among the first five", value=100 * found / QUERIES, unit="%", target=">= 95"),
        Figure(name="put on the shelf", value=EPISODES / adding_s, unit="/s"),
        Figure(name="lessons from all of them", value=lessons_s, unit="s", note="once in 48 h of market time"),
    ]


def _store(episodes: list[Episode]) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        with closing(MemoryStore(Path(folder) / "memory", embedding(HASHING))) as store:
            half = len(episodes) // 2
            store.write(episodes[:half], written_seq=half)
            first_s = time.process_time() - started
            store.write(episodes[half:], written_seq=len(episodes))
            whole_s = time.process_time() - started
            spent: list[float] = []
            narrow: list[float] = []
            for number in range(QUERIES):
                for took, as_of_ms in ((spent, EPISODES * HOUR_MS), (narrow, 1000 * HOUR_MS)):
                    started = time.process_time()
                    store.search(episodes[number].text, as_of_ms=as_of_ms)
                    took.append(1000 * (time.process_time() - started))
            size = store.counts()["bytes"]
    return [
        Figure(name="written with vectors, in batches", value=EPISODES / whole_s, unit="/s CPU", target=">= 200"),
        Figure(name="  of it the second half", value=half / (whole_s - first_s), unit="/s CPU", target=">= 200"),
        Figure(name="rebuild of a hundred thousand", value=whole_s, unit="s CPU", target="< 600", note=HASHING),
        Figure(name="search by text, everything known, median", value=statistics.median(spent), unit="ms"),
        Figure(name="search by text, one in a hundred known, median", value=statistics.median(narrow), unit="ms"),
        Figure(name="disk for each episode", value=size / EPISODES, unit="bytes"),
    ]


def _minilm(episodes: list[Episode]) -> list[Figure]:
    try:
        model = embedding(MINILM)
    except ConfigError:
        return []
    model.embed(["once, to load it"])
    started = time.process_time()
    model.embed([episode.text for episode in episodes[:MINILM_TEXTS]])
    spent = time.process_time() - started
    return [Figure(name="texts embedded by MiniLM", value=MINILM_TEXTS / spent, unit="/s", note="in plain numpy")]


def _episodes(rng: np.random.Generator) -> list[Episode]:
    states = np.round(rng.standard_normal((EPISODES, len(COMPONENTS))), 4).tolist()
    moves = (0.02 * rng.standard_normal(EPISODES)).tolist()
    found = []
    for number, (values, move) in enumerate(zip(states, moves, strict=True)):
        state, digest, decided = tuple(values), f"{number:064x}", number * HOUR_MS
        found.append(
            Episode(
                episode_id=episode_id(digest, "BTC-USDT"),
                decision_id=f"d-{number}",
                seq=number + 1,
                event_hash=digest,
                desk="bench",
                instrument="BTC-USDT",
                round_index=number,
                decided_ms=decided,
                status="held",
                action="none",
                side=0,
                state=state,
                regime=regime_of(state),
                price=100.0,
                text=f"BTC-USDT: {words_of(state)}. held, none flat. Rule number {number % 997}.",
                expected=None,
                touched_seq=number + 1,
                moved_ms=decided + DAY_MS,
                move=move,
                closed_ms=decided + DAY_MS,
                kind="counterfactual",
                net_return=0.0,
                reflection="rule-based: expected nothing it said.",
            )
        )
    return found

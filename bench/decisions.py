"""Desk-decisions a second, with graph, LiteLLM, tools, gate, journal and checkpoints, and where the time goes."""

import asyncio
import cProfile
import pstats
import tempfile
import time
from collections import Counter
from pathlib import Path

from arena import wiring
from arena.seasons.rulefile import load_rules
from arena.settings import CONFIG, Settings
from bench.figure import Figure

ROUNDS = 48
WARMUP = 4

_GROUPS = (
    ("LiteLLM and its house provider", ("/litellm/", "/agents/llm/", "/openai/", "/tiktoken/")),
    ("LangGraph and checkpoints", ("/langgraph/", "/langchain_core/", "/graphs/", "/ormsgpack/")),
    ("prompts, roles, answers", ("/agents/", "/prompts/", "/pydantic")),
    ("tools and the services under them", ("/tools/", "/features/", "/forecasting/", "/measures/", "/talib/")),
    ("engine, gate, ledger, journal", ("/trading/", "/orjson/")),
    ("event loop", ("/asyncio/", "/concurrent/", "/threading.py", "select")),
)


def measure() -> list[Figure]:
    """Play two days of the demo season with eight house desks, once for speed and once under the profiler."""
    cpu, wall, calls = asyncio.run(_play(None))
    profile = cProfile.Profile()
    asyncio.run(_play(profile))
    figures = [
        Figure(name="desk-decisions a second of CPU", value=1 / cpu, unit="/s", target=">= 40", note="8 house desks"),
        Figure(name="desk-decisions a second of wall clock", value=1 / wall, unit="/s"),
        Figure(name="CPU a decision", value=cpu * 1000, unit="ms"),
        Figure(name="model calls a decision", value=calls, unit=""),
        Figure(name="CPU a model call, everything included", value=cpu / calls * 1000, unit="ms", target="about 3"),
    ]
    return figures + _shares(profile)


async def _play(profile: cProfile.Profile | None) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings.load({"home": home})
        rules = load_rules(CONFIG / "seasons" / "demo.toml", ["season.end=2026-01-03T00:00:00Z"])
        prepared = wiring.prepare(rules, settings)
        stands: dict[int, tuple[float, float]] = {}

        def on_round(index: int) -> None:
            if index == WARMUP and profile is not None:
                profile.enable()
            stands[index] = time.process_time(), time.perf_counter()

        folder = wiring.open_run(prepared, settings)
        async with wiring.season_run(prepared, folder, settings, watch=lambda *_: on_round) as playable:
            await playable.play()
        if profile is not None:
            profile.disable()
        decisions = (ROUNDS - 1 - WARMUP) * len(prepared.setup.entrants)
        cpu, wall = (stands[ROUNDS - 1][clock] - stands[WARMUP][clock] for clock in (0, 1))
        return cpu / decisions, wall / decisions, _calls(folder.journal) / (ROUNDS * len(prepared.setup.entrants))


def _calls(journal: Path) -> int:
    from trading.storage.journal import read_events

    return sum(event.kind == "model_called" for event in read_events(journal))


def _shares(profile: cProfile.Profile) -> list[Figure]:
    spent: Counter[str] = Counter()
    for (file, _, name), row in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        place = f"{file}/{name}"
        group = next((label for label, marks in _GROUPS if any(mark in place for mark in marks)), "Python and the rest")
        spent[group] += row[2]
    total = sum(spent.values())
    return [
        Figure(name=f"  where the time goes: {label}", value=share / total * 100, unit="%")
        for label, share in spent.most_common()
    ]

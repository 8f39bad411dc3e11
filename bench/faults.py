"""A thousand desk-decisions while every fifth call of a model fails: what became of each, and whose books agree.

Four loopback makers of the tests, in a process of their own, speak four wire formats and fail in every way they know.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from arena import wiring
from arena.seasons.rulefile import load_rules
from arena.settings import Settings
from bench.figure import Figure
from trading.storage.journal import read_events

DESKS = 50
ROUNDS = 20
RATE = 0.2
DEADLINE = "6s"

_SERVER = """
import json, sys
from tests.wire import FaultPlan, MakerSetup, serve_makers
rate = float(sys.argv[1])
names = ("openai", "anthropic", "gemini", "ollama")
plans = [FaultPlan.seeded(rate, seed=number) for number in range(len(names))]
with serve_makers(*(MakerSetup(name=name, faults=plan) for name, plan in zip(names, plans))) as makers:
    print(json.dumps(dict(makers.environment)), flush=True)
    sys.stdin.readline()
    totals = [maker.ledger.totals() for maker in makers.values()]
    print(json.dumps({"in": sum(t.tokens_in for t in totals), "out": sum(t.tokens_out for t in totals)}), flush=True)
"""

_MODELS = ("openai/gpt-5.4-mini", "anthropic/claude-haiku-5-5", "gemini/gemini-3.8-flash", "ollama_chat/qwen3:8b")

_SEASON = f"""
[season]
name = "weather"
seed = 7
start = 2026-01-01T00:00:00Z
end = 2026-01-01T{ROUNDS}:00:00Z
every = "1h"
deadline = "{DEADLINE}"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]

[cassette]
mode = "off"
"""


def measure() -> list[Figure]:
    """Play the season and hold its journal against the makers' own books."""
    command = [sys.executable, "-c", _SERVER, str(RATE)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    os.environ.update(json.loads(server.stdout.readline()))
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        journal = asyncio.run(_play(Path(home)))
        spent = time.perf_counter() - started
        events = [event.event() for event in read_events(journal)]
    server.stdin.write("totals\n")
    server.stdin.flush()
    billed = json.loads(server.stdout.readline())
    server.stdin.close()
    server.wait(timeout=60)
    return _figures(events, billed, spent)


def _figures(events: list[Any], billed: dict[str, int], spent: float) -> list[Figure]:
    decided = [event.payload for event in events if event.kind == "decided"]
    calls = [event.payload for event in events if event.kind == "model_called"]
    statuses = Counter(payload["status"] for payload in decided)
    unexplained = sum(payload["status"] == "abstained" and not payload["abstain_reason"] for payload in decided)
    internal = sum("internal_error" in (payload["abstain_reason"] or "") for payload in decided)
    tokens_in = sum(call["tokens_in"] or 0 for call in calls)
    tokens_out = sum(call["tokens_out"] or 0 for call in calls)
    faulted = sum(call["outcome"] != "ok" for call in calls)
    cut_off = sum(call["tokens_in"] is None for call in calls)
    note = ", ".join(f"{status} {count}" for status, count in sorted(statuses.items()))
    return [
        Figure(name="decisions", value=len(decided), unit="", target=f"{DESKS * ROUNDS}", note=note),
        Figure(name="abstentions without a reason", value=unexplained, unit="", target="0"),
        Figure(name="decisions ended by an error of ours", value=internal, unit="", target="0"),
        Figure(name="model calls", value=len(calls), unit="", note=f"{faulted} of them failed"),
        Figure(name="prompt tokens, journal less makers", value=tokens_in - billed["in"], unit="", target="0"),
        Figure(name="answer tokens, journal less makers", value=tokens_out - billed["out"], unit="", target="0"),
        Figure(name="calls cut off, their usage unknown to the journal", value=cut_off, unit=""),
        Figure(name="wall clock a round", value=spent / ROUNDS, unit="s", note=f"deadline {DEADLINE}"),
    ]


async def _play(home: Path) -> Path:
    season = home / "season.toml"
    rows = [
        f'\n[[desk]]\nname = "desk-{number}"\nmodel = "{_MODELS[number % len(_MODELS)]}"\n' for number in range(DESKS)
    ]
    season.write_text(_SEASON + "".join(rows), encoding="utf-8")
    settings = Settings.load({"home": home})
    prepared = wiring.prepare(load_rules(season), settings)
    folder = wiring.open_run(prepared, settings)
    async with wiring.season_run(prepared, folder, settings) as playable:
        await playable.play()
    return folder.journal

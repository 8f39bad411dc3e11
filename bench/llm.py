"""Many desks of language models at once: how much longer a round takes for fifty than for one, and what it costs.

The makers are the loopback servers of the tests, in a process of their own, each call taking a fixed second.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arena import wiring
from arena.seasons.rulefile import load_rules
from arena.settings import Settings
from bench.figure import Figure

DESKS = 50
LATENCY_S = 1.0
ROUNDS = 3

_SERVER = """
import json, sys
from tests.wire import MakerSetup, serve_makers
with serve_makers(MakerSetup(name="openai", latency_s=float(sys.argv[1]))) as makers:
    print(json.dumps(dict(makers.environment)), flush=True)
    sys.stdin.read()
"""

_SEASON = """
[season]
name = "crowd"
seed = 7
start = 2026-01-01T00:00:00Z
end = 2026-01-01T{rounds:02d}:00:00Z
every = "1h"
capital = 10000

[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP"]

[cassette]
mode = "off"
"""


def measure() -> list[Figure]:
    """Rounds of one desk and of fifty, after a first one that loads what is loaded late."""
    with _makers() as environment:
        os.environ.update(environment)
        one_s, _, calls = asyncio.run(_round(1))
        many_s, cpu_s, _ = asyncio.run(_round(DESKS))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    crowd = f"{DESKS} desks at {LATENCY_S:g} s a call"
    return [
        Figure(name="a round of 1 desk", value=one_s, unit="s", note=f"{calls:g} calls a decision"),
        Figure(name=f"a round of {DESKS} desks", value=many_s, unit="s"),
        Figure(name="the longer round over the shorter", value=many_s / one_s, unit="times", target="<= 1.3"),
        Figure(name="calls on the longest path", value=one_s / LATENCY_S, unit="", target="<= 6"),
        Figure(name="CPU a decision", value=cpu_s / DESKS * 1000, unit="ms", note=crowd),
        Figure(name="peak memory", value=peak_mb, unit="MB", note=crowd),
    ]


@contextmanager
def _makers() -> Iterator[dict[str, str]]:
    command = [sys.executable, "-c", _SERVER, str(LATENCY_S)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield json.loads(server.stdout.readline())
    finally:
        server.stdin.close()
        server.wait(timeout=30)


async def _round(desks: int) -> tuple[float, float, float]:
    """Wall and CPU seconds of the last round, and calls a decision."""
    with tempfile.TemporaryDirectory() as home:
        season = Path(home) / "season.toml"
        rows = [f'\n[[desk]]\nname = "desk-{number}"\nmodel = "openai/gpt-5.4-mini"\n' for number in range(desks)]
        season.write_text(_SEASON.format(rounds=ROUNDS) + "".join(rows), encoding="utf-8")
        settings = Settings.load({"home": home})
        prepared = wiring.prepare(load_rules(season), settings)
        folder = wiring.open_run(prepared, settings)
        stands: list[tuple[float, float]] = []

        def on_round(_: int) -> None:
            stands.append((time.perf_counter(), time.process_time()))

        async with wiring.season_run(prepared, folder, settings, watch=lambda *_: on_round) as playable:
            await playable.play()
        from trading.storage.journal import read_events

        calls = sum(event.kind == "model_called" for event in read_events(folder.journal))
        (before, before_cpu), (after, after_cpu) = stands[-2], stands[-1]
        return after - before, after_cpu - before_cpu, calls / (desks * ROUNDS)

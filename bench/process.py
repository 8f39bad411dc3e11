"""What a whole process costs: start-up, first round, memory."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time

from arena.settings import CONFIG
from bench.figure import Figure

DEMO = str(CONFIG / "seasons" / "demo.toml")


def measure() -> list[Figure]:
    """``--help``, a run of a single round, and the memory of a week's season."""
    help_s = statistics.median(_seconds("--help") for _ in range(5))
    with tempfile.TemporaryDirectory() as home:
        first = ("run", DEMO, "--home", home, "--json", "--set", "season.end=2026-01-01T01:00:00Z")
        round_s = statistics.median(_seconds(*first, "--set", f"season.seed={seed}") for seed in range(1, 4))
        _seconds("run", DEMO, "--home", home, "--json", "--set", "season.end=2026-01-08T00:00:00Z")
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [
        Figure(name="tradefloor --help", value=help_s, unit="s", target="< 1"),
        Figure(
            name="a run of one round, start to exit", value=round_s, unit="s", target="< 6", note="standings included"
        ),
        Figure(name="peak memory of a headless season", value=peak_mb, unit="MB", target="< 700", note="8 desks"),
    ]


def _seconds(*arguments: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "arena.cli", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started

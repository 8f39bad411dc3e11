"""A season that goes on for days while everything goes wrong: ``python -m tests.arena.autonomous.soak --hours 24``.

The clock jumps from wait to wait, so a day of one-minute rounds takes minutes. Bars are lost, come late, must be asked
for; the exchange falls silent; the process stops and starts again, at once or after a while.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from arena.autonomous.paced_market import Pacing
from tests.arena.autonomous.followed import MINUTE_MS, Follower, rules_of
from trading.domain import EventKind
from trading.ledger.audit import audit_journal

WARM_UP = 0.25
"""The share of the rounds after which memory is no longer to grow."""


@dataclass(kw_only=True)
class Outcome:
    """What a soak came to. ``memory`` is the resident set in bytes after each twentieth of the rounds."""

    rounds: int = 0
    missed: int = 0
    starts: int = 0
    fills: int = 0
    lost_bars: int = 0
    silences: int = 0
    problem: str | None = None
    memory: list[int] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """How much memory grew after the warm-up, as a fraction."""
        kept = self.memory[int(len(self.memory) * WARM_UP) :]
        return max(kept[-3:]) / max(kept[:3]) - 1 if len(kept) > 3 else 0.0


def resident_bytes() -> int:
    """The memory this process holds now."""
    import psutil

    gc.collect()
    return int(psutil.Process().memory_info().rss)


def soak(home: Path, *, rounds: int, seed: int = 1, desks: tuple[str, ...] = ("momentum", "random")) -> Outcome:
    """Play ``rounds`` one-minute rounds through faults drawn from ``seed``."""
    rng = np.random.default_rng(seed)
    follower = Follower(rules_of(rounds=rounds, desks=desks), home, pacing=Pacing(history_bars=1000))
    start, source, timer = follower.simulated.setup.start_ms, follower.source, follower.timer
    lost = {start + int(row) * MINUTE_MS for row in rng.integers(0, rounds, max(2, rounds // 60))}
    unheard = {start + int(row) * MINUTE_MS for row in rng.integers(0, rounds, max(2, rounds // 20))}
    silent = [
        range(begin, begin + int(rng.integers(2, 8)) * MINUTE_MS)
        for begin in (start + int(row) * MINUTE_MS for row in rng.integers(5, rounds, max(1, rounds // 120)))
    ]
    source.lost = lambda symbol, at: symbol.startswith("ETH") and at in lost
    source.unheard = lambda symbol, at: symbol.startswith("BTC") and at in unheard
    source.down = lambda now: any(now in span for span in silent)
    stops = sorted({int(row) for row in rng.integers(2, rounds, max(1, rounds // 200))})
    outcome = Outcome(rounds=rounds, lost_bars=len(lost), silences=len(silent))

    def on_round(index: int) -> None:
        if index % max(1, rounds // 20) == 0:
            outcome.memory.append(resident_bytes())
        if stops and index >= stops[0]:
            stops.pop(0)
            follower.run.stop()

    ending = "interrupted"
    while ending == "interrupted":
        outcome.starts += 1
        ending = asyncio.run(follower.play(on_round))
        timer.jump(timer.now_ms() + int(rng.integers(0, 4)) * MINUTE_MS)
    report = audit_journal(follower.folder.journal)
    outcome.problem = report.problem if ending == "finished" else f"ended {ending}"
    for event in follower.events():
        outcome.fills += event.kind is EventKind.FILLED
        outcome.missed += event.kind is EventKind.ROUND_OPENED and "missed" in event.payload
    return outcome


def main() -> int:
    """Soak, print what came of it, and fail when memory grew by 5 % or the books do not hold."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--hours", type=float, default=24.0)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = soak(Path(folder), rounds=max(20, round(given.hours * 60)), seed=given.seed)
    sys.stdout.write(
        f"{outcome.rounds} rounds, {outcome.starts} starts, {outcome.missed} rounds missed, {outcome.fills} fills, "
        f"{outcome.lost_bars} bars lost, {outcome.silences} silences; books: {outcome.problem or 'clean'}; memory "
        f"{outcome.memory[0] / 1e6:.0f} MB at first, {outcome.memory[-1] / 1e6:.0f} MB at last, "
        f"{outcome.growth:+.1%} after warm-up\n"
    )
    return 1 if outcome.problem or outcome.growth >= 0.05 else 0


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.chaos N --seed S``: so many runs, each repeatable by its seed."""

import argparse
import asyncio
import sys
import time
from collections import Counter

from tests.chaos.run import run
from tests.chaos.sends import try_sends


def main() -> int:
    """Run, print what did not hold, and a summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("runs", type=int, nargs="?", default=300, help="how many (300)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the first run (1)")
    parser.add_argument("--verbose", action="store_true", help="a line for every run")
    parser.add_argument("--sends", type=int, default=10_000, help="orders sent under lost and late messages (10000)")
    wanted = parser.parse_args()
    if wanted.runs < 1 or wanted.seed < 0:
        parser.error("expected at least one run and a seed that is not negative")
    began = time.monotonic()
    outcomes = []
    for seed in range(wanted.seed, wanted.seed + wanted.runs):
        outcome = asyncio.run(run(seed))
        outcomes.append(outcome)
        if outcome.problems or wanted.verbose:
            sys.stdout.write(outcome.line() + "\n")
            sys.stdout.flush()
    broken = [outcome for outcome in outcomes if outcome.problems]
    kills = Counter(instant for outcome in outcomes for instant in outcome.instants)
    where = ", ".join(f"{count} {instant}" for instant, count in sorted(kills.items()))
    sys.stdout.write(
        f"{len(outcomes)} runs, {sum(kills.values())} kills ({where}), "
        f"{sum(o.orders for o in outcomes)} orders, {sum(o.fills for o in outcomes)} fills in "
        f"{time.monotonic() - began:.0f} s: {len(broken)} broken\n"
    )
    tried = try_sends(wanted.sends, seed=wanted.seed) if wanted.sends > 0 else None
    if tried is not None:
        sys.stdout.write(f"{tried.sent} sends: {tried.duplicates} duplicates, {tried.lost_fills} lost fills\n")
    return 1 if broken or (tried is not None and tried.duplicates + tried.lost_fills) else 0


if __name__ == "__main__":
    sys.exit(main())

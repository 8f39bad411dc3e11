"""What evals cost: the leaderboard of many desks, matched random traders, a long record of attempts."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.figure import Figure
from bench.scoring import HOUR_MS, record
from evals.attempts import AttemptStatus, AttemptStore
from evals.leaderboard import PlayedSeason, leaderboard
from evals.records import MarketRecord
from evals.scenarios import simulated_states
from evals.scoring import Score
from evals.suite import find_suite
from evals.variant import read_variants
from trading.stats import holdings, luck_percentile

_YEAR = 8760
_DESKS = 50
_ATTEMPTS = 10_000


def measure() -> list[Figure]:
    """The figures, one after the other."""
    return [_traders(), _board(), *_attempts()]


def _traders() -> Figure:
    market = _market()
    desk = record("desk", np.random.default_rng(1), market.ts_ms)
    held = holdings(desk.quantities, market.closes, desk.equity)
    started = time.process_time()
    luck_percentile(held, market.closes, allows_short=market.allows_short, rng=np.random.default_rng(1))
    spent = time.process_time() - started
    return Figure(name="1,000 matched random traders, a year hourly, 3 instruments", value=spent, unit="s CPU")


def _board() -> Figure:
    market = _market()
    rng = np.random.default_rng(2)
    desks = tuple(replace(record(f"desk-{number}", rng, market.ts_ms), decisions=_YEAR) for number in range(_DESKS))
    played = PlayedSeason(
        run_id="year", season="year", kind="replay", content="year", head="year", market=market, desks=desks
    )
    started = time.perf_counter()
    leaderboard([played], trials=_DESKS, rng=np.random.default_rng(3))
    return Figure(
        name=f"leaderboard of {_DESKS} desks over a year hourly, every interval, {_DESKS * (_DESKS - 1) // 2} pairs",
        value=time.perf_counter() - started,
        unit="s",
    )


def _attempts() -> list[Figure]:
    suite, (desk,) = find_suite("decisions"), read_variants(["house/momentum"])
    cases = simulated_states(100)
    scores = [(one, Score(value=0.5)) for one in suite.scorers]
    with tempfile.TemporaryDirectory() as folder, AttemptStore(Path(folder) / "attempts.sqlite") as store:
        store._db.execute("PRAGMA synchronous = OFF")  # noqa: SLF001  # filling it is not what is measured
        for number in range(_ATTEMPTS):
            store.add(
                suite, cases[number % 100], desk, number // 100, trial=None, status=AttemptStatus.DONE, scores=scores
            )
        started = time.perf_counter()
        found = store.attempts(suite=suite.name, status=AttemptStatus.DONE)
        listed = time.perf_counter() - started
        started = time.perf_counter()
        store.scores(suite=suite.name, variant=desk.sha256, scorer=suite.scorer())
        scored = time.perf_counter() - started
    return [
        Figure(name=f"{len(found):,} attempts listed and filtered", value=listed, unit="s"),
        Figure(name=f"{len(found):,} scores of one scorer read", value=scored, unit="s"),
    ]


def _market() -> MarketRecord:
    rng = np.random.default_rng(7)
    return MarketRecord(
        ts_ms=np.arange(_YEAR + 1, dtype=np.int64) * HOUR_MS,
        closes=100 * np.exp(np.cumsum(rng.normal(0, 0.005, (3, _YEAR + 1)), axis=1)),
        step_ms=HOUR_MS,
        allows_short=np.ones(3, dtype=np.bool_),
    )

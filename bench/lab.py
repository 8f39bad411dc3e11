"""What the lab and the site cost: a matrix with its verdict over a long record, a page of many desks."""

import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from agents.llm import complete
from arena.evaluating import conditions_of
from arena.settings import Settings
from arena.ui.board.page import board_page
from bench.evals import _market
from bench.figure import Figure
from bench.scoring import record
from evals.attempts import AttemptStatus, AttemptStore
from evals.executors import InProcess, Processes
from evals.leaderboard import PlayedSeason, leaderboard
from evals.promptlab.matrix import matrix
from evals.promptlab.verdict import verdicts
from evals.runner import missing, run_suite
from evals.scenarios import simulated_states
from evals.suite import find_suite
from evals.trial import try_case
from evals.variant import read_variants

_ATTEMPTS = 2_000
_DESKS = 50
_FANNED = 12


def measure() -> list[Figure]:
    """The figures, one after the other."""
    return [_matrix(), _site(), *_workers()]


def _matrix() -> Figure:
    """Two variants on 100 cases, 10 epochs each: the same stored answer, so that reading and testing is what counts."""
    suite, desks = find_suite("decisions"), read_variants(["a=house/momentum", "b=house/random"])
    cases = simulated_states(100)
    conditions = conditions_of(Settings.load())
    with tempfile.TemporaryDirectory() as folder, AttemptStore(Path(folder) / "attempts.sqlite") as store:
        store._db.execute("PRAGMA synchronous = OFF")  # noqa: SLF001  # filling it is not what is measured
        trial = asyncio.run(try_case(cases[0], desks[0], conditions, complete))
        scores = [(one, one.score(cases[0], trial)) for one in suite.scorers]
        for number in range(_ATTEMPTS):
            desk, case = desks[number % 2], cases[(number // 2) % 100]
            store.add(suite, case, desk, number // 200, trial=trial, status=AttemptStatus.DONE, scores=scores)
        started = time.perf_counter()
        rows = matrix(suite, cases, desks, store, scorer=suite.scorer())
        verdicts(store, suite, rows, desks[1:], desks[0], scorer=None, split="dev")
        return Figure(
            name=f"matrix and verdict over {_ATTEMPTS:,} attempts", value=time.perf_counter() - started, unit="s"
        )


def _site() -> Figure:
    market, rng = _market(), np.random.default_rng(2)
    desks = tuple(replace(record(f"desk-{number}", rng, market.ts_ms), decisions=8760) for number in range(_DESKS))
    played = PlayedSeason(
        run_id="year", season="year", kind="replay", content="year", head="year", market=market, desks=desks
    )
    board = leaderboard([played], trials=_DESKS, rng=np.random.default_rng(3))
    started = time.perf_counter()
    size = len(board_page(board, ()).encode())
    spent = time.perf_counter() - started
    return Figure(name=f"page of {_DESKS} desks", value=spent, unit="s", note=f"{size / 1e6:.2f} MB")


def _workers() -> list[Figure]:
    suite, desks = find_suite("decisions"), read_variants(["house/momentum"])
    conditions = conditions_of(Settings.load())
    figures = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder, AttemptStore(Path(folder) / "attempts.sqlite") as store:
            tasks, _ = missing(suite, simulated_states(_FANNED), desks, 1, store)
            started = time.perf_counter()
            if workers == 1:
                asyncio.run(run_suite(suite, tasks, store=store, executor=InProcess(conditions, complete)))
            else:
                with Processes(workers, conditions) as executor:
                    asyncio.run(run_suite(suite, tasks, store=store, executor=executor))
            spent = time.perf_counter() - started
        name = f"{_FANNED} attempts of a rule-based desk, {workers} worker{'s' if workers > 1 else ''}"
        figures.append(Figure(name=name, value=spent, unit="s", note="with the start of the workers"))
    return figures

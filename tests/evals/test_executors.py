"""Workers give what one process gives, and a lost worker costs nothing but its time."""

import asyncio
import os
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

from agents.llm import complete
from evals.attempts import AttemptStatus, AttemptStore
from evals.case import Case
from evals.executors import Divided, InProcess, OnRay, Processes, Task
from evals.runner import missing, run_suite
from evals.stage import Conditions
from evals.suite import find_suite
from evals.variant import read_variants
from trading.domain.errors import ConfigError, ModelUnavailable

SUITE = find_suite("decisions")
DESKS = read_variants(["house/momentum", "house/random"])


def table(store: AttemptStore) -> list[object]:
    return [store.scores(suite="decisions", variant=desk.sha256, scorer=one) for desk in DESKS for one in SUITE.scorers]


@pytest.mark.slow
def test_workers_give_the_same_table_even_when_one_is_killed(
    cases: list[Case], tmp_path: Path, conditions: Conditions
) -> None:
    with AttemptStore(tmp_path / "here.sqlite") as here, AttemptStore(tmp_path / "spread.sqlite") as spread:
        tasks, _ = missing(SUITE, cases[:2], DESKS, 1, here)
        asyncio.run(run_suite(SUITE, tasks, store=here, executor=InProcess(conditions, complete)))
        killed: list[int] = []
        with Processes(1, conditions) as workers:

            def kill(*_: object) -> None:
                if not killed:
                    killed.extend(workers.processes())
                    for process in killed:
                        os.kill(process, signal.SIGKILL)

            tally = asyncio.run(run_suite(SUITE, tasks, store=spread, executor=workers, on_done=kill))
        assert killed
        assert (tally.done, tally.errors) == (4, 0)
        assert table(spread) == table(here)
        assert len(spread.attempts(status=AttemptStatus.DONE)) == 4


def test_desks_with_a_language_model_stay_in_this_process(cases: list[Case], conditions: Conditions) -> None:
    class Told:
        def __init__(self) -> None:
            self.tasks: list[Task] = []

        async def attempt(self, task: Task, number: int) -> None:
            self.tasks.append(task)

    here, there = Told(), Told()
    rules = DESKS[0]
    model = rules.model_copy(update={"model": "openai/gpt-5"})
    divided = Divided(here, there)  # type: ignore[arg-type]
    for variant in (rules, model):
        asyncio.run(divided.attempt(Task(case=cases[0], variant=variant, epoch=0), 0))
    assert [one.variant for one in here.tasks] == [model]
    assert [one.variant for one in there.tasks] == [rules]


def test_a_failing_model_is_an_error_in_this_process_too(
    cases: list[Case], store: AttemptStore, conditions: Conditions
) -> None:
    async def nobody(request: object) -> None:
        raise ModelUnavailable("nobody is there", reason="unavailable")

    tasks, _ = missing(SUITE, cases[:1], DESKS[:1], 1, store)
    executor = InProcess(conditions, nobody)  # type: ignore[arg-type]
    assert asyncio.run(run_suite(SUITE, tasks, store=store, executor=executor, tries=1)).errors == 1


def test_ray_that_is_missing_or_out_of_reach_is_said_in_one_line(conditions: Conditions) -> None:
    said = "pip install" if find_spec("ray") is None else "cannot be reached"
    with pytest.raises(ConfigError, match=said):
        OnRay("127.0.0.1:1", conditions)


def test_an_executor_or_what_it_is_made_of_must_be_given(store: AttemptStore) -> None:
    with pytest.raises(ValueError, match="executor"):
        asyncio.run(run_suite(SUITE, [], store=store))

"""Where attempts are made: in this process, in several, or on a Ray cluster; the same trials everywhere.

What comes back is stored and scored by the one process that runs the suite. Desks with a language model are always
tried in that process, which holds the budget and the cassette: they wait, and need no processor. A worker that is lost
costs only the attempts it had in hand, which are made again.
"""

import asyncio
import importlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from agents.llm import Complete, complete
from evals.case import Case
from evals.stage import Conditions
from evals.trial import Trial, try_case
from evals.variant import Variant
from prompts import use_prompts
from trading.domain.errors import ConfigError, TradefloorError

MOST_LOSSES = 5
"""How many workers may be lost in a run before it gives up."""


class WorkerLost(TradefloorError):
    """Workers ended again and again before they could answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One attempt that is to be made."""

    case: Case
    variant: Variant
    epoch: int


class Executor(Protocol):
    """Makes tries."""

    async def attempt(self, task: Task, number: int) -> Trial:
        """The ``number``-th try of a task."""


class InProcess:
    """Tries in this process, side by side while they wait for models."""

    def __init__(self, conditions: Conditions, ask: Complete) -> None:
        self._conditions = conditions
        self._ask = ask

    async def attempt(self, task: Task, number: int) -> Trial:
        """The ``number``-th try of a task."""
        return await try_case(task.case, task.variant, self._conditions, self._ask, epoch=task.epoch, attempt=number)


class Divided:
    """Rule-based desks, which compute, go to the ``workers``; desks with a language model stay ``here``."""

    def __init__(self, here: Executor, workers: Executor) -> None:
        self._here = here
        self._workers = workers

    async def attempt(self, task: Task, number: int) -> Trial:
        """The ``number``-th try of a task."""
        return await (self._workers if task.variant.is_rule_based else self._here).attempt(task, number)


class Processes:
    """Tries of rule-based desks in ``workers`` processes of this machine. Raises WorkerLost when they keep dying."""

    def __init__(self, workers: int, conditions: Conditions, prompts: Path | None = None) -> None:
        self._workers = workers
        self._given = (conditions, prompts)
        self._losses = 0
        self._pool = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def processes(self) -> list[int]:
        """The ids of the workers that run now."""
        return list(self._pool._processes or {})  # noqa: SLF001  # the pool has no other way to say

    async def attempt(self, task: Task, number: int) -> Trial:
        """The ``number``-th try of a task, in whichever worker is free."""
        while True:
            pool = self._pool
            try:
                made = await asyncio.get_running_loop().run_in_executor(pool, _tried, *self._given, task, number)
            except BrokenProcessPool as error:
                self._renew(pool, error)
                continue
            return Trial.from_bytes(made)

    def _renew(self, broken: ProcessPoolExecutor, error: Exception) -> None:
        """A fresh pool in place of a broken one; every try that was waiting for it comes here, the first one acts."""
        if self._pool is not broken:
            return
        self._losses += 1
        if self._losses > MOST_LOSSES:
            raise WorkerLost(
                f"{self._losses} workers ended before they could answer, the last one so: {error}; "
                "what was done is stored, the same command goes on; try fewer --workers"
            ) from error
        broken.shutdown(wait=False, cancel_futures=True)
        self._pool = self._open()

    def _open(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._workers, mp_context=multiprocessing.get_context("spawn"))


class OnRay:
    """Tries of rule-based desks as tasks of the Ray cluster at ``address``; ``local`` starts one on this machine.

    Every node needs the program and the data at the same paths. Ray makes a try again when its worker is lost. Raises
    ConfigError where Ray is missing or cannot be reached.
    """

    def __init__(self, address: str, conditions: Conditions, prompts: Path | None = None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            self._ray: Any = importlib.import_module("ray")
        except ImportError:
            raise ConfigError(
                '--ray: Ray is not installed; type `pip install "ray>=2.50,<3"` here and on every node'
            ) from None
        where = {} if address == "local" else {"address": address}
        try:
            self._ray.init(**where, include_dashboard=False, log_to_driver=False)
        except Exception as error:  # noqa: BLE001  # Ray raises whatever its transport raises
            raise ConfigError(f"--ray {address}: cannot be reached ({type(error).__name__}: {error})") from None
        self._tried = self._ray.remote(max_retries=MOST_LOSSES)(_tried)
        self._given = [self._ray.put(one) for one in (conditions, prompts)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    async def attempt(self, task: Task, number: int) -> Trial:
        """The ``number``-th try of a task, on whichever node is free."""
        return Trial.from_bytes(await self._tried.remote(*self._given, task, number))


_loops: list[asyncio.Runner] = []
"""The loop of a worker: what connects to models belongs to one, so it is kept."""


def _tried(conditions: Conditions, prompts: Path | None, task: Task, number: int) -> bytes:
    """A try in a worker, as bytes."""
    use_prompts(prompts)
    if not _loops:
        _loops.append(asyncio.Runner())
    return _loops[0].run(InProcess(conditions, complete).attempt(task, number)).to_bytes()

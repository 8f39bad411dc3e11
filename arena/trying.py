"""Making the attempts of a suite that are missing: which cases, in which processes, by which road to the models."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from arena.evaluating import conditions_of, open_eval_road
from arena.registration import prompt_folder
from arena.settings import Settings
from evals.attempts import AttemptStatus, AttemptStore
from evals.case import Case
from evals.executors import Divided, InProcess, OnRay, Processes, Task
from evals.runner import AT_ONCE, Tally, run_suite
from evals.suite import Suite
from trading.domain.errors import RequestError

OnDone = Callable[[Task, AttemptStatus], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """Where attempts of rule-based desks are made: in ``workers`` processes, on the Ray cluster ``ray``, or here.

    One worker is this process, unless they are to be made ``apart`` from it.
    """

    workers: int = 1
    ray: str | None = None
    apart: bool = False

    def __post_init__(self) -> None:
        if self.workers > 1 and self.ray is not None:
            raise RequestError("--workers and --ray: found both, expected one of them")

    def open(self, settings: Settings) -> AbstractContextManager[Processes | OnRay | None]:
        """The workers, None for none. Raises ConfigError where Ray is missing."""
        if self.ray is not None:
            return OnRay(self.ray, conditions_of(settings), prompt_folder(settings))
        if self.workers > 1 or self.apart:
            return Processes(self.workers, conditions_of(settings), prompt_folder(settings))
        return nullcontext()


IN_PROCESS = FanOut()


def chosen_cases(suite: Suite, settings: Settings, split: str, count: int | None) -> list[Case]:
    """The first ``count`` cases of a split, all of them for None. Raises RequestError where there are none."""
    chosen = [case for case in suite.cases(settings.data_root) if case.split == split][:count]
    if not chosen:
        raise RequestError(f"suite {suite.name} has no {split} cases here; recorded ones need --data-root")
    return chosen


async def make_attempts(
    suite: Suite,
    tasks: Sequence[Task],
    store: AttemptStore,
    settings: Settings,
    *,
    cap_usd: float | None,
    on_done: OnDone,
    fan_out: FanOut = IN_PROCESS,
    at_once: int = AT_ONCE,
) -> Tally:
    """Make ``tasks`` and store each attempt as it ends; ending early loses only those in flight."""
    with fan_out.open(settings) as workers:
        async with open_eval_road(settings, cap_usd=cap_usd) as road:
            here = InProcess(conditions_of(settings), road)
            return await run_suite(
                suite,
                tasks,
                store=store,
                executor=here if workers is None else Divided(here, workers),
                at_once=max(at_once, 2 * fan_out.workers) if fan_out.ray is None else at_once * 16,
                on_done=on_done,
            )

"""Running a suite: whatever is missing of cases, variants and epochs, within a budget, as fast as the models allow."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agents.llm import BUDGET_REASONS, Complete
from evals.attempts import AttemptStatus, AttemptStore, attempt_key
from evals.case import Case
from evals.executors import Executor, InProcess, Task
from evals.scoring import Score, Scorer
from evals.stage import Conditions
from evals.suite import Suite
from evals.trial import Trial
from evals.variant import Variant

AT_ONCE = 16
MOST_TRIES = 3

_TRANSPORT = frozenset({"timeout", "rate_limited", "unavailable", "garbled", "busy", "auth", "unknown_model"})
"""Reasons to abstain that say nothing about the model behind the desk: the attempt is an error and is tried again."""


@dataclass(slots=True)
class Tally:
    """How a run went: attempts done, ended in an error, found done already, and not begun for want of money."""

    done: int = 0
    errors: int = 0
    found: int = 0
    unpaid: int = 0


def missing(
    suite: Suite, cases: Sequence[Case], variants: Sequence[Variant], epochs: int, store: AttemptStore
) -> tuple[list[Task], int]:
    """What has to be tried, case by case so that early results are paired, and how many attempts are there already."""
    tasks = [
        Task(case=case, variant=variant, epoch=epoch)
        for epoch in range(epochs)
        for case in cases
        for variant in variants
    ]
    keys = [attempt_key(suite, task.case, task.variant, task.epoch) for task in tasks]
    done = store.done(keys)
    return [task for task, key in zip(tasks, keys, strict=True) if key not in done], len(done)


async def run_suite(
    suite: Suite,
    tasks: Sequence[Task],
    *,
    store: AttemptStore,
    conditions: Conditions | None = None,
    complete: Complete | None = None,
    executor: Executor | None = None,
    at_once: int = AT_ONCE,
    tries: int = MOST_TRIES,
    on_done: Callable[[Task, AttemptStatus], None] = lambda task, status: None,
) -> Tally:
    """Make every attempt of ``tasks`` and store each as it ends; ending early loses only those in flight.

    Attempts are made by ``executor``, in this process under ``conditions`` with ``complete`` where none is given.
    An attempt that ends in an error is stored as one and tried again, at most ``tries`` times in one run. Once a
    budget is spent nothing more is begun.
    """
    if executor is None:
        if conditions is None or complete is None:
            raise ValueError("give an executor, or conditions and what completes")
        executor = InProcess(conditions, complete)
    tally = Tally()
    room = asyncio.Semaphore(at_once)
    spent = asyncio.Event()

    async def make(task: Task) -> None:
        async with room:
            if spent.is_set():
                tally.unpaid += 1
                return
            try:
                status = await _attempt(suite, task, store, executor, tries, spent)
                if status is not None:
                    on_done(task, status)
            except BaseException:
                spent.set()  # those that wait their turn are not begun
                raise
        tally.unpaid += status is None
        tally.done += status is AttemptStatus.DONE
        tally.errors += status is AttemptStatus.ERROR

    making = [asyncio.ensure_future(make(task)) for task in tasks]
    try:
        await asyncio.gather(*making)
    finally:
        for one in making:
            one.cancel()
        await asyncio.gather(*making, return_exceptions=True)
    return tally


async def _attempt(
    suite: Suite,
    task: Task,
    store: AttemptStore,
    executor: Executor,
    tries: int,
    spent: asyncio.Event,
) -> AttemptStatus | None:
    """One attempt, tried again while it ends in an error. None when the budget did not let it."""
    before = store.tries(attempt_key(suite, task.case, task.variant, task.epoch))
    for number in range(tries):
        trial = await executor.attempt(task, before + number)
        reason = _cause(trial)
        if reason in BUDGET_REASONS:
            spent.set()
            return None
        status = AttemptStatus.ERROR if reason in _TRANSPORT else AttemptStatus.DONE
        scores = () if status is AttemptStatus.ERROR else score_all(suite.scorers, task.case, trial)
        store.add(
            suite,
            task.case,
            task.variant,
            task.epoch,
            trial=trial,
            status=status,
            reason=trial.decision.abstain_reason or "",
            scores=scores,
        )
        if status is AttemptStatus.DONE:
            return status
    return AttemptStatus.ERROR


def score_all(scorers: Sequence[Scorer], case: Case, trial: Trial) -> list[tuple[Scorer, Score]]:
    """What every scorer says of a trial."""
    return [(one, one.score(case, trial)) for one in scorers]


def rescore(suite: Suite, cases: Sequence[Case], store: AttemptStore) -> tuple[int, int]:
    """Run the scorers again on every stored attempt of a suite; nothing is asked of any model.

    Gives how many attempts were scored, and how many are about cases that the suite no longer has.
    """
    by_id = {case.case_id: case for case in cases}
    scored = strange = 0
    for attempt in store.attempts(suite=suite.name, status=AttemptStatus.DONE):
        case, trial = by_id.get(attempt.case_id), store.trial(attempt.seq)
        if case is None or trial is None:
            strange += 1
            continue
        store.rescore(attempt.seq, score_all(suite.scorers, case, trial))
        scored += 1
    score_across(suite, cases, store)
    return scored, strange


def score_across(
    suite: Suite, cases: Sequence[Case], store: AttemptStore, *, variants: Sequence[str] | None = None
) -> None:
    """Run the scorers that need all tries of a group, on every variant (by digest) or on ``variants`` alone."""
    scorers = [one for one in suite.scorers if one.across is not None]
    if not scorers:
        return
    by_id = {case.case_id: case for case in cases}
    groups: dict[tuple[str, str], list[tuple[int, Case, Trial]]] = defaultdict(list)
    for attempt in store.attempts(suite=suite.name, status=AttemptStatus.DONE):
        case = by_id.get(attempt.case_id)
        if case is None or (variants is not None and attempt.variant_sha256 not in variants):
            continue
        trial = store.trial(attempt.seq)
        if trial is not None:
            groups[attempt.variant_sha256, case.twin or case.case_id].append((attempt.seq, case, trial))
    for tries in groups.values():
        for seq, case, trial in tries:
            others = [(other, tried) for number, other, tried in tries if number != seq]
            store.rescore(seq, [(one, one.across(case, trial, others)) for one in scorers if one.across is not None])


def _cause(trial: Trial) -> str:
    """The reason of an abstention without the role it came from, empty for a decision."""
    return (trial.decision.abstain_reason or "").partition(": ")[2]

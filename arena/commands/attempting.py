"""Making what is missing of a suite, its price told before and its progress shown: shared by `eval run` and `lab`."""

import asyncio
from collections.abc import Sequence
from typing import Any

from arena.commands.output import say
from arena.commands.progress import RoundProgress
from arena.evaluating import estimated_usd
from arena.settings import Settings
from arena.trying import IN_PROCESS, FanOut, make_attempts
from evals.attempts import AttemptStatus, AttemptStore
from evals.case import Case
from evals.executors import Task
from evals.runner import AT_ONCE, Tally, missing, score_across
from evals.suite import Suite
from evals.variant import Variant
from trading.domain.errors import BudgetExceeded, TradefloorError


class EvalIncomplete(TradefloorError):
    """Some attempts ended in an error."""


def make_missing(
    suite: Suite,
    cases: Sequence[Case],
    desks: Sequence[Variant],
    epochs: int,
    store: AttemptStore,
    settings: Settings,
    *,
    cap_usd: float | None,
    fan_out: FanOut = IN_PROCESS,
    at_once: int = AT_ONCE,
) -> Tally:
    """Make the attempts that are not on record yet, after saying what they may cost, and score them."""
    tasks, found = missing(suite, cases, desks, epochs, store)
    _tell_cost(tasks, desks, store, cap_usd)
    tally = asyncio.run(_make(suite, tasks, store, settings, cap_usd, fan_out, at_once)) if tasks else Tally()
    tally.found = found
    score_across(suite, cases, store, variants=[desk.sha256 for desk in desks])
    return tally


def attempts_json(tally: Tally) -> dict[str, Any]:
    """The entry of ``attempts``."""
    return {"found": tally.found, "done": tally.done, "errors": tally.errors, "unpaid": tally.unpaid}


def raise_incomplete(tally: Tally, cap_usd: float | None) -> None:
    """Raise BudgetExceeded or EvalIncomplete where something is missing still."""
    if tally.unpaid:
        raise BudgetExceeded(
            f"the budget of ${cap_usd or 0:g} ran out: {tally.unpaid} attempts were not made; the same command goes on"
        )
    if tally.errors:
        raise EvalIncomplete(f"{tally.errors} attempts ended in an error; the same command tries them again")


async def _make(
    suite: Suite,
    tasks: Sequence[Task],
    store: AttemptStore,
    settings: Settings,
    cap_usd: float | None,
    fan_out: FanOut,
    at_once: int,
) -> Tally:
    done = 0
    with RoundProgress(len(tasks), unit="attempt") as progress:
        progress.start(0)

        def on_done(task: Task, status: AttemptStatus) -> None:
            nonlocal done
            progress.advance(done)
            done += 1

        return await make_attempts(
            suite, tasks, store, settings, cap_usd=cap_usd, on_done=on_done, fan_out=fan_out, at_once=at_once
        )


def _tell_cost(tasks: Sequence[Task], desks: Sequence[Variant], store: AttemptStore, cap_usd: float | None) -> None:
    for desk in desks:
        count = sum(task.variant is desk for task in tasks)
        if not count or desk.is_rule_based:
            continue
        estimate = estimated_usd(desk, count, store=store)
        about = "at a price that is not known" if estimate is None else f"for about ${estimate:.2f}"
        bound = "" if cap_usd is None else f", at most ${cap_usd:g} in all"
        say(f"{desk.name}: {count} attempts {about}{bound}")

"""The lab at work: it keeps comparisons, makes their attempts beside the app, and says what was found so far."""

import asyncio
from collections.abc import Hashable
from contextlib import suppress

from arena.access import Caller, Role
from arena.beside import Beside, Known
from arena.evaluating import eval_folder, open_attempts, read_desks, use_home
from arena.jobs import Cancelled, Job, Jobs, Ticket
from arena.lab.case_file import CaseFile, case_file
from arena.lab.comparison import Comparison, ComparisonShelf
from arena.lab.findings import SPLIT, Findings, find
from arena.settings import Settings
from arena.trying import FanOut, chosen_cases, make_attempts
from evals.attempts import AttemptStatus, AttemptStore, latest_attempt
from evals.executors import Task
from evals.runner import Tally, missing, score_across
from evals.suite import Suite, find_suite
from prompts.library import point_alias
from trading.domain.clock import SystemClock
from trading.domain.errors import RequestError

APART = FanOut(apart=True)
"""Rules compute in a process of their own, so that they take nothing from a season that trades in this one."""

_PARTS = 12
"""How often the findings are looked at while attempts are made."""


class Laboratory:
    """Comparisons of a served house. Safe to call from several threads."""

    def __init__(self, settings: Settings, jobs: Jobs, *, fan_out: FanOut = APART) -> None:
        self._settings = settings
        self._jobs = jobs
        self._fan_out = fan_out
        self._shelf = ComparisonShelf(settings)
        self._known: Beside[Findings] = Beside("lab findings", jobs)
        self._files: Beside[CaseFile | None] = Beside("lab case", jobs, most=16)

    def edition(self) -> Hashable:
        """Another value whenever something of the lab may have changed."""
        return self._jobs.version, self._shelf.stamp(), self._made()

    def comparisons(self) -> list[Comparison]:
        """Every comparison, the newest first."""
        return list(self._shelf.all())

    def get(self, comparison_id: str) -> Comparison | None:
        """A comparison, the newest for an empty id."""
        return self._shelf.get(comparison_id)

    def job(self, comparison: Comparison) -> Job | None:
        """How making its attempts goes, None where nobody asked for it in this process."""
        return self._jobs.get(_key(comparison))

    def findings(self, comparison: Comparison) -> Known[Findings]:
        """What is known of it now; while attempts are made it follows them now and then."""
        job = self.job(comparison)
        part: Hashable = self._made()
        if job is not None and job.is_running:
            part = ("making", job.done * _PARTS // max(1, job.total or 1))
        return self._known.ask(
            comparison.comparison_id,
            lambda ticket: find(comparison, self._settings),
            edition=(comparison.cases, part),
        )

    def case_file(self, comparison: Comparison, case_id: str) -> Known[CaseFile | None]:
        """Everything on record of one case."""
        return self._files.ask(
            f"{comparison.comparison_id} {case_id}",
            lambda ticket: case_file(comparison, case_id, self._settings),
            edition=self._made(),
        )

    def start(self, comparison: Comparison, caller: Caller) -> Comparison:
        """Keep a comparison and make its attempts beside the app.

        Raises RequestError or ConfigError, before anything is made, for what cannot be compared.
        """
        caller.check(Role.TRADER)
        suite = find_suite(comparison.suite)
        chosen_cases(suite, self._settings, SPLIT, comparison.cases)
        desks = read_desks((comparison.baseline, *comparison.candidates), self._settings)
        if not comparison.cap_usd and not all(desk.is_rule_based for desk in desks):
            raise RequestError(
                "language models are asked only under a budget: say how many dollars it may cost at most"
            )
        kept = comparison.model_copy(update={"by": caller.name, "at_ms": SystemClock().now_ms()})
        running = self.job(kept)
        if running is not None and running.is_running:
            raise RequestError("this comparison is being made already; wait for it or cancel it")
        self._shelf.put(kept)
        self._jobs.start(_key(kept), f"Comparing on {suite.name}", lambda ticket: self._make(kept, ticket))
        return kept

    def go_on(self, comparison_id: str, caller: Caller, *, more: int = 0) -> Comparison:
        """Make what is missing of a comparison, ``more`` cases included."""
        found = self._of(comparison_id)
        return self.start(found.model_copy(update={"cases": found.cases + more}), caller)

    def cancel(self, comparison_id: str, caller: Caller) -> None:
        """End making it; what was made is kept."""
        caller.check(Role.TRADER)
        self._jobs.cancel(_key(self._of(comparison_id)))

    def promote(self, comparison_id: str, candidate: int, caller: Caller) -> str:
        """Let ``role/production`` mean the prompts of a candidate, by its number from 0, and say what changed.

        The record is read anew for it. Raises RequestError with whatever stands in the way.
        """
        caller.check(Role.ADMIN)
        found = find(self._of(comparison_id), self._settings)
        if not 0 <= candidate < len(found.promotions):
            raise RequestError("nothing can be promoted: the comparison has no verdict on that candidate yet")
        promotion = found.promotions[candidate]
        if not promotion.is_open:
            raise RequestError(f"not promoted: {'; '.join(promotion.obstacles)}")
        use_home(self._settings)
        moved = [
            (role, point_alias(f"{role}/production", prompt), prompt) for role, prompt in promotion.prompts.items()
        ]
        return "; ".join(
            f"{role}/production means {prompt} now, before it was {before}" for role, before, prompt in moved
        )

    def _of(self, comparison_id: str) -> Comparison:
        found = self._shelf.get(comparison_id)
        if found is None:
            raise RequestError("there is no such comparison; set one up and run it")
        return found

    def _made(self) -> int:
        return latest_attempt(eval_folder(self._settings) / "attempts.sqlite")

    def _make(self, comparison: Comparison, ticket: Ticket) -> str:
        suite = find_suite(comparison.suite)
        desks = read_desks((comparison.baseline, *comparison.candidates), self._settings)
        cases = chosen_cases(suite, self._settings, SPLIT, comparison.cases)
        with open_attempts(self._settings) as store:
            tasks, found = missing(suite, cases, desks, 1, store)
            ticket.report(0, len(tasks))
            tally = asyncio.run(self._attempts(suite, tasks, store, comparison, ticket)) if tasks else Tally()
            score_across(suite, cases, store, variants=[desk.sha256 for desk in desks])
        if tally.unpaid:
            raise RequestError(
                f"the budget of ${comparison.cap_usd:g} ran out, {tally.unpaid} attempts were not made; run it again "
                "with a larger one, what was made is kept"
            )
        errors = f", {tally.errors} ended in an error and can be tried again" if tally.errors else ""
        return f"{tally.done} attempts made, {found} were on record{errors}"

    async def _attempts(
        self, suite: Suite, tasks: list[Task], store: AttemptStore, comparison: Comparison, ticket: Ticket
    ) -> Tally:
        """The attempts, ended from another thread where the job is cancelled."""
        done = 0

        def on_done(task: Task, status: AttemptStatus) -> None:
            nonlocal done
            done += 1
            ticket.report(done, len(tasks))

        making = asyncio.ensure_future(
            make_attempts(
                suite,
                tasks,
                store,
                self._settings,
                cap_usd=comparison.cap_usd or None,
                on_done=on_done,
                fan_out=self._fan_out,
            )
        )
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # it came to its end in this very moment
                loop.call_soon_threadsafe(making.cancel)

        ticket.on_cancel(wake)
        try:
            return await making
        except asyncio.CancelledError:
            raise Cancelled(
                f"cancelled after {done} of {len(tasks)} attempts; they are kept, run it again to go on"
            ) from None


def _key(comparison: Comparison) -> str:
    return f"lab-{comparison.comparison_id}"

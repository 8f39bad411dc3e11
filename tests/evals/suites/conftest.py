"""A suite run on scripted models: what every scorer makes of them."""

import asyncio
from collections.abc import Callable, Sequence
from statistics import fmean

import pytest

from agents.llm import Complete
from evals.attempts import AttemptStore
from evals.case import Case
from evals.runner import missing, run_suite, score_across
from evals.stage import Conditions
from evals.suite import Suite, find_suite
from evals.variant import Variant

Run = Callable[..., "Ran"]


class Ran:
    """The attempts of one suite in a store."""

    def __init__(self, suite: Suite, store: AttemptStore) -> None:
        self.suite, self.store = suite, store

    def scores(self, variant: Variant, scorer: str) -> dict[tuple[str, int], float | None]:
        """Scores by case and epoch; None is unscored."""
        rows = self.store.scores(suite=self.suite.name, variant=variant.sha256, scorer=self.suite.scorer(scorer))
        return {(row.case_id, row.epoch): row.value for row in rows}

    def mean(self, variant: Variant, scorer: str) -> float | None:
        """The mean of what is scored, None where nothing is."""
        known = [value for value in self.scores(variant, scorer).values() if value is not None]
        return fmean(known) if known else None


@pytest.fixture
def run(store: AttemptStore, conditions: Conditions) -> Run:
    def run(
        name: str,
        variants: Sequence[Variant],
        complete: Complete,
        *,
        cases: Sequence[Case] | None = None,
        epochs: int = 1,
    ) -> Ran:
        suite = find_suite(name)
        chosen = suite.cases(None) if cases is None else cases
        tasks, _ = missing(suite, chosen, variants, epochs, store)
        tally = asyncio.run(run_suite(suite, tasks, store=store, conditions=conditions, complete=complete))
        assert (tally.errors, tally.unpaid) == (0, 0)
        score_across(suite, chosen, store)
        return Ran(suite, store)

    return run

"""The lab on planted clauses: a better prompt is found, a placebo is not, a clause that makes a desk hold is caught."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from evals.attempts import AttemptStore
from evals.case import Case
from evals.compare import BETTER, DIFFERENT, NOT_SEPARABLE
from evals.executors import InProcess
from evals.gate import gate
from evals.promptlab.actions import action_shift
from evals.promptlab.matrix import fails, matrix, seen
from evals.promptlab.verdict import LabVerdict, verdicts
from evals.runner import missing, run_suite
from evals.scenarios import simulated_states
from evals.stage import Conditions
from evals.suite import find_suite
from evals.variant import Variant
from prompts import use_prompts
from tests.evals.promptlab.planted import HONEST, PLACEBO, TIMID, desk, obedient, prompt_with
from trading.domain.errors import RequestError

SUITE = find_suite("decisions")


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, conditions: Conditions) -> Iterator["Tried"]:
    """Four variants on sixteen cases, all on record."""
    folder = tmp_path_factory.mktemp("lab")
    use_prompts(folder / "prompts")
    desks = {
        "production": desk("production"),
        "honest": desk("honest", prompt_with(HONEST, "forecaster", "honest")),
        "placebo": desk("placebo", prompt_with(PLACEBO, "executor", "placebo")),
        "timid": desk("timid", prompt_with(TIMID, "executor", "timid")),
    }
    cases = [case for case in simulated_states(60) if case.split == "dev"][:16]
    with AttemptStore(folder / "attempts.sqlite") as store:
        tasks, _ = missing(SUITE, cases, list(desks.values()), 1, store)
        tally = asyncio.run(run_suite(SUITE, tasks, store=store, executor=InProcess(conditions, obedient)))
        assert tally.done == 4 * len(cases)
        yield Tried(store, desks, cases)
    use_prompts(None)


class Tried:
    def __init__(self, store: AttemptStore, desks: dict[str, Variant], cases: list[Case]) -> None:
        self.store, self.desks, self.cases = store, desks, cases

    def rows(self, scorer: str | None = None):
        return matrix(SUITE, self.cases, list(self.desks.values()), self.store, scorer=SUITE.scorer(scorer))

    def verdict(self, name: str, scorer: str | None = None) -> LabVerdict:
        rows, production = self.rows(scorer), self.desks["production"]
        return verdicts(self.store, SUITE, rows, [self.desks[name]], production, scorer=scorer, split="dev")[0]


def test_a_planted_better_prompt_is_found(tried: Tried) -> None:
    found = tried.verdict("honest", "quantile_loss")
    assert found.comparison.verdict == BETTER
    assert found.comparison.statistics
    assert found.comparison.statistics.p_value < 0.01
    assert found.shift.distance == 0.0
    assert "honest is better than production by quantile_loss" in found.in_words()
    assert found.to_json().keys() >= {"verdict", "difference", "ci95", "p_value", "n", "n_needed", "wins", "ties"}


def test_a_placebo_edit_is_not_separable(tried: Tried) -> None:
    for scorer in ("edge", "quantile_loss", "acted"):
        found = tried.verdict("placebo", scorer)
        assert found.comparison.verdict == NOT_SEPARABLE
        assert found.power is None, "identical answers leave nothing to estimate a power from"


def test_a_clause_that_makes_a_desk_hold_is_caught_by_the_gate(tried: Tried) -> None:
    share = np.mean([row.cells[3].actions[0] == "hold" for row in tried.rows()])
    assert 0.6 <= share < 1.0
    found = tried.verdict("timid", "acted")
    assert found.comparison.verdict == DIFFERENT
    assert found.shift.distance > 0.4
    assert found.shift.p_value is not None
    assert found.shift.p_value < 0.01
    findings = gate(tried.store, SUITE, "timid", "production")
    assert "acted" in [one.comparison.scorer.name for one in findings if one.fails]
    assert not any(one.fails for one in gate(tried.store, SUITE, "placebo", "production"))


def test_several_candidates_are_corrected_for_their_number(tried: Tried) -> None:
    alone = tried.verdict("honest", "quantile_loss")
    several = verdicts(
        tried.store,
        SUITE,
        tried.rows("quantile_loss"),
        [tried.desks[name] for name in ("honest", "placebo", "timid")],
        tried.desks["production"],
        scorer="quantile_loss",
        split="dev",
    )
    assert alone.p_adjusted is not None
    assert several[0].p_adjusted == pytest.approx(3 * alone.p_adjusted)
    assert several[0].comparison.verdict == BETTER


def test_views_show_what_they_say(tried: Tried) -> None:
    rows, scorer = tried.rows(), SUITE.scorer()
    assert seen(rows, "all", scorer=scorer) == rows
    assert seen(rows, "errors", scorer=scorer) == []
    different = seen(rows, "different", scorer=scorer)
    assert 0 < len(different) < len(rows) + 1
    assert all(len({cell.did for cell in row.cells}) > 1 for row in different)
    failing = seen(rows, "failing", scorer=scorer)
    assert failing == [row for row in rows if any(fails(cell.score, scorer) for cell in row.cells)]
    with pytest.raises(RequestError, match="all, failing, errors, different"):
        seen(rows, "pretty", scorer=scorer)


def test_a_case_that_was_not_tried_has_no_score(tried: Tried, cases: list[Case]) -> None:
    fresh = [case for case in simulated_states(60) if case.split == "heldout"][:1]
    cell = matrix(SUITE, fresh, [tried.desks["honest"]], tried.store, scorer=SUITE.scorer())[0].cells[0]
    assert (cell.score, cell.reason, cell.usd, cell.latency_ms) == (None, "not tried", None, None)


def test_a_shift_of_actions_is_found_at_its_nominal_rate_on_noise() -> None:
    rng = np.random.default_rng(4)
    draws = [rng.choice(["hold", "buy", "sell"], (2, 40)) for _ in range(300)]
    share = np.mean([(action_shift(list(a), list(b)).p_value or 1.0) <= 0.05 for a, b in draws])
    assert share <= 0.08
    assert action_shift(["hold"] * 30, ["buy"] * 30).p_value == pytest.approx(1 / 2001, abs=1e-3)
    assert action_shift([], []).p_value is None

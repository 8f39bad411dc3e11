import asyncio
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from evals.case import Case
from evals.promptlab.optimise import Tried, divided, optimise
from evals.scenarios import simulated_states
from evals.suite import find_suite
from evals.variant import Variant, read_variants
from prompts import load_prompt, use_prompts
from prompts.library import list_prompts
from tests.evals.promptlab.planted import HONEST
from trading.domain.errors import BudgetExceeded, ConfigError, RequestError

CASES = [case for case in simulated_states(30) if case.split == "dev"]
SUITE = find_suite("decisions")


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[None]:
    use_prompts(tmp_path / "prompts")
    yield
    use_prompts(None)


async def scored(variant: Variant, cases: Sequence[Case]) -> list[Tried]:
    """A loss that a clause of the prompt halves."""
    good = HONEST in variant.team().agents["executor"].prompt.system
    return [
        Tried(case_id=one.case_id, score=0.2 if good else 0.4, asked="q", answered="a", remark="too sure")
        for one in cases
    ]


async def reflect(asked: str) -> str:
    return f"```\n{asked.split('```')[1].strip()}\n{HONEST}\n```"


def run(try_cases=scored, *, scorer: str = "direction", most_calls: int = 60):
    return asyncio.run(
        optimise(
            read_variants(["house/momentum"])[0],
            "executor",
            "evolved",
            cases=CASES,
            scorer=SUITE.scorer(scorer),
            try_cases=try_cases,
            reflect=reflect,
            most_calls=most_calls,
        )
    )


def test_a_clause_that_helps_is_found_or_the_missing_library_is_named() -> None:
    if find_spec("gepa") is None:
        with pytest.raises(ConfigError, match=r"tradefloor\[evals\]"):
            run()
        return
    found = run()
    assert found.improved
    assert HONEST in load_prompt(found.reference).system
    assert found.validation[found.reference] > found.validation["executor/default.v3"]
    assert load_prompt(found.reference).user_parts == load_prompt("executor/default.v3").user_parts
    mine = [one for one in list_prompts() if not one.shipped]
    assert {one.author for one in mine} == {"gepa"}
    assert {one.reference for one in mine} == set(found.candidates) - {"executor/default.v3"}


def test_a_spent_budget_stops_it() -> None:
    async def poor(variant: Variant, cases: Sequence[Case]) -> list[Tried]:
        raise BudgetExceeded("nothing left")

    if find_spec("gepa") is None:
        with pytest.raises(ConfigError, match=r"tradefloor\[evals\]"):
            run(poor)
        return
    found = run(poor)
    assert (found.improved, found.stopped) == (False, "the budget ran out")


def test_days_are_never_on_both_sides() -> None:
    train, validation = divided(CASES)
    assert train
    assert validation
    assert {one.cluster for one in train}.isdisjoint(one.cluster for one in validation)
    assert len(train) + len(validation) == len(CASES)
    with pytest.raises(RequestError, match="too few"):
        divided(CASES[:1])


def test_a_scorer_without_a_better_side_cannot_be_optimised() -> None:
    with pytest.raises(RequestError, match="no better or worse"):
        run(scorer="acted")

import asyncio
from pathlib import Path

import pytest

from agents.llm import Completion, CompletionRequest, complete
from evals.attempts import AttemptStatus, AttemptStore, EvalStoreError
from evals.case import Case
from evals.runner import missing, rescore, run_suite
from evals.stage import Conditions
from evals.suite import find_suite
from evals.variant import Variant, read_variants
from trading.domain.errors import ModelFailure, ModelUnavailable, RequestError


class Interrupted(Exception):
    """Somebody had enough."""


SUITE = find_suite("decisions")
DESKS = read_variants(["house/momentum", "house/random"])


def ran(
    cases: list[Case], store: AttemptStore, conditions: Conditions, desks: list[Variant] = DESKS, ask=complete, **more
):
    tasks, _ = missing(SUITE, cases, desks, more.pop("epochs", 1), store)
    return asyncio.run(run_suite(SUITE, tasks, store=store, conditions=conditions, complete=ask, **more))


def test_the_same_command_makes_only_what_is_missing(
    cases: list[Case], store: AttemptStore, conditions: Conditions
) -> None:
    assert ran(cases[:2], store, conditions).done == 4
    assert missing(SUITE, cases[:3], DESKS, 1, store)[1] == 4
    assert ran(cases[:3], store, conditions).done == 2
    assert ran(cases[:3], store, conditions).done == 0
    assert ran(cases[:1], store, conditions, epochs=2).done == 2
    assert len(store.attempts(suite="decisions")) == 8


def test_interrupted_at_any_point_it_ends_in_the_same_table(
    cases: list[Case], tmp_path: Path, conditions: Conditions
) -> None:
    with AttemptStore(tmp_path / "whole.sqlite") as whole:
        ran(cases[:4], whole, conditions)
        expected = [
            whole.scores(suite="decisions", variant=d.sha256, scorer=one) for d in DESKS for one in SUITE.scorers
        ]
    for stop_after in (1, 2, 5):
        with AttemptStore(tmp_path / f"cut-{stop_after}.sqlite") as cut:

            def stop(*_: object, left: list[int] = [stop_after]) -> None:  # noqa: B006
                left[0] -= 1
                if not left[0]:
                    raise Interrupted

            with pytest.raises(Interrupted):
                ran(cases[:4], cut, conditions, on_done=stop, at_once=1)
            ran(cases[:4], cut, conditions)
            found = [
                cut.scores(suite="decisions", variant=d.sha256, scorer=one) for d in DESKS for one in SUITE.scorers
            ]
            assert found == expected
            assert len(cut.attempts(status=AttemptStatus.DONE)) == 8


def test_errors_are_tried_again_and_a_models_own_failures_are_not(
    cases: list[Case], store: AttemptStore, conditions: Conditions
) -> None:
    asked = 0

    async def flaky(request: CompletionRequest) -> Completion:
        nonlocal asked
        asked += 1
        if asked <= 2:
            raise ModelUnavailable("busy", reason="rate_limited")
        return await complete(request)

    tally = ran(cases[:1], store, conditions, DESKS[:1], flaky)
    assert (tally.done, tally.errors) == (1, 0)
    assert [one.status for one in store.attempts()] == [AttemptStatus.ERROR, AttemptStatus.DONE]

    async def refusing(request: CompletionRequest) -> Completion:
        raise ModelFailure("no", reason="refused")

    tally = ran(cases[1:2], store, conditions, DESKS[:1], refusing)
    assert tally.done == 1
    answered = store.scores(suite="decisions", variant=DESKS[0].sha256, scorer=SUITE.scorer("answered"))
    assert sorted(row.value for row in answered) == [0.0, 1.0]
    edges = store.scores(suite="decisions", variant=DESKS[0].sha256, scorer=SUITE.scorer("edge"))
    assert [row.reason for row in edges if row.value is None] == ["the desk abstained"]


def test_a_model_out_of_reach_ends_in_errors_and_no_score(
    cases: list[Case], store: AttemptStore, conditions: Conditions
) -> None:
    async def nobody(request: CompletionRequest) -> Completion:
        raise ModelUnavailable("nobody is there", reason="unavailable")

    tally = ran(cases[:1], store, conditions, DESKS[:1], nobody, tries=2)
    assert (tally.done, tally.errors) == (0, 1)
    assert len(store.attempts(status=AttemptStatus.ERROR)) == 2
    assert store.scores(suite="decisions", variant=DESKS[0].sha256, scorer=SUITE.scorer("answered")) == []
    assert missing(SUITE, cases[:1], DESKS[:1], 1, store)[1] == 0


def test_a_spent_budget_begins_nothing_more(cases: list[Case], store: AttemptStore, conditions: Conditions) -> None:
    async def poor(request: CompletionRequest) -> Completion:
        raise ModelFailure("no money", reason="season_budget")

    from agents.llm import SEASON_BUDGET

    assert SEASON_BUDGET == "season_budget"
    tally = ran(cases, store, conditions, DESKS[:1], poor, at_once=1)
    assert (tally.unpaid, tally.done, tally.errors) == (len(cases), 0, 0)
    assert store.attempts() == []


def test_scorers_run_again_on_what_is_stored(cases: list[Case], store: AttemptStore, conditions: Conditions) -> None:
    ran(cases[:2], store, conditions)
    before = store.scores(suite="decisions", variant=DESKS[0].sha256, scorer=SUITE.scorer())
    assert rescore(SUITE, cases[:2], store) == (4, 0)
    assert rescore(SUITE, cases[:1], store) == (2, 2)
    assert store.scores(suite="decisions", variant=DESKS[0].sha256, scorer=SUITE.scorer()) == before


def test_looks_at_held_out_results_are_counted(store: AttemptStore) -> None:
    assert [store.count_look("decisions", "x", "compare") for _ in range(3)] == [1, 2, 3]
    assert store.count_look("decisions", "y", "compare") == 1


def test_a_stranger_has_no_attempts(store: AttemptStore) -> None:
    with pytest.raises(RequestError, match="eval run"):
        store.digest_of("nobody", suite="decisions")
    with pytest.raises(RequestError, match="no attempt 7"):
        store.trial(7)


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "attempts.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(EvalStoreError, match="move the file"):
        AttemptStore(path)
    assert path.read_bytes().startswith(b"not a database")

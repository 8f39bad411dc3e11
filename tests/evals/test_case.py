from pathlib import Path

import pytest
from pydantic import ValidationError

from evals.case import Case, MarketSpec
from evals.scenarios import PERPS, recorded_states, simulated_states
from evals.suite import discover, find_suite, split_of
from trading.domain.errors import RequestError

MARKET = {"kind": "simulated", "symbols": ["BTC-USDT-PERP"], "seed": 1}
CASE = {"case_id": "a", "cluster": "c", "market": MARKET, "at": "2025-03-01T00:00:00Z"}


def test_the_digest_tells_what_the_answer_depends_on() -> None:
    case = Case.model_validate(CASE)
    assert Case.model_validate({**CASE, "split": "heldout", "labels": ["x"]}).sha256 == case.sha256
    assert Case.model_validate({**CASE, "at": "2025-03-01T01:00:00Z"}).sha256 != case.sha256
    assert Case.model_validate({**CASE, "holding": {"BTC-USDT-PERP": 0.5}}).sha256 != case.sha256


@pytest.mark.parametrize(
    "change",
    [
        {"at": "yesterday"},
        {"horizon": "soon"},
        {"capital": 0},
        {"holding": {"DOGE-USDT": 1.0}},
        {"holding": {"BTC-USDT-PERP": float("nan")}},
        {"holding": {"BTC-USDT-PERP": 90.0}},
        {"case_id": ""},
        {"case_id": "../up"},
        {"split": "test"},
        {"extra": 1},
        {"market": {**MARKET, "symbols": []}},
        {"market": {**MARKET, "kind": "recorded"}},
        {"market": {**MARKET, "paths": ["*.parquet"]}},
        {"market": {**MARKET, "kind": "live"}},
    ],
)
def test_a_case_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Case.model_validate({**CASE, **change})


def test_simulated_states_are_the_same_every_time_and_differ_from_each_other() -> None:
    cases = simulated_states(12)
    assert cases == simulated_states(12)
    assert len({case.sha256 for case in cases}) == 12
    assert len({case.cluster for case in cases}) == 12
    assert cases[:6] == simulated_states(6)


def test_recorded_states_need_recordings(tmp_path: Path) -> None:
    assert recorded_states(tmp_path, 5) == []


def test_splits_never_move_and_hold_their_share() -> None:
    found = [split_of(f"case-{number}") for number in range(2000)]
    assert found == [split_of(f"case-{number}") for number in range(2000)]
    assert 0.26 < found.count("heldout") / 2000 < 0.34


def test_every_suite_has_cases_with_names_of_their_own() -> None:
    for suite in discover().values():
        if suite.name == "own":  # a home folder's own cases: none come with the project
            continue
        cases = suite.cases(None)
        names = [case.case_id for case in cases]
        assert len(cases) >= 20, suite.name
        assert len(set(names)) == len(names), suite.name
        assert {case.split for case in cases} == {"dev", "heldout"}, suite.name
        assert all(set(case.market.symbols) <= set(PERPS) for case in cases if not case.alters), suite.name


def test_a_suite_that_is_not_there() -> None:
    with pytest.raises(RequestError, match="decisions"):
        find_suite("nonsense")
    with pytest.raises(RequestError, match="edge"):
        find_suite("decisions").scorer("nonsense")


def test_a_market_is_simulated_or_recorded() -> None:
    assert MarketSpec(kind="recorded", symbols=PERPS, paths=("*.parquet",)).kind == "recorded"

import asyncio
import math
from dataclasses import replace
from pathlib import Path

import pytest

from agents.llm import complete
from evals.case import Case, MarketSpec
from evals.scorers import decisions
from evals.stage import Conditions, Stage
from evals.trial import Trial, try_case
from evals.variant import read_variants
from trading.domain import DecisionStatus
from trading.domain.errors import ConfigError, DataError, ModelUnavailable

MOMENTUM = read_variants(["house/momentum"])[0]


def tried(case: Case, conditions: Conditions, model: str = "house/momentum", epoch: int = 0) -> Trial:
    return asyncio.run(try_case(case, read_variants([model])[0], conditions, complete, epoch=epoch))


def test_a_house_desk_says_the_same_every_time(cases: list[Case], conditions: Conditions) -> None:
    one, other = tried(cases[0], conditions), tried(cases[0], conditions)
    assert one.decision.intents == other.decision.intents
    assert (one.returned, one.returned_holding, one.outcomes) == (
        other.returned,
        other.returned_holding,
        other.outcomes,
    )
    assert Trial.from_bytes(one.to_bytes()) == one


def test_every_role_and_tool_result_is_kept(cases: list[Case], conditions: Conditions) -> None:
    trial = tried(cases[0], conditions)
    assert {turn.role for turn in trial.turns} == {"analyst", "forecaster", "risk", "executor"}
    assert all(turn.answers for turn in trial.turns)
    assert any(turn.tool_results for turn in trial.turns)


def test_a_case_begins_with_its_position(cases: list[Case], conditions: Conditions) -> None:
    case = next(case for case in cases if case.holding)
    account = Stage(case, "desk", conditions).seat(0).tools.account
    for symbol, share in case.holding.items():
        position = account.positions[symbol]
        assert math.copysign(1, position.quantity) == math.copysign(1, share)
        assert float(abs(position.value(account.marks[symbol])) / account.equity) == pytest.approx(abs(share), abs=0.03)


def test_nothing_after_the_instant_is_seen(cases: list[Case], conditions: Conditions) -> None:
    view = Stage(cases[0], "desk", conditions).seat(0).tools.view
    assert view.as_of_ms == cases[0].at_ms
    bars = view.bars(cases[0].market.symbols[0], 5)
    assert int(bars.open_ms[-1]) + view.step_ms <= cases[0].at_ms


def test_holding_on_has_no_edge(cases: list[Case], conditions: Conditions) -> None:
    trials = [(case, tried(case, conditions, model)) for case in cases for model in ("house/random", "house/breakout")]
    held = [(case, trial) for case, trial in trials if trial.decision.status is DecisionStatus.HELD]
    assert held
    for case, trial in held:
        assert decisions.edge.score(case, trial).value == 0.0
        assert decisions.acted.score(case, trial).value == 0.0


def test_a_position_moves_with_the_market(cases: list[Case], conditions: Conditions) -> None:
    case = cases[0].model_copy(update={"holding": {"BTC-USDT-PERP": 0.5}})
    stage = Stage(case, "desk", conditions)
    symbol = "BTC-USDT-PERP"
    price = stage.seat(0).tools.view.quote(symbol).price
    before = stage.equity
    stage.play_out(None)
    after = float(stage.tape.close[0][stage.tape.bars_known_at(case.at_ms + case.horizon_ms) - 1])
    earned = float((stage.equity - before) / before)
    assert earned == pytest.approx(0.5 * (after / price - 1.0), abs=0.002)  # funding aside


def test_a_recorded_case_needs_its_recordings(cases: list[Case], conditions: Conditions, tmp_path: Path) -> None:
    market = MarketSpec(kind="recorded", symbols=("BTC-USDT-PERP",), paths=("*.parquet",))
    case = cases[0].model_copy(update={"market": market, "holding": {}})
    with pytest.raises(ConfigError, match="--data-root"):
        Stage(case, "desk", conditions)
    with pytest.raises(DataError, match="names no file"):
        Stage(case, "desk", replace(conditions, data_root=tmp_path))


def test_a_model_out_of_reach_is_an_abstention(cases: list[Case], conditions: Conditions) -> None:
    async def nobody(request: object) -> None:
        raise ModelUnavailable("nobody is there", reason="unavailable")

    trial = asyncio.run(try_case(cases[0], MOMENTUM, conditions, nobody))
    assert not trial.is_answered
    assert trial.decision.abstain_reason
    assert trial.decision.abstain_reason.endswith("unavailable")
    assert decisions.edge.score(cases[0], trial).value is None
    assert decisions.answered.score(cases[0], trial).value == 0.0


def test_scores_of_a_good_desk(cases: list[Case], conditions: Conditions) -> None:
    trial = tried(cases[0], conditions)
    assert decisions.first_time_valid.score(cases[0], trial).value == 1.0
    assert decisions.tools_ok.score(cases[0], trial).value == 1.0
    brier = decisions.direction.score(cases[0], trial).value
    assert brier is not None
    assert 0.0 <= brier <= 1.0
    loss = decisions.quantile_loss.score(cases[0], trial).value
    assert loss is not None
    assert loss > 0

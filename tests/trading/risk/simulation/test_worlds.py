"""Scenarios, outcomes and stress: closed forms, bounds, and worlds that cannot be."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.risk.measures import normal_var
from trading.risk.simulation import SCENARIOS, SHOCKS, Gbm, Scenario, Shock, outcomes, stress, wealth_paths

DAY_MS = 86_400_000
SYMBOLS = ("BTC-USDT", "USDC-USDT")
DRAWS = Gbm(covariance=np.diag([4e-4, 1e-4])).draw(paths=3000, steps=10, rng=np.random.default_rng(1))


def world(scenario: Scenario) -> np.ndarray:
    return scenario.apply(DRAWS, SYMBOLS, DAY_MS, rng=np.random.default_rng(2))


def test_the_baseline_differs_in_nothing() -> None:
    assert (world(SCENARIOS["baseline"]) == DRAWS).all()


def test_drift_and_volatility() -> None:
    found = world(Scenario(name="x", drift=3.65, volatility=2.0))
    assert found.mean() == pytest.approx(0.01, abs=5e-4)
    assert found.std(axis=(0, 1)) == pytest.approx(2 * DRAWS.std(axis=(0, 1)))


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_correlation_is_added_and_deviation_kept(share: float) -> None:
    found = world(Scenario(name="x", correlation=share))
    assert np.corrcoef(found.reshape(-1, 2).T)[0, 1] == pytest.approx(share, abs=0.03)
    assert found.std(axis=(0, 1)) == pytest.approx(DRAWS.std(axis=(0, 1)), rel=0.03)


def test_a_depeg_hits_the_stablecoin_and_the_shock_comes_at_once() -> None:
    scenario = SCENARIOS["depeg"]
    assert scenario.shock_of("USDC-USDT") == -0.12
    assert scenario.shock_of("BTC-USDT") == -0.10
    assert world(scenario)[:, 0, 0].mean() == pytest.approx(math.log(0.9), abs=0.005)
    assert abs(world(scenario)[:, 1:].mean()) < 0.005


@pytest.mark.parametrize(
    "wrong",
    [{"volatility": -1}, {"correlation": 1.1}, {"shock": -1.0}, {"drift": math.nan}, {"shock_by_base": {"BTC": -2}}],
)
def test_worlds_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(ValueError, match="scenario"):
        Scenario(name="x", **wrong)


def test_wealth_by_hand() -> None:
    paths = np.log([[[1.1, 0.9], [1.0, 2.0]]])
    assert wealth_paths(np.array([0.5, -0.5]), paths) == pytest.approx(np.array([[1, 1.1, 0.65]]))


def test_who_is_ruined_stays_ruined() -> None:
    wealth = wealth_paths(np.array([3.0]), np.log([[[0.5], [4.0]]]))
    assert wealth[0] == pytest.approx([1, -0.5, -0.5])
    assert outcomes(wealth).ruin == 1.0


@settings(max_examples=50, deadline=None)
@given(long=st.floats(-2, 2), other=st.floats(-2, 2))
def test_quantiles_are_in_order_and_losses_agree(long: float, other: float) -> None:
    found = outcomes(wealth_paths(np.array([long, other]), DRAWS[:500]))
    assert list(found.terminal.values()) == sorted(found.terminal.values())
    assert list(found.drawdown.values()) == sorted(found.drawdown.values())
    assert found.cvar[0.99] >= found.var[0.99] >= found.var[0.95]
    assert found.var[0.99] == pytest.approx(1 - found.terminal[0.01], abs=1e-9)
    assert all(row[0] == 1 for row in found.fan.values())


def test_crash_is_worse_than_baseline_for_whoever_is_long() -> None:
    held = np.array([1.0, 0.0])
    calm, crash = (outcomes(wealth_paths(held, world(SCENARIOS[name]))) for name in ("baseline", "crash"))
    assert crash.var[0.99] > 2 * calm.var[0.99]
    assert crash.mean < calm.mean - 0.1


@pytest.mark.parametrize("weights", [np.array([1.0]), np.array([np.nan, 1.0])])
def test_weights_must_fit(weights: np.ndarray) -> None:
    with pytest.raises(ValueError, match="weights"):
        wealth_paths(weights, DRAWS)


COVARIANCE = np.array([[4e-4, 1e-4], [1e-4, 1e-4]])
BOOK = {"BTC-USDT-PERP": 1.5, "ETH-USDT": -0.5}


def test_stress_by_hand() -> None:
    fallen = stress(Shock(name="x", price=-0.2), BOOK, COVARIANCE)
    assert fallen.loss == pytest.approx(0.2)
    assert stress(Shock(name="x", funding=0.01), BOOK, COVARIANCE).loss == pytest.approx(0.015)
    as_one = stress(Shock(name="x", correlation_one=True), BOOK, COVARIANCE)
    assert as_one.var_after == pytest.approx(normal_var(0, 1.5 * 0.02 - 0.5 * 0.01, 0.99))
    plain, wild = (stress(Shock(name="x", volatility=factor), BOOK, COVARIANCE).var_after for factor in (1, 3))
    assert wild == pytest.approx(3 * plain)


def test_leaving_costs_more_where_nobody_trades() -> None:
    volume = {"BTC-USDT-PERP": 100.0, "ETH-USDT": 100.0}
    costs = [
        stress(Shock(name="x", liquidity=share), BOOK, COVARIANCE, daily_volume=volume).exit_cost for share in (1, 0.01)
    ]
    assert costs[0] is not None
    assert costs[1] == pytest.approx(10 * costs[0])
    assert stress(Shock(name="x", liquidity=0), BOOK, COVARIANCE, daily_volume=volume).exit_cost is None
    assert stress(Shock(name="x"), BOOK, COVARIANCE).exit_cost is None


def test_every_shock_has_its_own_name() -> None:
    assert len({shock.name for shock in SHOCKS}) == len(SHOCKS)

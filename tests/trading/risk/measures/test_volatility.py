"""EWMA, long memory and GARCH forecasts of variance: recursions by hand, recovery, and the future left alone."""

import numpy as np
import pytest
from arch import arch_model
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.marketdata import FloatArray
from trading.risk.measures import Garch, ewma_variance, fit_garch, long_memory_variance


def garch_returns(count: int, alpha: float, beta: float, seed: int) -> FloatArray:
    draws = np.random.default_rng(seed).standard_normal(count)
    returns, variance = np.empty(count), 1e-4
    for at in range(count):
        returns[at] = np.sqrt(variance) * draws[at]
        variance = 1e-4 * (1 - alpha - beta) + alpha * returns[at] ** 2 + beta * variance
    return returns


def test_ewma_by_hand() -> None:
    found = ewma_variance(np.array([0.1, -0.2]), 0.9)
    start = (0.01 + 0.04) / 2
    assert found == pytest.approx([start, 0.9 * start + 0.001, 0.9 * (0.9 * start + 0.001) + 0.004])


def test_both_find_the_variance_of_steady_noise() -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, 20_000)
    assert ewma_variance(returns)[1000:].mean() == pytest.approx(1e-4, rel=0.05)
    assert long_memory_variance(returns)[1000:].mean() == pytest.approx(1e-4, rel=0.05)


def test_long_memory_reacts_at_once_and_forgets_late() -> None:
    quiet = np.full(600, 0.01)
    shocked = np.append(quiet, [0.1, *quiet[:100]])
    mixed, plain = long_memory_variance(shocked), ewma_variance(shocked)
    assert mixed[601] > 1.5 * plain[601]
    assert mixed[-1] - 1e-4 > plain[-1] - 1e-4 > 0


@settings(max_examples=30, deadline=None)
@given(at=st.integers(210, 290), shock=st.floats(-0.5, 0.5))
def test_no_forecast_knows_its_return(at: int, shock: float) -> None:
    returns = np.random.default_rng(3).normal(0, 0.01, 300)
    changed = returns.copy()
    changed[at:] = shock
    for forecast in (ewma_variance, long_memory_variance, Garch(omega=1e-6, alpha=0.1, beta=0.8).forecasts):
        assert forecast(changed)[: at + 1] == pytest.approx(forecast(returns)[: at + 1], rel=1e-12)


def test_garch_recovers_what_made_the_returns() -> None:
    found = fit_garch(garch_returns(8000, 0.1, 0.85, seed=1))
    assert found.alpha == pytest.approx(0.1, abs=0.03)
    assert found.beta == pytest.approx(0.85, abs=0.05)
    assert found.variance == pytest.approx(1e-4, rel=0.25)


def test_garch_agrees_with_arch() -> None:
    returns = garch_returns(4000, 0.12, 0.8, seed=4)
    theirs = arch_model(returns * 100, mean="Zero", vol="GARCH", p=1, q=1).fit(disp="off").params
    ours = fit_garch(returns)
    assert ours.alpha == pytest.approx(theirs["alpha[1]"], abs=0.02)
    assert ours.alpha + ours.beta == pytest.approx(theirs["alpha[1]"] + theirs["beta[1]"], abs=0.02)


def test_garch_finds_no_clusters_in_noise() -> None:
    found = fit_garch(np.random.default_rng(6).normal(0, 0.01, 6000))
    assert found.alpha < 0.03


@pytest.mark.parametrize("rubbish", [np.zeros(300), np.ones(20), np.full(300, np.nan)])
def test_garch_refuses_what_it_cannot_fit(rubbish: FloatArray) -> None:
    with pytest.raises(ValueError, match="returns"):
        fit_garch(rubbish)


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5, float("nan")])
def test_no_such_decay(decay: float) -> None:
    with pytest.raises(ValueError, match="decay"):
        ewma_variance(np.array([0.1, 0.2]), decay)

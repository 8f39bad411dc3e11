"""Every model of paths: moments, correlation, no drift, one seed one result, and what each is there to show."""

import math
import time

import numpy as np
import pytest

from trading.domain.errors import RequestError
from trading.marketdata import FloatArray
from trading.risk.measures import Garch
from trading.risk.simulation import (
    BlockBootstrap,
    GarchPaths,
    Gbm,
    JumpDiffusion,
    RegimeSwitching,
    fit_model,
    model_names,
)

CORRELATION = 0.7


def past(count: int = 3000, assets: int = 2, seed: int = 1) -> FloatArray:
    """Correlated normal returns with one deviation of 1 % and clusters of calm and storm."""
    rng = np.random.default_rng(seed)
    common, own = rng.standard_normal((count, 1)), rng.standard_normal((count, assets))
    storm = np.where(np.arange(count) // 250 % 4 == 3, 2.0, 0.7)[:, np.newaxis]
    return 0.01 * storm * (math.sqrt(CORRELATION) * common + math.sqrt(1 - CORRELATION) * own)


@pytest.mark.parametrize("name", model_names())
def test_draws_have_no_drift_and_keep_the_correlation(name: str) -> None:
    returns = past()
    drawn = fit_model(name, returns).draw(paths=4000, steps=60, rng=np.random.default_rng(2))
    flat = drawn.reshape(-1, 2)
    assert drawn.shape == (4000, 60, 2)
    assert np.abs(flat.mean(axis=0)).max() < 2e-4
    assert np.corrcoef(flat.T)[0, 1] == pytest.approx(CORRELATION, abs=0.06)


@pytest.mark.parametrize("name", model_names())
def test_of_steady_noise_every_model_draws_the_same_noise(name: str) -> None:
    returns = np.random.default_rng(7).multivariate_normal([0, 0], 1e-4 * np.array([[1, 0.5], [0.5, 1]]), 4000)
    flat = fit_model(name, returns).draw(paths=2000, steps=30, rng=np.random.default_rng(8)).reshape(-1, 2)
    assert np.cov(flat.T) == pytest.approx(np.cov(returns.T), rel=0.15)


@pytest.mark.parametrize("name", model_names())
def test_one_seed_draws_one_set_of_paths(name: str) -> None:
    model = fit_model(name, past())
    first, again, other = (model.draw(paths=50, steps=5, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("name", model_names())
def test_ten_thousand_paths_of_ten_assets_are_drawn_in_time(name: str) -> None:
    model = fit_model(name, past(1000, assets=10))
    begun = time.process_time()
    model.draw(paths=10_000, steps=30, rng=np.random.default_rng(1))
    assert time.process_time() - begun < 2.0


def test_terminal_moments_of_gbm_within_monte_carlo_error() -> None:
    deviation, steps, paths = 0.02, 25, 40_000
    drawn = Gbm(covariance=np.array([[deviation**2]])).draw(paths=paths, steps=steps, rng=np.random.default_rng(3))
    total = drawn.sum(axis=1)[:, 0]
    variance = deviation**2 * steps
    growth = np.exp(total)
    error = growth.std() / math.sqrt(paths)
    assert growth.mean() == pytest.approx(math.exp(variance / 2), abs=4 * error)
    assert total.var() == pytest.approx(variance, rel=4 * math.sqrt(2 / paths))


def test_a_covariance_without_an_inverse_is_drawn_from() -> None:
    drawn = Gbm(covariance=np.full((2, 2), 1e-4)).draw(paths=100, steps=3, rng=np.random.default_rng(1))
    assert drawn[:, :, 0] == pytest.approx(drawn[:, :, 1])


def test_the_bootstrap_draws_nothing_but_the_past_in_blocks() -> None:
    history = np.arange(20.0)[:, np.newaxis]
    drawn = BlockBootstrap(history=history, block=5).draw(paths=200, steps=12, rng=np.random.default_rng(1))[:, :, 0]
    assert set(drawn.ravel()) <= set(range(20))
    inside = np.arange(11) % 5 != 4
    assert (((drawn[:, 1:] - drawn[:, :-1]) % 20)[:, inside] == 1).all()


def test_garch_paths_start_at_todays_variance_and_return() -> None:
    model = GarchPaths(
        models=(Garch(omega=2e-6, alpha=0.1, beta=0.88),),
        variance=np.array([9e-4]),
        shocks=np.random.default_rng(1).standard_normal((5000, 1)),
    )
    drawn = model.draw(paths=8000, steps=200, rng=np.random.default_rng(2))
    assert drawn[:, 0].var() == pytest.approx(9e-4, rel=0.1)
    assert drawn[:, -20:].var() == pytest.approx(1e-4 + 8e-4 * 0.98**190, rel=0.15)


def test_jumps_are_found_and_drawn_together() -> None:
    rng = np.random.default_rng(4)
    returns = rng.normal(0, 0.005, (4000, 2))
    returns[::200] -= 0.08
    model = JumpDiffusion.fit(returns)
    assert model.rate == pytest.approx(1 / 200, rel=0.1)
    assert model.jump_mean == pytest.approx([-0.08, -0.08], abs=0.005)
    drawn = model.draw(paths=2000, steps=100, rng=np.random.default_rng(5))
    assert abs(drawn.mean()) < 1e-4
    crashed = drawn[:, :, 0] < -0.05
    assert crashed.mean() == pytest.approx(1 / 200, rel=0.15)
    assert (drawn[crashed][:, 1] < -0.04).mean() > 0.99


def test_jumps_are_not_found_in_noise() -> None:
    assert JumpDiffusion.fit(np.random.default_rng(6).normal(0, 0.01, (4000, 1))).rate < 5e-4


def test_regimes_are_told_apart() -> None:
    model = RegimeSwitching.fit(past(4000))
    calm, turbulent = np.sqrt([covariance[0, 0] for covariance in model.covariances])
    assert turbulent > 2 * calm
    assert (model.leave < 0.1).all()


def test_regimes_of_a_market_that_never_moves() -> None:
    model = RegimeSwitching.fit(np.zeros((300, 2)))
    assert not model.draw(paths=5, steps=5, rng=np.random.default_rng(1)).any()


def test_unknown_model() -> None:
    with pytest.raises(RequestError, match="expected one of gbm"):
        fit_model("prophecy", past())


@pytest.mark.parametrize("name", model_names())
@pytest.mark.parametrize("rubbish", [np.full((300, 2), np.nan), np.zeros((0, 2)), np.zeros(300)])
def test_rubbish_is_refused(name: str, rubbish: FloatArray) -> None:
    with pytest.raises(ValueError, match="returns"):
        fit_model(name, rubbish)

import math

import numpy as np
import pytest

from trading.stats import (
    annualised,
    deflated_sharpe,
    expected_maximum_sharpe,
    moments,
    periods_per_year,
    probabilistic_sharpe,
    sharpe_ratio,
    sharpe_ratios,
    standard_error,
)


def test_ratio_is_mean_over_sample_deviation() -> None:
    returns = np.tile([0.01, 0.03], 10)
    assert sharpe_ratio(returns) == pytest.approx(0.02 / (0.01 * math.sqrt(20 / 19)))


@pytest.mark.parametrize(
    "returns",
    [
        np.array([]),
        np.full(19, 0.01) + np.arange(19) * 1e-3,
        np.zeros(100),
        np.full(100, 0.1),
        np.diff(1.0001 ** np.arange(200)) / 1.0001 ** np.arange(199),
        np.append(np.arange(50.0), np.nan),
        np.append(np.arange(50.0), np.inf),
    ],
    ids=["empty", "too few", "zero", "constant", "constant but for rounding", "NaN", "infinite"],
)
def test_rubbish_has_no_ratio(returns: np.ndarray) -> None:
    assert sharpe_ratio(returns) is None


def test_many_ratios_at_once_are_the_single_ones() -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.01, size=(5, 80))
    returns[2] = 0.0
    ratios = sharpe_ratios(returns)
    assert math.isnan(ratios[2])
    for row in (0, 1, 3, 4):
        assert ratios[row] == pytest.approx(sharpe_ratio(returns[row]))


def test_a_crypto_year_has_365_days() -> None:
    assert periods_per_year(3_600_000) == 8760
    assert annualised(0.1, periods_per_year=periods_per_year(86_400_000)) == pytest.approx(0.1 * math.sqrt(365))
    with pytest.raises(ValueError, match="step of 0 ms"):
        periods_per_year(0)


@pytest.mark.parametrize(("days", "half_width"), [(17, 9.1), (30, 6.8), (90, 3.9), (365, 2.0)])
def test_uncertainty_of_an_annual_ratio_by_days_traded(days: int, half_width: float) -> None:
    found = 1.96 * annualised(standard_error(0.0, days), periods_per_year=365)
    assert found == pytest.approx(half_width, abs=0.06)


@pytest.mark.parametrize(
    ("days", "best"), [(17, (5.5, 7.3, 8.8)), (30, (4.2, 5.5, 6.6)), (90, (2.4, 3.2, 3.8)), (365, (1.2, 1.6, 1.9))]
)
def test_best_of_some_without_skill(days: int, best: tuple[float, ...]) -> None:
    for desks, expected in zip((5, 10, 20), best, strict=True):
        found = annualised(expected_maximum_sharpe(desks, variance=1 / days), periods_per_year=365)
        assert found == pytest.approx(expected, abs=0.06)


def test_standard_error_is_the_spread_over_samples() -> None:
    true = 0.5
    returns = np.random.default_rng(2).normal(true, 1.0, size=(4000, 200))
    assert sharpe_ratios(returns).std() == pytest.approx(standard_error(true, 200), rel=0.05)


def test_published_example_of_deflation() -> None:
    daily = 2.5 / math.sqrt(250)
    variance = 0.5 / 250
    assert expected_maximum_sharpe(100, variance=variance) == pytest.approx(0.11317, abs=1e-5)
    found = deflated_sharpe(daily, observations=1250, skewness=-3.0, kurtosis=10.0, trials=100, variance=variance)
    assert found == pytest.approx(0.90040, abs=1e-5)


def test_a_single_trial_is_not_deflated() -> None:
    assert expected_maximum_sharpe(1, variance=1.0) == 0.0


def test_probability_is_one_half_at_the_benchmark_and_grows_with_data() -> None:
    assert probabilistic_sharpe(0.1, observations=100, benchmark=0.1) == pytest.approx(0.5)
    assert probabilistic_sharpe(0.1, observations=400) > probabilistic_sharpe(0.1, observations=100) > 0.5


def test_moments_of_two_points() -> None:
    skewness, kurtosis = moments(np.array([-1.0, 1.0] * 5))
    assert (skewness, kurtosis) == (pytest.approx(0.0), pytest.approx(1.0))


def test_best_of_fifty_on_noise_fools_the_plain_test_and_not_the_deflated_one() -> None:
    rng = np.random.default_rng(3)
    fooled = deflated = 0
    runs = 300
    for _ in range(runs):
        returns = rng.normal(size=(50, 250))
        best = returns[np.argmax(sharpe_ratios(returns))]
        sharpe = sharpe_ratio(best)
        assert sharpe is not None
        skewness, kurtosis = moments(best)
        fooled += probabilistic_sharpe(sharpe, observations=250, skewness=skewness, kurtosis=kurtosis) > 0.95
        deflated += (
            deflated_sharpe(sharpe, observations=250, skewness=skewness, kurtosis=kurtosis, trials=50, variance=1 / 250)
            > 0.95
        )
    assert fooled / runs > 0.88
    assert deflated / runs < 0.05

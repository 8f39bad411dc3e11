"""Normal and Cornish-Fisher VaR against scipy, published values and each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from trading.risk.measures import (
    Moments,
    cornish_fisher_cvar,
    cornish_fisher_quantile,
    cornish_fisher_var,
    is_cornish_fisher_valid,
    normal_cvar,
    normal_var,
    return_moments,
)


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_normal_values_are_those_of_scipy(level: float) -> None:
    law = stats.norm(0.001, 0.02)
    assert normal_var(0.001, 0.02, level) == pytest.approx(-law.ppf(1 - level), rel=1e-12)
    beyond = integrate.quad(law.ppf, 0, 1 - level)[0] / (1 - level)
    assert normal_cvar(0.001, 0.02, level) == pytest.approx(-beyond, rel=1e-6)


def test_moments_are_those_of_scipy() -> None:
    returns = np.random.default_rng(5).standard_t(6, 3000) * 0.01
    found = return_moments(returns)
    assert found.deviation == pytest.approx(returns.std(ddof=1))
    assert found.skewness == pytest.approx(stats.skew(returns))
    assert found.excess_kurtosis == pytest.approx(stats.kurtosis(returns))


def test_a_flat_series_has_no_shape() -> None:
    found = return_moments(np.full(10, 0.001))
    assert found.mean == pytest.approx(0.001)
    assert (found.deviation, found.skewness, found.excess_kurtosis) == (0, 0, 0)


def test_cornish_fisher_closed_form() -> None:
    z = -2.0
    by_hand = -2 + (4 - 1) * -0.3 / 6 + (-8 + 6) * 1.2 / 24 - (-16 + 10) * 0.09 / 36
    assert cornish_fisher_quantile(z, -0.3, 1.2) == pytest.approx(by_hand, rel=1e-14)
    assert by_hand == pytest.approx(-2.235)


@given(mean=st.floats(-0.1, 0.1), deviation=st.floats(1e-4, 1), level=st.sampled_from([0.9, 0.95, 0.99]))
def test_without_skew_and_fat_tails_it_is_the_normal_one(mean: float, deviation: float, level: float) -> None:
    moments = Moments(mean=mean, deviation=deviation, skewness=0, excess_kurtosis=0)
    assert cornish_fisher_var(moments, level) == pytest.approx(normal_var(mean, deviation, level), rel=1e-9, abs=1e-12)
    assert cornish_fisher_cvar(moments, level) == pytest.approx(
        normal_cvar(mean, deviation, level), rel=1e-3, abs=1e-9 + 1e-3 * deviation
    )


@given(skewness=st.floats(-3, 3), kurtosis=st.floats(-2, 10))
def test_where_it_is_called_valid_it_rises(skewness: float, kurtosis: float) -> None:
    corrected = [cornish_fisher_quantile(float(z), skewness, kurtosis) for z in np.linspace(-30, 30, 601)]
    if is_cornish_fisher_valid(skewness, kurtosis):
        assert (np.diff(corrected) > 0).all()


@pytest.mark.parametrize(
    ("skewness", "kurtosis", "valid"), [(0, 0, True), (0, 8.1, False), (-0.5, 3, True), (2, 1, False)]
)
def test_domain_of_validity(skewness: float, kurtosis: float, valid: bool) -> None:
    assert is_cornish_fisher_valid(skewness, kurtosis) is valid


def test_where_it_is_no_quantile_function_nothing_is_said() -> None:
    wild = Moments(mean=0, deviation=0.02, skewness=-3.0, excess_kurtosis=1.0)
    assert cornish_fisher_var(wild, 0.99) is None
    assert cornish_fisher_cvar(wild, 0.99) is None


@pytest.mark.parametrize("level", [0.5, 1.0, -1.0, float("nan")])
def test_no_such_level(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        normal_var(0, 1, level)


@pytest.mark.parametrize(
    "rubbish", [np.array([]), np.array([1.0]), np.array([0.1, np.nan]), np.array([np.inf, 0]), np.ones((2, 2))]
)
def test_rubbish_is_refused(rubbish: np.ndarray) -> None:
    with pytest.raises(ValueError, match="returns"):
        return_moments(rubbish)

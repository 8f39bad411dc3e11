"""Attribution, correlation, book, liquidity and margin: closed forms, the papers' sums by hand, rubbish."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trading.marketdata import FloatArray
from trading.risk.measures import (
    annual_volatility,
    attribute_var,
    beta,
    concentration,
    days_to_close,
    drawdowns,
    margin_use,
    normal_var,
    shrunk_correlation,
    shrunk_covariance,
    square_root_impact,
)

some_columns = hnp.arrays(np.float64, (30, 4), elements=st.floats(-0.2, 0.2, allow_subnormal=False))


@settings(max_examples=100, deadline=None)
@given(columns=some_columns, weights=hnp.arrays(np.float64, 4, elements=st.floats(-3, 3, allow_subnormal=False)))
def test_components_add_up_to_the_var(columns: FloatArray, weights: FloatArray) -> None:
    mean, covariance = columns.mean(axis=0), np.cov(columns.T)
    found = attribute_var(weights, mean, covariance, 0.99)
    whole = normal_var(float(weights @ mean), math.sqrt(max(0.0, weights @ covariance @ weights)), 0.99)
    assert found.component.sum() == pytest.approx(whole, abs=1e-7)


def test_marginal_is_the_slope_of_the_var() -> None:
    columns = np.random.default_rng(3).normal(0, [0.01, 0.02, 0.03], (500, 3))
    mean, covariance, weights = columns.mean(axis=0), np.cov(columns.T), np.array([0.5, -0.2, 0.4])
    found = attribute_var(weights, mean, covariance, 0.95)
    for at in range(3):
        step = np.eye(3)[at] * 1e-6
        up, down = (attribute_var(weights + sign * step, mean, covariance, 0.95).var for sign in (1, -1))
        assert found.marginal[at] == pytest.approx((up - down) / 2e-6, rel=1e-5)


def test_a_hedge_has_a_negative_component() -> None:
    covariance = np.array([[4e-4, 3.8e-4], [3.8e-4, 4e-4]])
    assert attribute_var(np.array([1.0, -0.3]), np.zeros(2), covariance, 0.99).component[1] < 0


def ledoit_wolf_by_hand(table: FloatArray) -> tuple[FloatArray, float]:
    """Sums over single observations, as the paper writes them."""
    centred = table - table.mean(axis=0)
    count, assets = centred.shape
    sample = sum(np.outer(row, row) for row in centred) / count
    mean = np.trace(sample) / assets
    distance = np.linalg.norm(sample - mean * np.eye(assets)) ** 2 / assets
    scatter = sum(np.linalg.norm(np.outer(row, row) - sample) ** 2 / assets for row in centred) / count**2
    share = min(scatter, distance) / distance
    return share * mean * np.eye(assets) + (1 - share) * sample, share


@pytest.mark.parametrize("count", [8, 40, 400])
def test_shrinkage_is_that_of_the_paper(count: int) -> None:
    mix = np.random.default_rng(8).normal(size=(5, 5))
    table = np.random.default_rng(count).normal(size=(count, 5)) @ mix
    matrix, share = ledoit_wolf_by_hand(table)
    found = shrunk_covariance(table)
    assert found.shrinkage == pytest.approx(share, rel=1e-9)
    assert found.matrix == pytest.approx(matrix, rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(columns=some_columns)
def test_a_correlation_is_one(columns: FloatArray) -> None:
    found = shrunk_correlation(columns)
    assert np.diag(found.matrix) == pytest.approx(np.ones(4))
    assert np.linalg.eigvalsh(found.matrix).min() > -1e-9
    assert np.abs(found.matrix).max() <= 1 + 1e-9
    assert 0 <= found.shrinkage <= 1


def test_noise_is_shrunk_to_no_correlation() -> None:
    found = shrunk_correlation(np.random.default_rng(1).normal(size=(60, 10)))
    assert found.shrinkage > 0.6
    assert np.abs(found.matrix - np.eye(10)).max() < 0.15


def test_a_column_that_never_moves_is_correlated_with_nothing() -> None:
    table = np.random.default_rng(1).normal(size=(50, 3))
    table[:, 1] = 7.0
    assert shrunk_correlation(table).matrix[1].tolist() == [0.0, 1.0, 0.0]


def test_volatility_and_beta() -> None:
    market = np.random.default_rng(2).normal(0, 0.01, 5000)
    assert annual_volatility(market, 3_600_000) == pytest.approx(0.01 * math.sqrt(8760), rel=0.03)
    assert beta(1.5 * market + 0.001, market) == pytest.approx(1.5)
    assert beta(market, np.zeros(5000)) is None


def test_concentration() -> None:
    even = concentration({"A": 0.5, "B": -0.5})
    assert (even.herfindahl, even.effective) == (0.5, 2.0)
    assert concentration({"A": 3.0, "B": -1.0}).largest == 0.75
    assert concentration({}).effective is None


def test_drawdowns_by_hand() -> None:
    wealth = np.array([[1, 2, 1, 3, 1.5], [1, 1.1, 1.2, 1.3, 1.4], [1, -0.5, 2, 2, 2]])
    assert drawdowns(wealth) == pytest.approx([0.5, 0.0, 1.5])


def test_days_to_close() -> None:
    assert days_to_close(-50, 100) == pytest.approx(5)
    assert days_to_close(0, 0) == 0
    assert days_to_close(1, 0) is None
    with pytest.raises(ValueError, match="participation"):
        days_to_close(1, 1, 0)


def test_square_root_impact() -> None:
    assert square_root_impact(100, 10_000, 0.03) == pytest.approx(0.003)
    assert square_root_impact(400, 10_000, 0.03) == pytest.approx(2 * square_root_impact(-100, 10_000, 0.03))
    assert square_root_impact(1, 0, 0.03) == math.inf


@settings(max_examples=200, deadline=None)
@given(weights=st.lists(st.floats(-3, 3), min_size=1, max_size=4), spot=st.floats(0, 0.9))
def test_at_the_distance_equity_is_the_maintenance_margin(weights: list[float], spot: float) -> None:
    book = {f"P{at}": weight for at, weight in enumerate(weights)}
    maintenance = dict.fromkeys(book, 0.005)
    book["SPOT"] = spot
    found = margin_use(book, maintenance)
    for move in (found.rising, -found.falling if found.falling is not None else None):
        if move is not None:
            equity = 1 + move * sum(book.values())
            assert equity == pytest.approx((1 + move) * found.used, abs=1e-6 * (1 + abs(move)))


def test_liquidation_of_one_leveraged_long() -> None:
    found = margin_use({"P": 5.0}, {"P": 0.005})
    assert found.falling == pytest.approx(0.975 / 4.975)
    assert found.rising is None
    assert margin_use({"S": 0.9}, {}).falling is None

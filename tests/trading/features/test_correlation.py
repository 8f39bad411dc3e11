"""Correlation: equal to numpy's and scikit-learn's, and a breakdown test that is as often wrong as it says."""

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.covariance import LedoitWolf

from tests.trading.markets import HOUR_MS, OTHER_PERP, PERP, SPOT, START_MS, random_tape
from trading.domain.errors import RequestError
from trading.features.correlation import (
    RollingCorrelation,
    common_returns,
    correlation_breakdown,
    correlation_matrix,
    jennrich,
    rolling_correlation,
    shrunk_correlation,
)
from trading.marketdata import FloatArray, TapeView


def draws(rng: np.random.Generator, rows: int, rho: float, *, columns: int = 4, heavy: bool = False) -> FloatArray:
    """Returns with one correlation between all columns."""
    matrix = np.full((columns, columns), rho) + (1 - rho) * np.eye(columns)
    found: FloatArray = rng.normal(size=(rows, columns)) @ np.linalg.cholesky(matrix).T
    return found / np.sqrt(rng.chisquare(4, rows) / 4)[:, None] if heavy else found


def test_shrunk_is_that_of_scikit_learn() -> None:
    values = draws(np.random.default_rng(0), 60, 0.5, columns=8) * np.arange(1, 9)
    matrix, weight = shrunk_correlation(values)
    oracle = LedoitWolf().fit(values / values.std(axis=0))
    scale = np.sqrt(np.diag(oracle.covariance_))
    np.testing.assert_allclose(matrix, oracle.covariance_ / np.outer(scale, scale), rtol=1e-10)
    assert weight == pytest.approx(oracle.shrinkage_)
    off = ~np.eye(8, dtype=bool)
    assert np.abs(matrix[off]).mean() < np.abs(correlation_matrix(values)[off]).mean()


def test_rolling_bar_by_bar_and_numpy_are_one() -> None:
    values = draws(np.random.default_rng(1), 120, 0.3, columns=3)
    table = rolling_correlation(values, 30)
    stream = RollingCorrelation(30)
    for row, moves in enumerate(values):
        found = stream.push(moves)
        if row < 29:
            assert found is None
            assert np.isnan(table[row]).all()
            continue
        assert found is not None
        np.testing.assert_allclose(found, np.corrcoef(values[row - 29 : row + 1], rowvar=False), rtol=1e-9)
        np.testing.assert_allclose(table[row], found, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="2 returns where there were 3"):
        stream.push(np.zeros(2))
    with pytest.raises(ValueError, match="at least 3"):
        RollingCorrelation(2)
    assert np.isnan(rolling_correlation(values[:5], 30)).all()


def test_jennrich_of_two_columns_by_hand() -> None:
    """For one pair it is c (r1 - r2)^2 / (1 - r^2)^2 with the pooled r and c = n1 n2 / (n1 + n2)."""
    rng = np.random.default_rng(2)
    first, second = draws(rng, 80, 0.6, columns=2), draws(rng, 50, 0.2, columns=2)
    r1, r2 = (np.corrcoef(each, rowvar=False)[0, 1] for each in (first, second))
    pooled = (80 * r1 + 50 * r2) / 130
    expected = 80 * 50 / 130 * (r1 - r2) ** 2 / (1 - pooled**2) ** 2
    assert jennrich(first, second) == pytest.approx(expected)


def test_jennrich_is_chi_squared_on_normal_noise() -> None:
    rng = np.random.default_rng(3)
    found = [jennrich(draws(rng, 200, 0.5), draws(rng, 200, 0.5)) for _ in range(1500)]
    assert np.mean(found) == pytest.approx(6, rel=0.08)
    assert (chi2.sf(found, 6) < 0.05).mean() == pytest.approx(0.05, abs=0.02)


def test_the_permuted_p_value_holds_on_heavy_tails_and_the_normal_one_does_not() -> None:
    rng = np.random.default_rng(4)
    found = [
        correlation_breakdown(
            draws(rng, 120, 0.5, heavy=True), draws(rng, 60, 0.5, heavy=True), rng=rng, permutations=39
        )
        for _ in range(200)
    ]
    assert np.mean([each.p_permuted <= 0.05 for each in found]) < 0.11
    assert np.mean([each.p_chi2 <= 0.05 for each in found]) > 0.15


def test_a_breakdown_is_found() -> None:
    rng = np.random.default_rng(5)
    found = correlation_breakdown(draws(rng, 200, 0.8), draws(rng, 100, 0.1), rng=rng, permutations=199)
    assert found.p_permuted == pytest.approx(1 / 200)
    assert found.p_chi2 < 1e-6
    assert found.change == pytest.approx(-0.7, abs=0.15)


def test_what_cannot_be_correlated_is_refused() -> None:
    rng = np.random.default_rng(6)
    good = draws(rng, 50, 0.5)
    with pytest.raises(RequestError, match="too short"):
        correlation_breakdown(good, good[:5], rng=rng)
    with pytest.raises(RequestError, match="did not move"):
        correlation_breakdown(good * [1, 1, 1, 0], good, rng=rng)
    with pytest.raises(RequestError, match="that moved"):
        shrunk_correlation(good * [1, 1, 1, 0])
    with pytest.raises(RequestError, match="that moved"):
        shrunk_correlation(good[:1])
    view = TapeView(random_tape(1), START_MS + 50 * HOUR_MS)
    with pytest.raises(RequestError, match="two instruments"):
        common_returns({PERP: view.bars(PERP, 50)})
    with pytest.raises(RequestError, match="no two bars in a row"):
        common_returns({PERP: view.bars(PERP, 50), SPOT: view.bars(SPOT, 1)})


def test_common_returns_are_of_bars_that_all_have() -> None:
    view = TapeView(random_tape(3, missing=0.2), START_MS + 100 * HOUR_MS)
    bars = {symbol: view.bars(symbol, 100) for symbol in (PERP, OTHER_PERP, SPOT)}
    found = common_returns(bars)
    assert len(found.open_ms) == len(found.values) > 10
    for column, each in enumerate(bars.values()):
        close = dict(zip(each.open_ms.tolist(), each.close.tolist(), strict=True))
        expected = [np.log(close[at] / close[at - HOUR_MS]) for at in found.open_ms.tolist()]
        np.testing.assert_allclose(found.values[:, column], expected, rtol=1e-9)

"""Back-tests of VaR against published values, and on VaR that is right and wrong by construction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trading.risk.measures import Light, backtest, backtest_hits, christoffersen, kupiec, traffic_light


@pytest.mark.parametrize(("count", "ratio"), [(4, 0.77), (10, 12.96)])
def test_kupiec_golden_values(count: int, ratio: float) -> None:
    found = kupiec(count, 250, 0.99)
    assert found.ratio == pytest.approx(ratio, abs=0.005)
    assert found.p_value == pytest.approx(stats.chi2.sf(found.ratio, 1), rel=1e-9)


@given(count=st.integers(0, 500), level=st.floats(0.9, 0.999))
def test_kupiec_is_a_probability_and_best_where_promised(count: int, level: float) -> None:
    found = kupiec(count, 500, level)
    assert found.ratio >= 0
    assert 0 <= found.p_value <= 1


def test_kupiec_without_any_exceedance() -> None:
    assert kupiec(0, 250, 0.99).ratio == pytest.approx(-2 * 250 * np.log(0.99))


def test_christoffersen_by_hand() -> None:
    hits = np.array([0, 0, 1, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
    apart = 2 * np.log(2 / 6) + 4 * np.log(4 / 6) + np.log(1 / 3) + 2 * np.log(2 / 3)
    together = 3 * np.log(3 / 9) + 6 * np.log(6 / 9)
    found = christoffersen(hits)
    assert found is not None
    assert found.ratio == pytest.approx(max(0.0, 2 * (apart - together)), abs=1e-12)


def test_exceedances_in_clusters_are_rejected_however_right_their_number() -> None:
    hits = np.zeros(1000, dtype=bool)
    hits[500:510] = True
    found = backtest_hits(hits, 0.99)
    assert found.coverage.p_value > 0.9
    assert found.independence is not None
    assert found.independence.p_value < 1e-6
    assert not found.passes()


def test_a_right_var_is_rejected_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(9)
    found = [backtest_hits(rng.random(4000) < 0.01, 0.99) for _ in range(400)]
    rejected = np.mean([one.coverage.p_value < 0.05 for one in found])
    assert 0.02 < rejected < 0.09
    assert np.mean([one.passes() for one in found]) > 0.8


def test_conditional_coverage_has_two_degrees_of_freedom() -> None:
    found = backtest_hits(np.random.default_rng(1).random(2000) < 0.02, 0.99)
    assert found.conditional is not None
    assert found.independence is not None
    assert found.conditional.ratio == found.coverage.ratio + found.independence.ratio
    assert found.conditional.p_value == pytest.approx(stats.chi2.sf(found.conditional.ratio, 2), rel=1e-9)


@pytest.mark.parametrize(
    ("count", "light"), [(0, Light.GREEN), (4, Light.GREEN), (5, Light.YELLOW), (9, Light.YELLOW), (10, Light.RED)]
)
def test_traffic_light_of_the_basel_committee(count: int, light: Light) -> None:
    assert traffic_light(count, 250, 0.99) is light


def test_a_loss_that_equals_the_var_is_no_exceedance() -> None:
    assert backtest(np.array([-0.02, -0.021]), np.array([0.02, 0.02]), 0.99).exceedances == 1


def test_nothing_can_follow_no_exceedance() -> None:
    found = backtest_hits(np.zeros(50, dtype=bool), 0.99)
    assert found.independence is None
    assert not found.passes()


@pytest.mark.parametrize(
    ("returns", "var"), [([0.1], [0.1, 0.2]), ([np.nan], [0.1]), ([0.1], [np.inf]), ([], []), ([[0.1]], [[0.1]])]
)
def test_rubbish_is_refused(returns: list[float], var: list[float]) -> None:
    with pytest.raises(ValueError, match="returns"):
        backtest(np.array(returns), np.array(var), 0.99)


def test_the_verdict_says_what_is_wrong() -> None:
    none = np.zeros(1000, dtype=np.bool_)
    many, clustered, right = none.copy(), none.copy(), none.copy()
    many[::20] = True
    clustered[500:510] = True
    right[50::100] = True
    assert backtest_hits(right, 0.99).verdict() == "passes"
    assert "too many losses" in backtest_hits(many, 0.99).verdict()
    assert "too few losses" in backtest_hits(none, 0.99).verdict()
    assert backtest_hits(clustered, 0.99).verdict().startswith("fails: they come in clusters")
    assert "too few losses beyond it to judge clusters" in backtest_hits(none[:50], 0.99).verdict()

import numpy as np
import pytest
from scipy import stats

from trading.stats import clustered_difference, detectable_difference, observations_for_sharpe


def test_without_clusters_it_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.2, 1.0, 60), rng.normal(0.0, 1.0, 60)
    found = clustered_difference(first, second, range(60))
    expected = stats.ttest_rel(first, second)
    assert found
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.ci95 == pytest.approx(tuple(expected.confidence_interval()))
    assert (found.cases, found.clusters) == (60, 60)


def test_copies_within_a_cluster_add_nothing() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(0.3, 1.0, 30), rng.normal(0.0, 1.0, 30)
    alone = clustered_difference(first, second, range(30))
    tenfold = clustered_difference(np.repeat(first, 10), np.repeat(second, 10), np.repeat(np.arange(30), 10).tolist())
    assert alone
    assert tenfold
    assert tenfold.ci95 == pytest.approx(alone.ci95)
    assert tenfold.p_value == pytest.approx(alone.p_value)


def test_equals_are_told_apart_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(3)
    runs, wrong = 1000, 0
    days = np.repeat(np.arange(15), 6)
    for _ in range(runs):
        shared = rng.normal(size=15)[days]
        found = clustered_difference(rng.normal(size=90) + shared, rng.normal(size=90), days.tolist())
        assert found
        wrong += found.p_value < 0.05
    assert 0.03 <= wrong / runs <= 0.075


def test_the_number_said_to_be_needed_shows_it_in_four_of_five_trials() -> None:
    rng = np.random.default_rng(4)
    pilot = clustered_difference(rng.normal(0.25, 1.0, 4000), np.zeros(4000), range(4000))
    assert pilot
    needed = pilot.needed
    assert needed
    trials = [clustered_difference(rng.normal(0.25, 1.0, needed), np.zeros(needed), range(needed)) for _ in range(400)]
    power = np.mean([one.p_value < 0.05 for one in trials if one])
    assert power == pytest.approx(0.8, abs=0.07)


def test_no_difference_needs_no_number() -> None:
    found = clustered_difference(np.ones(10), np.ones(10), range(10))
    assert found
    assert (found.difference, found.p_value, found.needed) == (0.0, 1.0, None)
    sure = clustered_difference(np.ones(10), np.zeros(10), range(10))
    assert sure
    assert sure.p_value == 0.0


def test_few_clusters_are_not_tested() -> None:
    assert clustered_difference(np.ones(40), np.zeros(40), ["monday"] * 20 + ["tuesday"] * 20) is None


def test_what_is_not_aligned_or_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="not aligned"):
        clustered_difference(np.ones(3), np.ones(4), range(3))
    with pytest.raises(ValueError, match="not finite"):
        clustered_difference(np.array([np.nan] * 6), np.ones(6), range(6))


def test_detectable_difference_of_the_textbook() -> None:
    assert detectable_difference(1.0) == pytest.approx(1.959964 + 0.841621, abs=1e-6)


def test_days_for_a_sharpe_ratio_of_one() -> None:
    found = observations_for_sharpe(1.0 / np.sqrt(365.0))
    assert found == pytest.approx(988, abs=1.5)
    assert observations_for_sharpe(0.0) is None

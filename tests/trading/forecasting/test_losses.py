"""Losses against closed forms and published tests, calibration and intervals on data that is known to be right."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from trading.forecasting.calibration import calibrate
from trading.forecasting.conformal import RATE, adapt
from trading.forecasting.distribution import LEVELS, Distributions, level_of, scaled, standard_quantiles
from trading.forecasting.losses import crps, diebold_mariano, qlike
from trading.forecasting.scores import Outcomes, score
from trading.marketdata import FloatArray


def normal(mean: FloatArray, deviation: FloatArray) -> Distributions:
    return Distributions(
        p_up=np.asarray(stats.norm.cdf(mean / deviation)),
        quantiles=mean[:, None] + deviation[:, None] * stats.norm.ppf(LEVELS),
        volatility=deviation,
        typical=deviation,
    )


def test_crps_of_a_normal_is_near_its_closed_form() -> None:
    rng = np.random.default_rng(1)
    outcomes = rng.normal(size=20_000)
    found = crps(np.tile(stats.norm.ppf(LEVELS), (len(outcomes), 1)), outcomes).mean()
    assert found == pytest.approx(1 / math.sqrt(math.pi), rel=0.02)


def test_qlike_is_zero_for_the_truth_and_least_at_the_mean_variance() -> None:
    assert qlike(np.array([0.02]), np.array([0.02]))[0] == pytest.approx(0.0)
    rng = np.random.default_rng(2)
    realised = np.sqrt(rng.chisquare(5, 50_000) / 5)
    losses = [qlike(np.full(50_000, scale), realised).mean() for scale in (0.9, 1.0, 1.1)]
    assert min(losses) == losses[1]
    assert math.isnan(qlike(np.array([1.0]), np.array([0.0]))[0])


def test_scaled_shapes_leave_the_stated_share_above_zero() -> None:
    p_up = np.array([0.3, 0.5, 0.62])
    found = scaled(np.array([0.01, 0.02, 0.03]), stats.norm.ppf(LEVELS), p_up, typical=np.ones(3))
    assert level_of(found.quantiles, np.zeros(3)) == pytest.approx(1 - p_up, abs=1e-6)
    assert (np.diff(found.quantiles, axis=1) > 0).all()


def test_levels_of_outcomes_of_the_truth_are_uniform() -> None:
    rng = np.random.default_rng(3)
    found = level_of(np.tile(stats.norm.ppf(LEVELS), (20_000, 1)), rng.normal(size=20_000))
    counts = np.histogram(found, bins=np.concatenate([[0], LEVELS, [1]]))[0]
    assert counts / 20_000 == pytest.approx(np.full(20, 0.05), abs=0.008)


def test_diebold_mariano_against_a_plain_t_test_where_nothing_overlaps() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.normal(0.1, 1, 4000), rng.normal(0, 1, 4000)
    found = diebold_mariano(first, second, steps=1)
    assert found is not None
    plain = stats.ttest_1samp(first - second, 0)
    assert found.difference == pytest.approx(np.mean(first - second))
    assert found.statistic == pytest.approx(plain.statistic, rel=0.12)


def test_diebold_mariano_holds_its_size_on_overlapping_noise() -> None:
    rng = np.random.default_rng(5)
    kernel = np.ones(24)
    rejected = 0
    for _ in range(300):
        noise = np.convolve(rng.normal(size=3000), kernel, "valid")
        found = diebold_mariano(noise, np.zeros(len(noise)), steps=24)
        assert found is not None
        rejected += found.p_value < 0.05
    assert rejected / 300 < 0.12


def test_no_variation_and_too_few_rows_have_no_test() -> None:
    same = np.ones(100)
    assert diebold_mariano(same, same, steps=1) is None
    assert diebold_mariano(np.arange(10.0), np.zeros(10), steps=1) is None


def test_calibration_mends_an_overconfident_model_and_flattens_an_empty_one() -> None:
    rng = np.random.default_rng(6)
    truth = rng.normal(0, 0.5, 20_000)
    up = (rng.random(20_000) < 1 / (1 + np.exp(-truth))).astype(float)
    mended = calibrate(3 * truth, up, steps=1)(3 * truth)
    assert np.abs(mended - 1 / (1 + np.exp(-truth))).mean() < 0.02
    noise = rng.normal(0, 1, 5000)
    coin = (rng.random(5000) < 0.5).astype(float)
    assert np.abs(calibrate(noise, coin, steps=24)(noise) - 0.5).max() < 0.06
    upside_down = calibrate(-truth, up, steps=1)(-truth)
    assert np.ptp(upside_down) < 0.05


def test_adaptive_intervals_hold_although_volatility_triples() -> None:
    rng = np.random.default_rng(7)
    deviation = np.where(np.arange(12_000) > 6000, 3.0, 1.0)
    outcomes = rng.normal(size=12_000) * deviation
    low, high = np.full(12_000, -1.645), np.full(12_000, 1.645)
    factors, _ = adapt(low, high, outcomes, steps=5)
    inside = (outcomes >= factors * low) & (outcomes <= factors * high)
    assert abs(inside.mean() - 0.9) < 0.02
    assert (outcomes[6000:] <= 1.645).mean() < 0.75  # what would have become of them


def test_adaptive_factors_do_not_see_outcomes_that_are_not_known_yet() -> None:
    rng = np.random.default_rng(8)
    outcomes = rng.normal(size=500)
    other = outcomes.copy()
    other[250:] *= 100
    low, high = np.full(500, -1.0), np.full(500, 1.0)
    first, second = (adapt(low, high, each, steps=10)[0] for each in (outcomes, other))
    np.testing.assert_array_equal(first[:260], second[:260])
    assert not np.array_equal(first[260:], second[260:])
    assert np.abs(np.diff(first)).max() <= RATE


def test_scores_agree_with_scikit_learn_and_find_nothing_in_noise() -> None:
    rng = np.random.default_rng(9)
    n = 3000
    came = Outcomes(log_return=rng.normal(0, 0.01, n), realised=np.abs(rng.normal(0.01, 0.001, n)))
    ground = normal(np.zeros(n), np.full(n, 0.01))
    said = normal(rng.normal(0, 0.001, n), np.full(n, 0.01))
    found = score(said, came, climatology=ground, steps=1)
    assert found["auc"].value == pytest.approx(roc_auc_score(came.log_return > 0, said.p_up))
    assert found["coverage90"].value == pytest.approx(0.9, abs=0.02)
    assert found["auc"].ci95 is not None
    assert found["brier_skill"].ci95 is not None
    assert found["auc"].ci95[0] < 0.5 < found["auc"].ci95[1]
    assert found["brier_skill"].value is not None
    assert found["brier_skill"].value < 0.005


def test_intervals_of_the_area_have_the_width_of_hanley_and_mcneil() -> None:
    rng = np.random.default_rng(10)
    n = 4000
    up = rng.random(n) < 0.5
    came = Outcomes(log_return=np.where(up, 0.01, -0.01), realised=np.full(n, 0.01))
    p_up = 1 / (1 + np.exp(-(rng.normal(size=n) + 0.5 * up)))
    said = scaled(np.full(n, 0.01), standard_quantiles(rng.normal(size=500)), p_up, typical=np.full(n, 0.01))
    found = score(said, came, climatology=said, steps=1)["auc"]
    assert found.value is not None
    assert found.ci95 is not None
    area = found.value
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    half = n / 2
    error = math.sqrt((area * (1 - area) + (half - 1) * (q1 - area**2 + q2 - area**2)) / half**2)
    assert (found.ci95[1] - found.ci95[0]) / 2 == pytest.approx(1.96 * error, rel=0.2)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.stats import brier, brier_parts, brier_skill, calibration_error, pinball


def test_brier_of_known_forecasts() -> None:
    assert brier(np.array([0.8, 0.4]), np.array([1.0, 0.0])) == pytest.approx((0.04 + 0.16) / 2)
    assert brier(np.full(4, 0.5), np.array([1.0, 0.0, 0.0, 1.0])) == 0.25


def test_skill_of_the_perfect_the_coin_and_the_wrong() -> None:
    outcomes = np.array([1.0, 0.0, 1.0, 1.0])
    assert brier_skill(outcomes, outcomes, reference=0.5) == 1.0
    assert brier_skill(np.full(4, 0.5), outcomes, reference=0.5) == 0.0
    assert brier_skill(1.0 - outcomes, outcomes, reference=0.5) == pytest.approx(-3.0)
    assert brier_skill(outcomes, outcomes, reference=outcomes) is None


def test_nothing_to_score_is_none() -> None:
    none = np.array([])
    assert brier(none, none) is None
    assert brier_skill(none, none, reference=0.5) is None
    assert brier_parts(none, none) is None
    assert calibration_error(none, none) is None
    assert pinball(none, none, level=0.5) is None


@pytest.mark.parametrize(
    ("probabilities", "outcomes", "complaint"),
    [
        ([0.5, 1.2], [0.0, 1.0], "expected 0 to 1"),
        ([0.5, np.nan], [0.0, 1.0], "not finite"),
        ([0.5, 0.5], [0.0, np.nan], "not finite"),
        ([0.5, 0.5], [0.0, 0.3], "other than 0 and 1"),
        ([0.5], [0.0, 1.0], "not aligned"),
    ],
)
def test_rubbish_is_refused(probabilities: list[float], outcomes: list[float], complaint: str) -> None:
    for score in (brier, brier_parts, calibration_error):
        with pytest.raises(ValueError, match=complaint):
            score(np.array(probabilities), np.array(outcomes))


def test_pinball_is_least_at_the_true_quantile() -> None:
    outcomes = np.random.default_rng(1).normal(size=20_000)
    losses = {guess: pinball(np.full(20_000, guess), outcomes, level=0.95) for guess in (1.2, 1.645, 2.1)}
    assert min(losses, key=lambda guess: losses[guess] or 0.0) == 1.645
    assert pinball(np.array([1.0]), np.array([3.0]), level=0.9) == pytest.approx(1.8)
    assert pinball(np.array([3.0]), np.array([1.0]), level=0.9) == pytest.approx(0.2)
    with pytest.raises(ValueError, match=r"level 1\.0"):
        pinball(outcomes, outcomes, level=1.0)


pairs = st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=200)


@given(pairs, st.integers(2, 12))
def test_parts_add_up_to_the_score(values: list[tuple[float, bool]], bins: int) -> None:
    probabilities = np.array([value[0] for value in values])
    outcomes = np.array([float(value[1]) for value in values])
    parts = brier_parts(probabilities, outcomes, bins=bins)
    assert parts is not None
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin
    assert total == pytest.approx(brier(probabilities, outcomes), abs=1e-12)
    assert parts.reliability >= 0
    assert 0 <= parts.resolution <= parts.uncertainty + 1e-12


def test_parts_of_forecasts_with_few_values_leave_nothing_over() -> None:
    rng = np.random.default_rng(2)
    probabilities = rng.choice([0.1, 0.4, 0.6, 0.9], size=4000)
    outcomes = (rng.random(4000) < probabilities).astype(float)
    parts = brier_parts(probabilities, outcomes)
    assert parts is not None
    assert parts.within_bin == pytest.approx(0.0, abs=1e-12)
    assert parts.reliability < 0.001
    assert parts.resolution > 0.05


def test_calibration_error_of_the_honest_and_the_boaster() -> None:
    rng = np.random.default_rng(3)
    truth = rng.uniform(0.3, 0.7, size=20_000)
    outcomes = (rng.random(20_000) < truth).astype(float)
    honest = calibration_error(truth, outcomes)
    boaster = calibration_error(np.where(truth > 0.5, 0.95, 0.05), outcomes)
    assert honest is not None
    assert boaster is not None
    assert honest < 0.02
    assert boaster == pytest.approx(0.35, abs=0.02)


def test_opinions_about_coin_tosses_earn_no_skill() -> None:
    rng = np.random.default_rng(4)
    skills = []
    for _ in range(200):
        outcomes = (rng.random(500) < 0.5).astype(float)
        skills.append(brier_skill(rng.beta(20, 20, size=500), outcomes, reference=0.5) or 0.0)
    assert np.mean(skills) < 0.0
    assert np.mean(np.array(skills) > 0.02) < 0.05

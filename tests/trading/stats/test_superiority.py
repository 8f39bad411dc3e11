import numpy as np
import pytest

from trading.stats import FloatArray, model_confidence_set, superior_to


def losses(seed: int, *, contestants: int = 6, length: int = 200) -> FloatArray:
    rng = np.random.default_rng(seed)
    return rng.standard_t(5, size=(contestants, length)) + 0.5 * rng.normal(size=length)


def test_one_that_is_better_is_found_and_named() -> None:
    rows = losses(1)
    rows[4] -= 0.6
    found = superior_to(np.random.default_rng(2).normal(size=200), rows, seed=3)
    assert found
    assert found.p_value < 0.01
    assert found.better == (4,)


def test_all_of_them_may_be_better() -> None:
    rows = losses(9, contestants=3) - 2.0
    found = superior_to(np.random.default_rng(3).normal(size=200), rows, seed=3)
    assert found
    assert found.better == (0, 1, 2)


def test_noise_is_found_superior_at_most_at_the_nominal_rate() -> None:
    wrong = 0
    for seed in range(60):
        rows = losses(seed, contestants=5, length=120)
        found = superior_to(rows[0], rows[1:], resamples=300, block_length=2.0, seed=seed)
        assert found
        wrong += bool(found.better)
    assert wrong <= 8  # 5 % of 60 is 3; more than 8 has a chance below 1 %


def test_the_benchmark_among_the_contestants_is_not_superior() -> None:
    rows = losses(5)
    found = superior_to(rows[0], rows, seed=1)
    assert found
    assert 0 not in found.better
    assert superior_to(rows[0], rows[:1], seed=1) is None


def test_the_best_stays_in_the_confidence_set_and_the_worst_leaves() -> None:
    rows = losses(6)
    rows[2] += 1.0
    found = model_confidence_set(rows, seed=1)
    assert found
    assert 2 not in found.members
    assert found.p_values[2] <= 0.05
    rows[3] -= 2.0
    alone = model_confidence_set(rows, seed=1)
    assert alone
    assert alone.members == (3,)


def test_equals_keep_each_other_company() -> None:
    rows = losses(7, contestants=3)
    found = model_confidence_set(np.vstack([rows, rows[1:2]]), seed=1)
    assert found
    assert found.p_values[1] == found.p_values[3]
    assert model_confidence_set(np.vstack([rows[:1], rows[:1]]), seed=1) is None


@pytest.mark.parametrize("rows", [np.empty((0, 50)), np.ones((2, 19)), np.full((2, 30), np.nan)])
def test_too_little_to_test(rows: FloatArray) -> None:
    assert superior_to(np.zeros(rows.shape[1]), rows, seed=1) is None
    assert model_confidence_set(rows, seed=1) is None

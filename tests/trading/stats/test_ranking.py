import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.stats import FloatArray, Place, holm, places, resampled, resamples_needed


def total(values: FloatArray) -> FloatArray:
    return np.asarray(values.sum(axis=-1))


def test_holm_of_a_textbook_case() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([]).size == 0
    np.testing.assert_allclose(holm([0.9, 0.8]), [1.0, 1.0])


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_holm_never_lowers_and_keeps_the_order(raw: list[float]) -> None:
    adjusted = holm(raw)
    assert (adjusted >= np.array(raw)).all()
    assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0).all()


def test_enough_draws_for_the_correction() -> None:
    for contestants in (2, 8, 20, 50):
        pairs = contestants * (contestants - 1) // 2
        assert 1.0 / (resamples_needed(contestants) + 1) < 0.05 / pairs
    assert resamples_needed(1) == 1000


def test_clear_winner_and_loser_stand_apart_and_the_middle_is_tied() -> None:
    rng = np.random.default_rng(1)
    common = rng.normal(size=400)
    edges = np.array([0.0, 0.5, -0.5, 0.0])
    rows = common + edges[:, np.newaxis] + 0.3 * rng.normal(size=(4, 400))
    found = places(total(rows), resampled(rows, total, resamples=resamples_needed(4), rng=rng))
    assert [(place.rank, place.last) for place in found] == [(2, 3), (1, 1), (4, 4), (2, 3)]
    assert [place.tied_with for place in found] == [(3,), (), (), (0,)]


def test_contestants_without_a_value_are_tied_with_all() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(3, 100)) * 0.01 + np.array([[0.0], [1.0], [0.0]])
    rows[2, 5] = np.nan
    found = places(total(rows), resampled(rows, total, block_length=1.0, rng=rng))
    assert found[2].tied_with == (0, 1)
    assert (found[1].rank, found[0].rank) == (1, 2)


def test_one_or_no_contestant() -> None:
    assert places(np.array([]), np.empty((10, 0))) == ()
    assert places(np.array([1.0]), np.ones((10, 1))) == (Place(rank=1, last=1, tied_with=()),)


def test_equals_are_separated_at_most_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(3)
    runs, wrong = 200, 0
    for _ in range(runs):
        rows = rng.standard_t(4, size=(4, 150)) + rng.standard_t(4, size=150)
        found = places(total(rows), resampled(rows, total, rng=rng))
        wrong += any(place.rank != 1 for place in found)
    assert wrong / runs <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize("count", [2, 6])
def test_ties_are_mutual_and_ranks_consistent(count: int) -> None:
    rng = np.random.default_rng(count)
    rows = rng.normal(size=(count, 60)) + np.linspace(0, 0.8, count)[:, np.newaxis]
    found = places(total(rows), resampled(rows, total, rng=rng))
    for me, place in enumerate(found):
        assert all(me in found[other].tied_with for other in place.tied_with)
        assert place.last - place.rank == len(place.tied_with)

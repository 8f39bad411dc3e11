"""Folds share no bar with what they are judged on, whichever way history is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.domain.errors import RequestError
from trading.forecasting.folds import combinatorial, held_out, walk_forward


@settings(max_examples=40, deadline=None)
@given(steps=st.integers(1, 48), folds=st.integers(1, 8), missing=st.floats(0, 0.3), seed=st.integers(0, 99))
def test_no_label_of_a_training_row_reaches_a_judged_one(steps: int, folds: int, missing: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(4000) >= missing)
    found = walk_forward(rows, first_test=2000, folds=folds, steps=steps)
    assert np.array_equal(np.concatenate([fold.test for fold in found]), rows[rows >= 2000])
    for fold in found:
        assert fold.train.max() + 2 * steps < fold.test.min()
        early, late = held_out(fold.train, steps)
        assert early.max() + 2 * steps < late.min()
        assert late.max() == fold.train.max()


def test_combinatorial_folds_are_purged_on_both_sides_and_judge_every_choice() -> None:
    rows, steps = np.arange(3000), 24
    found = list(combinatorial(rows, blocks=6, tests=2, steps=steps))
    assert len(found) == 15
    for fold in found:
        gaps = np.abs(fold.train[:, np.newaxis] - fold.test[np.newaxis, ::17])
        assert gaps.min() >= 1
        for edge in (fold.test.min(), fold.test.max()):
            nearest = np.abs(fold.train - edge).min()
            assert nearest > steps or edge in (0, 2999)
    assert np.bincount(np.concatenate([fold.test for fold in found])).tolist() == [5] * 3000


def test_too_little_to_judge_is_refused() -> None:
    with pytest.raises(RequestError, match="expected at least 50 a fold"):
        walk_forward(np.arange(1000), first_test=900, folds=4, steps=1)

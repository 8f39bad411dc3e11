import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.stats import max_drawdown


def test_deepest_fall_is_from_the_peak_before_it() -> None:
    assert max_drawdown(np.array([100.0, 120.0, 90.0, 130.0, 117.0])) == pytest.approx(0.25)


def test_debt_is_more_than_all() -> None:
    assert max_drawdown(np.array([100.0, -20.0])) == pytest.approx(1.2)


@pytest.mark.parametrize("equity", [[], [100.0, np.nan], [0.0, 1.0], [-1.0, 2.0]])
def test_rubbish_has_no_drawdown(equity: list[float]) -> None:
    assert max_drawdown(np.array(equity)) is None


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=40))
def test_equals_the_worst_of_all_pairs(values: list[float]) -> None:
    worst = max(1.0 - later / earlier for at, earlier in enumerate(values) for later in values[at:])
    assert max_drawdown(np.array(values)) == pytest.approx(worst, abs=1e-12)

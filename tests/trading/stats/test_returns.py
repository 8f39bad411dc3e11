import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trading.stats import log_growth, price_moves, simple_returns


def test_returns_are_changes_over_the_earlier_equity() -> None:
    np.testing.assert_allclose(simple_returns(np.array([100.0, 110.0, 99.0])), [0.1, -0.1])


def test_after_ruin_nothing_is_earned() -> None:
    equity = np.array([100.0, 50.0, -5.0, 20.0, 40.0])
    np.testing.assert_allclose(simple_returns(equity), [-0.5, -1.0, 0.0, 0.0])
    assert np.isfinite(log_growth(simple_returns(equity))).all()


def test_an_unknown_mark_stays_unknown() -> None:
    assert np.isnan(simple_returns(np.array([100.0, np.nan, 100.0]))).all()


def test_no_marks_no_returns() -> None:
    assert simple_returns(np.array([100.0])).size == 0
    assert simple_returns(np.array([])).size == 0


@given(st.lists(st.floats(1.0, 1e6), min_size=2, max_size=60))
def test_growth_adds_up_to_the_whole(values: list[float]) -> None:
    equity = np.array(values)
    returns = simple_returns(equity)
    if returns.min() > -0.99:
        np.testing.assert_allclose(np.exp(log_growth(returns).sum()), equity[-1] / equity[0], rtol=1e-9)


def test_a_missing_price_is_no_move() -> None:
    closes = np.array([[np.nan, 10.0, 11.0], [5.0, 5.0, 4.0]])
    np.testing.assert_allclose(price_moves(closes), [[0.0, 0.0], [0.1, -0.2]])

"""Rolling measures against numpy over each window by itself."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.features import rolling
from trading.marketdata import FloatArray

OF_ONE: dict[str, tuple[Callable[[FloatArray, int], FloatArray], Callable[[FloatArray], float]]] = {
    "mean": (rolling.mean, np.mean),
    "total": (rolling.total, np.sum),
    "highest": (rolling.highest, np.max),
    "lowest": (rolling.lowest, np.min),
    "deviation": (rolling.deviation, lambda part: np.std(part, ddof=1)),
    "zscore": (rolling.zscore, lambda part: (part[-1] - part.mean()) / part.std(ddof=1)),
    "slope": (rolling.slope, lambda part: np.polyfit(np.arange(len(part)), part, 1)[0]),
    "line_fit": (rolling.line_fit, lambda part: np.corrcoef(np.arange(len(part)), part)[0, 1] ** 2),
}


@pytest.mark.parametrize("name", OF_ONE)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), length=st.integers(3, 40), more=st.integers(0, 30))
def test_each_window_stands_for_itself(name: str, seed: int, length: int, more: int) -> None:
    measure, alone = OF_ONE[name]
    values = np.random.default_rng(seed).normal(5, 2, length + more)
    expected = [alone(values[begin : begin + length]) for begin in range(more + 1)]
    assert measure(values, length) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), length=st.integers(3, 40), more=st.integers(0, 30))
def test_two_series_are_lined_up_at_their_ends(seed: int, length: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=length + more), rng.normal(size=length + more + 3)
    pairs = [(first[at : at + length], second[at + 3 : at + 3 + length]) for at in range(more + 1)]
    assert rolling.correlation(first, second, length) == pytest.approx([np.corrcoef(*pair)[0, 1] for pair in pairs])
    expected = [np.polyfit(driver, dependent, 1)[0] for dependent, driver in pairs]
    assert rolling.beta(first, second, length) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_rounding_is_no_deviation() -> None:
    values = np.full(30, 0.1) * 3
    values[::2] = 0.3
    with np.errstate(all="ignore"):
        assert np.isnan(rolling.zscore(values, 10)).all()
        assert np.isnan(rolling.position(values, values - 1e-17, values + 1e-17)).all()
        assert np.isnan(rolling.correlation(values, values, 10)).all()

"""Capital: equal on noise, tilted to a planted edge, within bounds, and still where moving costs more."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trading.allocation import AllocationRules, allocate

FREE = AllocationRules(cost=0.0, max_turnover=2.0)


def noise(desks: int, count: int, seed: int, edges: tuple[float, ...] = ()) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    drift = dict(enumerate(edges))
    return {f"d{at}": rng.normal(0.01 * drift.get(at, 0.0), 0.01, count) for at in range(desks)}


def test_equal_until_there_is_evidence() -> None:
    found = allocate(noise(4, 10, 1))
    assert found.weights == dict.fromkeys(found.weights, 0.25)
    assert found.p_value is None
    assert not found.moved
    one = allocate({"a": np.random.default_rng(1).normal(0, 1, 100), "b": np.zeros(100)}, rules=AllocationRules(cap=1))
    assert one.weights == {"a": 0.5, "b": 0.5}
    assert one.scores["b"].sharpe is None


def test_on_noise_capital_stays_equal_about_as_often_as_promised() -> None:
    tilted = sum(allocate(noise(8, 500, seed), rules=FREE).moved for seed in range(400))
    assert tilted / 400 < 0.08


def test_a_planted_edge_gets_more_and_never_above_the_cap() -> None:
    found = allocate(noise(5, 2000, 3, edges=(0.2, -0.1)), rules=AllocationRules(cap=0.6, cost=0, max_turnover=2))
    order = sorted(found.weights, key=lambda name: found.weights[name])
    assert (order[0], order[-1]) == ("d1", "d0")
    assert found.weights["d0"] > 0.4
    assert max(found.weights.values()) <= 0.6 + 1e-12


def test_heterogeneity_by_hand() -> None:
    returns = noise(3, 400, 5, edges=(0.3,))
    found = allocate(returns)
    ratios = np.array([score.sharpe for score in found.scores.values()])
    precision = np.array([score.error for score in found.scores.values()]) ** -2.0
    mean = (precision * ratios).sum() / precision.sum()
    statistic = (precision * (ratios - mean) ** 2).sum()
    assert found.p_value == pytest.approx(stats.chi2.sf(statistic, 2))
    scale = precision.sum() - (precision**2).sum() / precision.sum()
    assert found.spread == pytest.approx(math.sqrt((statistic - 2) / scale))


def test_less_is_believed_of_a_short_record() -> None:
    rng = np.random.default_rng(8)
    long = rng.normal(0, 0.01, 3000)
    long += 0.15 * 0.01 - long.mean()
    returns = {"long": long, "short": long[:300] - long[:300].mean() + 0.0015, "flat": rng.normal(0, 0.01, 3000)}
    found = allocate(returns, rules=FREE)
    short, long_score = found.scores["short"], found.scores["long"]
    assert short.error > 3 * long_score.error
    assert short.score < long_score.score
    assert found.weights["short"] < found.weights["long"]


def test_moving_must_pay_and_is_held_to_the_turnover() -> None:
    returns = noise(4, 2000, 3, edges=(0.2,))
    still = allocate(returns, rules=AllocationRules(cost=1.0, horizon=1))
    assert not still.moved
    assert still.weights == dict.fromkeys(returns, 0.25)
    assert "cost" in still.reason
    slow = allocate(returns, rules=AllocationRules(cost=0, max_turnover=0.1))
    assert slow.turnover == pytest.approx(0.1)
    assert sum(abs(slow.weights[name] - 0.25) for name in returns) == pytest.approx(0.1)


def test_shares_outside_the_bounds_come_back_without_evidence() -> None:
    found = allocate(noise(3, 10, 1), {"d0": 0.9, "d1": 0.05, "d2": 0.05}, AllocationRules(max_turnover=2))
    assert found.moved
    assert found.weights == pytest.approx(dict.fromkeys(found.weights, 1 / 3))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9999), desks=st.integers(2, 9), scale=st.floats(0, 3), cap=st.floats(0.5, 1))
def test_shares_add_up_and_stand_within_the_bounds(seed: int, desks: int, scale: float, cap: float) -> None:
    edges = tuple(np.random.default_rng(seed).normal(0, scale, desks).tolist())
    rules = AllocationRules(floor=0.02, cap=cap, cost=0, max_turnover=2)
    found = allocate(noise(desks, 60, seed, edges), rules=rules)
    assert sum(found.weights.values()) == pytest.approx(1)
    assert all(0.02 - 1e-9 <= share <= cap + 1e-9 for share in found.weights.values())


@pytest.mark.parametrize(
    ("current", "rules", "words"),
    [
        ({"d0": 1.0}, {}, "expected those of"),
        ({"d0": 0.5, "d1": 0.6}, {}, "add up"),
        ({"d0": math.nan, "d1": 1.0}, {}, "finite"),
        (None, {"floor": 0.6, "cap": 0.7}, "no shares"),
        (None, {"cap": 0.4}, "no shares"),
        (None, {"cap": math.nan}, "finite"),
        (None, {"floor": 0.5, "cap": 0.4}, "floor <= cap"),
        (None, {"horizon": 0}, "horizon"),
    ],
)
def test_rubbish_is_refused(current: dict | None, rules: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        allocate(noise(2, 30, 1), current, AllocationRules(**rules))


def test_nobody_gets_nothing() -> None:
    with pytest.raises(ValueError, match="no desks"):
        allocate({})

"""Sizes against closed forms, within limits whatever was asked, and small where little is known."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from trading.risk import Limits
from trading.risk.measures import square_root_impact
from trading.risk.sizing import (
    Edge,
    affordable_quantity,
    capped_weights,
    kelly_bet,
    kelly_weight,
    position_for_var,
    risk_parity_weights,
    volatility_target_scale,
)

LIMITS = Limits.load(Path(__file__).parents[4] / "config" / "limits.toml")


def test_kelly_golden_values() -> None:
    assert kelly_bet(0.55, 1) == pytest.approx(0.10)
    assert kelly_bet(0.45, 1) == 0
    certain = Edge(mean=0.02, deviation=0.2, observations=10**12)
    assert kelly_weight(certain, fraction=1.0) == pytest.approx(0.02 / 0.04)


@given(mean=st.floats(-0.05, 0.05), count=st.integers(1, 10_000), confidence=st.floats(0, 1))
def test_kelly_is_never_above_the_full_one_and_grows_with_knowledge(mean: float, count: int, confidence: float) -> None:
    fewer, more = (
        kelly_weight(Edge(mean=mean, deviation=0.02, observations=n, confidence=confidence)) for n in (count, 2 * count)
    )
    assert abs(fewer) <= abs(more) <= abs(mean) / 0.0004 + 1e-12
    assert fewer * mean >= 0


def test_kelly_of_noise_is_small() -> None:
    rng = np.random.default_rng(1)
    sizes, naive = [], []
    for _ in range(500):
        returns = rng.normal(0, 0.02, 100)
        mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
        sizes.append(abs(kelly_weight(Edge(mean=mean, deviation=deviation, observations=100))))
        naive.append(abs(mean) / deviation**2)
    assert np.mean(sizes) < 0.35 * np.mean(naive)


@pytest.mark.parametrize(
    "edge",
    [
        Edge(mean=math.nan, deviation=0.1, observations=5),
        Edge(mean=0.1, deviation=-0.1, observations=5),
        Edge(mean=0.1, deviation=0.1, observations=0),
        Edge(mean=0.1, deviation=0.1, observations=5, confidence=1.5),
    ],
)
def test_no_such_edge(edge: Edge) -> None:
    with pytest.raises(ValueError, match="expected"):
        kelly_weight(edge)


def test_volatility_target() -> None:
    assert volatility_target_scale(0.2, 0.8) == pytest.approx(0.25)
    assert volatility_target_scale(0.2, 0.1) == 1.0
    assert volatility_target_scale(0.2, 0.1, most=3) == pytest.approx(2.0)
    assert volatility_target_scale(0.2, math.nan) == 0.0


def test_risk_parity_of_uncorrelated_assets_is_inverse_volatility() -> None:
    found = risk_parity_weights(np.diag([0.04, 0.01]))
    assert found == pytest.approx([1 / 3, 2 / 3])


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), assets=st.integers(2, 8))
def test_risk_parity_carries_equal_parts(seed: int, assets: int) -> None:
    mix = np.random.default_rng(seed).normal(size=(assets, assets))
    covariance = mix @ mix.T + 0.1 * np.eye(assets)
    weights = risk_parity_weights(covariance)
    parts = weights * (covariance @ weights) / (weights @ covariance @ weights)
    assert weights.sum() == pytest.approx(1)
    assert parts == pytest.approx(np.full(assets, 1 / assets), abs=1e-5)


@settings(max_examples=200, deadline=None)
@given(weights=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=6))
def test_whatever_is_asked_stands_within_the_limits(weights: list[float]) -> None:
    asked = {f"A{at}-USDT": weight for at, weight in enumerate(weights)}
    found = capped_weights(asked, LIMITS)
    rounding = 1 + 1e-9
    assert max(map(abs, found.values())) <= float(LIMITS.max_leverage) * rounding
    assert sum(map(abs, found.values())) <= float(LIMITS.max_gross_exposure) * rounding
    assert abs(sum(found.values())) <= float(LIMITS.max_net_exposure) * rounding
    assert all(abs(found[symbol]) <= abs(asked[symbol]) for symbol in asked if math.isfinite(asked[symbol]))


def test_what_is_not_allowed_is_not_held() -> None:
    limits = LIMITS.tightened({"allowed_instruments": ["A-USDT"]})
    assert capped_weights({"A-USDT": 0.5, "B-USDT": 0.5}, limits) == {"A-USDT": 0.5, "B-USDT": 0.0}


def test_size_under_impact_is_the_best_one() -> None:
    def loss(quantity: float) -> float:
        return -quantity * (0.004 - 0.001 - square_root_impact(quantity, 1e6, 0.03))

    best = optimize.minimize_scalar(loss, bounds=(1, 1e6), method="bounded", options={"xatol": 1e-3}).x
    assert affordable_quantity(0.004, 1e6, 0.03, cost=0.001) == pytest.approx(best, rel=1e-4)
    assert affordable_quantity(0.001, 1e6, 0.03, cost=0.002) == 0.0


def test_position_for_a_var() -> None:
    weight = position_for_var(0.05, 0.04, 0.99)
    assert weight * 0.04 * 2.326347874 == pytest.approx(0.05)
    assert position_for_var(0.05, 0.0, 0.99) == math.inf

"""The CVaR-constrained optimum: the closed form of one asset, a linear programme solved otherwise, limits, rubbish."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize

from trading.risk import Limits
from trading.risk.measures import expected_shortfall
from trading.risk.sizing import cvar_optimum

LIMITS = Limits.load(Path(__file__).parents[4] / "config" / "limits.toml")
RNG = np.random.default_rng(1)
MIX = np.array([[0.02, 0, 0], [0.012, 0.015, 0], [0.01, 0.0, 0.03]])
TABLE = RNG.standard_t(4, (400, 3)) @ MIX.T
NAMES = ("A-USDT-PERP", "B-USDT-PERP", "C-USDT")
PAST = dict(zip(NAMES, TABLE.T, strict=True))
MEANS = {"A-USDT-PERP": 0.001, "B-USDT-PERP": -0.0012, "C-USDT": 0.0005}


def test_one_asset_fills_its_budget() -> None:
    found = cvar_optimum({"A-USDT": PAST["A-USDT-PERP"]}, {"A-USDT": 0.001}, LIMITS, most_cvar=0.02, level=0.95)
    assert found.cvar == pytest.approx(0.02, rel=0.02)
    centred = PAST["A-USDT-PERP"] - PAST["A-USDT-PERP"].mean() + 0.001
    assert found.weights["A-USDT"] == pytest.approx(0.02 / expected_shortfall(centred, 0.95), rel=0.02)


def test_it_is_the_linear_programme_of_rockafellar_and_uryasev() -> None:
    level, most = 0.95, 0.03
    found = cvar_optimum(PAST, MEANS, LIMITS, most_cvar=most, level=level)
    mean = np.array(list(MEANS.values()))
    scenarios = TABLE - TABLE.mean(axis=0) + mean
    count, assets = scenarios.shape
    # Variables: weights, the quantile, and what each scenario loses beyond it.
    cost = np.concatenate([-mean, np.zeros(1 + count)])
    beyond = np.hstack([-scenarios, -np.ones((count, 1)), -np.eye(count)])
    budget = np.concatenate([np.zeros(assets), [1.0], np.full(count, 1 / (count * (1 - level)))])
    answer = optimize.linprog(
        cost,
        A_ub=np.vstack([beyond, budget]),
        b_ub=np.concatenate([np.zeros(count), [most]]),
        bounds=[(-3, 3), (-3, 3), (0, 3), (None, None), *[(0, None)] * count],
    )
    assert found.mean == pytest.approx(-answer.fun, rel=1e-3)
    assert list(found.weights.values()) == pytest.approx(answer.x[:3].tolist(), abs=0.02)
    assert found.weights["B-USDT-PERP"] < 0 < found.weights["A-USDT-PERP"]


def test_limits_bind_before_the_budget() -> None:
    tight = LIMITS.tightened({"max_leverage": "0.2", "max_gross_exposure": "0.3"})
    found = cvar_optimum(PAST, MEANS, tight, most_cvar=0.5, level=0.95)
    assert max(map(abs, found.weights.values())) <= 0.2 + 1e-9
    assert sum(map(abs, found.weights.values())) <= 0.3 + 1e-9
    barred = LIMITS.tightened({"allowed_instruments": ["A-USDT-PERP"]})
    assert cvar_optimum(PAST, MEANS, barred, most_cvar=0.05, level=0.95).weights["C-USDT"] == 0


def test_no_edge_no_position() -> None:
    found = cvar_optimum(PAST, dict.fromkeys(NAMES, 0.0), LIMITS, most_cvar=0.05, level=0.95)
    assert set(found.weights.values()) == {0.0}
    down = cvar_optimum({"C-USDT": PAST["C-USDT"]}, {"C-USDT": -0.01}, LIMITS, most_cvar=0.05, level=0.95)
    assert down.weights == {"C-USDT": 0.0}


@pytest.mark.parametrize(
    ("returns", "means", "cvar", "words"),
    [
        ({}, {}, 0.1, "one instrument"),
        (PAST, {"A-USDT-PERP": 0.1}, 0.1, "means"),
        (PAST, {**MEANS, "C-USDT": math.nan}, 0.1, "finite"),
        (PAST, MEANS, 0.0, "between 0 and 1"),
        ({"C-USDT": np.array([0.1, np.nan, 0.2])}, {"C-USDT": 0.1}, 0.1, "NaN"),
    ],
)
def test_rubbish_is_refused(returns: dict, means: dict, cvar: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cvar_optimum(returns, means, LIMITS, most_cvar=cvar, level=0.95)

"""The rules of the house models, one by one."""

from math import sqrt

import numpy as np
import pytest

from agents.llm.house.strategies import Evidence, discover_strategies
from agents.llm.house.strategies.voltarget import TARGET

TWO = ("A-USDT-PERP", "B-USDT-PERP")
BY_NAME = discover_strategies()


def evidence(scores=None, forecasts=None, held=None, symbols=TWO, seed=0):
    return Evidence(
        symbols=symbols,
        scores=scores or {},
        forecasts=forecasts or {},
        held=held or {},
        cost=0.00065,
        rng=lambda: np.random.default_rng(seed),
    )


def forecast(p_up=0.5, width=0.02, horizon_s=14_400):
    return {"p_up": p_up, "q05": -width / 2, "q50": 0.0, "q95": width / 2, "horizon_s": horizon_s}


@pytest.mark.parametrize("name", BY_NAME)
def test_unknown_indicators_and_reports_give_no_opinion_and_no_error(name):
    strategy = BY_NAME[name]
    blank = dict.fromkeys(("return_24", "return_72", "volatility_24", "zscore_48", "close", "donchian_high_48"))
    for row in ({}, blank):
        score = strategy.score(row)
        assert score is None or -1 <= score.value <= 1
    targets = strategy.targets(evidence())
    assert targets.keys() == set(TWO)


def test_buyhold_buys_once():
    targets = BY_NAME["buyhold"].targets
    assert targets(evidence()) == {"A-USDT-PERP": 0.5, "B-USDT-PERP": 0.5}
    assert targets(evidence(held={"A-USDT-PERP": 0.2})) == {"A-USDT-PERP": None, "B-USDT-PERP": 0.5}


def test_equalweight_always_wants_its_share():
    assert BY_NAME["equalweight"].targets(evidence(held={"A-USDT-PERP": 0.9})) == dict.fromkeys(TWO, 0.5)


@pytest.mark.parametrize(("move", "sign"), [(0.06, 1), (-0.06, -1), (0.0, 0), (0.002, 0)])
def test_momentum_follows_what_is_more_than_noise(move, sign):
    score = BY_NAME["momentum"].score({"return_24": move, "return_72": move * 2, "volatility_24": 0.005})
    assert np.sign(score.value) == sign
    wanted = BY_NAME["momentum"].targets(evidence({"A-USDT-PERP": score.value}))
    assert np.sign(wanted["A-USDT-PERP"]) == sign
    assert wanted["B-USDT-PERP"] is None, "no score, no change"


def test_meanrev_enters_stretched_stays_and_leaves_at_the_mean():
    strategy = BY_NAME["meanrev"]

    def wanted(z, held=0.0):
        return strategy.targets(
            evidence({"A-USDT-PERP": strategy.score({"zscore_48": z}).value}, held={"A-USDT-PERP": held})
        )

    assert wanted(2.5)["A-USDT-PERP"] == -0.5
    assert wanted(-2.5)["A-USDT-PERP"] == 0.5
    assert wanted(1.0)["A-USDT-PERP"] == 0.0
    assert wanted(1.0, held=-0.5)["A-USDT-PERP"] is None, "still on the way back"
    assert wanted(-0.1, held=-0.5)["A-USDT-PERP"] == 0.0, "back at the mean"


def test_breakout_enters_outside_and_leaves_past_the_middle():
    strategy = BY_NAME["breakout"]

    def wanted(close, held=0.0):
        row = {"close": close, "donchian_high_48": 110.0, "donchian_low_48": 90.0}
        return strategy.targets(evidence({"A-USDT-PERP": strategy.score(row).value}, held={"A-USDT-PERP": held}))[
            "A-USDT-PERP"
        ]

    assert wanted(111.0) == 0.5
    assert wanted(89.0) == -0.5
    assert wanted(105.0) == 0.0
    assert wanted(105.0, held=0.5) is None
    assert wanted(99.0, held=0.5) == 0.0


def test_voltarget_aims_at_twenty_percent_a_year():
    width, horizon_s = 0.03, 14_400
    wanted = BY_NAME["voltarget"].targets(evidence(forecasts=dict.fromkeys(TWO, forecast(width=width))))
    a_year = width / (2 * 1.6449) * sqrt(365.25 * 86_400 / horizon_s)
    assert sum(wanted.values()) * a_year == pytest.approx(TARGET)


def test_forecaster_takes_the_side_the_forecast_leans_to():
    rows = {"A-USDT-PERP": forecast(0.52), "B-USDT-PERP": forecast(0.4925)}
    wanted = BY_NAME["forecaster"].targets(evidence(forecasts=rows))
    assert wanted == {"A-USDT-PERP": pytest.approx(0.5), "B-USDT-PERP": pytest.approx(-0.375)}
    even = BY_NAME["forecaster"].targets(evidence(forecasts=dict.fromkeys(TWO, forecast(0.503))))
    assert even == dict.fromkeys(TWO, 0.0)


def test_random_has_no_lean_and_follows_its_seed():
    targets = BY_NAME["random"].targets
    assert targets(evidence(seed=3)) == targets(evidence(seed=3))
    drawn = [weight for seed in range(4000) for weight in targets(evidence(seed=seed)).values() if weight is not None]
    assert 300 < len(drawn) < 500, "about one in twenty changes"
    spread = sqrt(2 / 3) * 0.5
    assert abs(np.mean(drawn)) < 4 * spread / sqrt(len(drawn))

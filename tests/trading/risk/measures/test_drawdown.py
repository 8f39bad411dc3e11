"""Drawdowns that could have been: Magdon-Ismail's expectation, clusters that matter, and the number of bets."""

import math

import numpy as np
import pytest

from trading.risk.measures import drawdown_risk, effective_bets
from trading.risk.simulation.gbm import shrunk_scale

RNG = np.random.default_rng


def test_of_steady_noise_it_is_what_a_driftless_walk_expects() -> None:
    # Magdon-Ismail, Atiya, Pratap and Abu-Mostafa (2004): E[MDD] of a Brownian motion without drift.
    returns = RNG(1).normal(0, 0.001, 20_000)
    found = drawdown_risk(returns - returns.mean(), 2500, rng=RNG(2), resamples=2000)
    assert found.mean == pytest.approx(math.sqrt(math.pi / 2) * 0.001 * math.sqrt(2500), rel=0.06)
    assert list(found.quantiles.values()) == sorted(found.quantiles.values())
    assert found.quantiles[0.95] < found.tail_mean < 1


def test_storms_that_stay_together_fall_further() -> None:
    rng = RNG(3)
    calm = np.repeat(np.tile([0.002, 0.02], 20), 250)
    clustered = rng.normal(0, 1, len(calm)) * calm
    mixed = rng.permutation(clustered)
    together, apart = (drawdown_risk(series, 100, rng=RNG(4)) for series in (clustered, mixed))
    assert together.block > 10 * apart.block
    assert together.tail_mean > 1.1 * apart.tail_mean


def test_one_seed_one_answer_and_bounds_on_work() -> None:
    returns = RNG(5).normal(0, 0.01, 300)
    assert drawdown_risk(returns, 50, rng=RNG(1)) == drawdown_risk(returns, 50, rng=RNG(1))
    assert drawdown_risk(returns, 10_000, rng=RNG(1)).resamples == 400
    assert drawdown_risk(np.zeros(10), 5, rng=RNG(1)).mean == 0


@pytest.mark.parametrize(("returns", "window"), [([0.1, math.nan], 1), ([0.1], 1), ([0.1, 0.2], 0)])
def test_rubbish_is_refused(returns: list[float], window: int) -> None:
    with pytest.raises(ValueError, match=r"returns|window"):
        drawdown_risk(np.array(returns), window, rng=RNG(1))


def test_effective_bets() -> None:
    equal = np.full(4, 0.25)
    assert effective_bets(equal, np.diag([4.0, 4, 4, 4]) + np.diag([1e-9, 2e-9, 3e-9, 0])) == pytest.approx(4, rel=1e-6)
    assert effective_bets(equal, np.ones((4, 4))) == pytest.approx(1, abs=1e-6)
    assert effective_bets(np.zeros(4), np.eye(4)) is None


def test_noise_alone_makes_no_bets_fewer() -> None:
    table = RNG(6).normal(0, 0.01, (300, 8))
    assert effective_bets(np.ones(8), shrunk_scale(table)) == pytest.approx(8, rel=0.05)

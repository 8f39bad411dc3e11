"""Historical VaR and CVaR against numpy, skfolio, closed forms and each other."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from trading.marketdata import FloatArray, read_candles
from trading.risk.measures import (
    HorizonReturns,
    expected_shortfall,
    historical_tail_risk,
    lookback_bars,
    value_at_risk,
)

DATA = Path(os.environ.get("TRADEFLOOR_TEST_DATA", str(Path(__file__).parents[5] / "shared" / "data")))
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
some_returns = hnp.arrays(np.float64, st.integers(1, 300), elements=st.floats(-0.5, 0.5, allow_subnormal=False))
some_level = st.floats(0.5, 0.999)


def history_of(returns: FloatArray, steps: int = 1) -> HorizonReturns:
    starts = np.arange(len(returns), dtype=np.int64) * HOUR_MS
    return HorizonReturns(instrument="X-USDT", steps=steps, start_ms=starts, returns=returns)


def test_golden_values() -> None:
    returns = np.array([0.03, -0.10, 0.00, -0.02, 0.01, -0.05, 0.02, 0.04, -0.01, 0.05, 0.06])
    assert value_at_risk(returns, 0.9) == pytest.approx(0.05, abs=1e-15)
    assert expected_shortfall(returns, 0.9) == pytest.approx(0.075, abs=1e-15)
    assert value_at_risk(returns, 0.95) == pytest.approx(0.075, abs=1e-15)
    assert expected_shortfall(returns, 0.95) == pytest.approx(0.10, abs=1e-15)


@settings(max_examples=100, deadline=None)
@given(returns=some_returns, level=some_level)
def test_var_is_the_interpolated_quantile_of_numpy(returns: FloatArray, level: float) -> None:
    assert value_at_risk(returns, level) == pytest.approx(-np.quantile(returns, 1 - level), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(returns=some_returns, level=some_level, scale=st.floats(0.1, 5), shift=st.floats(-0.1, 0.1))
def test_both_are_coherent_in_scale_and_shift(returns: FloatArray, level: float, scale: float, shift: float) -> None:
    assert expected_shortfall(returns, level) >= value_at_risk(returns, level) - 1e-12
    assert value_at_risk(scale * returns, level) == pytest.approx(scale * value_at_risk(returns, level), abs=1e-9)
    assert value_at_risk(returns + shift, level) == pytest.approx(value_at_risk(returns, level) - shift, abs=1e-9)


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_a_normal_sample_gives_the_normal_values(level: float) -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.02, 400_000)
    quantile = stats.norm.ppf(level)
    assert value_at_risk(returns, level) == pytest.approx(0.02 * quantile - 0.001, rel=0.01)
    shortfall = 0.02 * stats.norm.pdf(quantile) / (1 - level) - 0.001
    assert expected_shortfall(returns, level) == pytest.approx(shortfall, rel=0.01)


@pytest.mark.parametrize(("count", "level"), [(0, 0.95), (5, 0.0), (5, 1.0)])
def test_no_returns_or_no_level_is_an_error(count: int, level: float) -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        value_at_risk(np.zeros(count), level)


def test_holding_nothing_risks_nothing_whatever_the_history() -> None:
    found = historical_tail_risk({"X-USDT": 0.0}, {})
    assert found.var == found.cvar == {0.95: 0.0, 0.99: 0.0}
    assert not found.reasons


@pytest.mark.parametrize(
    ("count", "steps", "known"),
    [
        (99, 1, []),
        (100, 1, [0.95]),
        (499, 1, [0.95]),
        (500, 1, [0.95, 0.99]),
        (500, 24, [0.95, 0.99]),
        (500, 51, []),
    ],
)
def test_a_tail_that_history_cannot_show_is_not_known(count: int, steps: int, known: list[float]) -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, count)
    found = historical_tail_risk({"X-USDT": 1.0}, {"X-USDT": history_of(returns, steps)})
    assert [level for level, value in found.var.items() if value is not None] == known
    assert [level for level, value in found.cvar.items() if value is not None] == known
    assert len(found.reasons) == 2 - len(known)


def test_a_short_position_fears_the_other_tail() -> None:
    returns = np.random.default_rng(3).gamma(2, 0.01, 1000)
    history = {"X-USDT": history_of(returns)}
    long, short = historical_tail_risk({"X-USDT": 1.0}, history), historical_tail_risk({"X-USDT": -1.0}, history)
    assert long.var[0.99] == pytest.approx(-np.quantile(returns, 0.01))
    assert short.var[0.99] == pytest.approx(np.quantile(returns, 0.99))


@pytest.mark.parametrize(
    ("step_ms", "horizon_ms", "bars"),
    [(HOUR_MS, DAY_MS, 8760), (DAY_MS, DAY_MS, 365), (60_000, DAY_MS, 28_800), (60_000, HOUR_MS, 8760)],
)
def test_lookback_is_a_year_where_bars_are_not_too_many(step_ms: int, horizon_ms: int, bars: int) -> None:
    assert lookback_bars(step_ms, horizon_ms) == bars


def test_it_is_skfolio_s_where_both_definitions_meet() -> None:
    from skfolio.measures import cvar
    from skfolio.measures import value_at_risk as var_of_skfolio

    candles = read_candles(DATA / "ohlcv" / "binance" / "BTC-USDT-1h.parquet")
    moves = candles.close[1:] / candles.close[:-1] - 1
    for level, count in ((0.95, 1001), (0.99, 10_001)):
        series = moves[-count:]
        # At these lengths the quantile falls on an observation, so that interpolation has nothing to do.
        exact = var_of_skfolio(series, beta=level)
        assert value_at_risk(series, level) == pytest.approx(exact, rel=1e-12)
        # Ours is the plain mean of returns at and beyond the quantile, theirs of exactly 1 - level of the mass.
        rank, mass = round((1 - level) * (count - 1)), (1 - level) * count
        tail = expected_shortfall(series, level) * (rank + 1)
        assert tail - (rank + 1 - mass) * exact == pytest.approx(cvar(series, beta=level) * mass, rel=1e-9)

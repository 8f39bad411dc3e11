"""The volatility-scaled forecaster: closed forms, calibration on real candles, no skill where none can be."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trading.domain.errors import BadArguments, RequestError, Unavailable
from trading.forecasting import Forecaster, discover, forecaster
from trading.forecasting.models import volatility_scaled as model
from trading.forecasting.models.volatility_scaled import VolatilityScaled, student_t5_cdf
from trading.marketdata import Bars, FloatArray

HOUR_MS = 3_600_000
MakeBars = Callable[..., Bars]
HourlyCloses = Callable[[str, datetime], FloatArray]


def random_walk(count: int, seed: int, deviation: float = 0.01) -> FloatArray:
    steps = np.random.default_rng(seed).normal(0, deviation, count)
    walk: FloatArray = 100 * np.exp(np.cumsum(steps))
    return walk


def test_it_is_found_and_is_the_default() -> None:
    assert isinstance(forecaster(), VolatilityScaled)
    assert discover()["volatility_scaled"] is forecaster()
    with pytest.raises(RequestError, match="volatility_scaled"):
        forecaster("oracle")


@pytest.mark.parametrize("t", [-30.0, -2.0, -0.01, 0.0, 0.3, 2.015, 12.0])
def test_distribution_is_that_of_student(t: float) -> None:
    assert student_t5_cdf(t) == pytest.approx(stats.t.cdf(t, 5), abs=1e-12)


def test_quantile_and_scale_are_those_of_student() -> None:
    assert pytest.approx(stats.t.ppf(0.95, 5), rel=1e-12) == model._T5_Q95
    assert pytest.approx(1 / stats.t.std(5), rel=1e-12) == model._T5_SCALE


def test_variance_is_the_sum_of_a_reverting_one(make_bars: MakeBars) -> None:
    close = random_walk(400, seed=5)
    squares = np.diff(np.log(close)) ** 2
    weights = model.DECAY ** np.arange(len(squares))[::-1]
    recent, long_run = float(np.average(squares, weights=weights)), float(squares.mean())
    steps = 12
    summed = sum(long_run + model.PHI**ahead * (recent - long_run) for ahead in range(steps))
    found = forecaster().forecast(make_bars(close), steps * HOUR_MS)
    assert found.volatility == pytest.approx(math.sqrt(summed), rel=1e-12)


def test_volatility_of_a_steady_walk_grows_with_the_root_of_time(make_bars: MakeBars) -> None:
    bars = make_bars(random_walk(720, seed=6))
    found = [forecaster().forecast(bars, steps * HOUR_MS).volatility for steps in (1, 4, 24)]
    assert found == pytest.approx([0.01, 0.02, 0.049], rel=0.12)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(97, 800),
    deviation=st.floats(1e-5, 0.1),
    steps=st.integers(1, 720),
)
def test_forecasts_are_distributions(make_bars: MakeBars, seed: int, count: int, deviation: float, steps: int) -> None:
    found = forecaster().forecast(make_bars(random_walk(count, seed, deviation)), steps * HOUR_MS)
    assert 0 < found.p_up < 1
    assert abs(found.p_up - 0.5) < 0.02
    assert -1 < found.q05 < found.q50 < found.q95
    assert found.volatility > 0
    assert (found.q50 > 0) == (found.p_up > 0.5)


def test_bars_before_the_window_change_nothing(make_bars: MakeBars) -> None:
    close = random_walk(1000, seed=8)
    long, short = make_bars(close), make_bars(close[-forecaster().window :])
    assert forecaster().forecast(long, 4 * HOUR_MS) == forecaster().forecast(short, 4 * HOUR_MS)


def test_too_little_history_is_unknown(make_bars: MakeBars) -> None:
    close = random_walk(97, seed=9)
    assert forecaster().forecast(make_bars(close), HOUR_MS).volatility > 0
    with pytest.raises(Unavailable, match="needs 97 closed bars, there are 96"):
        forecaster().forecast(make_bars(close[1:]), HOUR_MS)
    with pytest.raises(Unavailable):
        forecaster().forecast(make_bars(close[:0]), HOUR_MS)


def test_a_price_that_never_moved_has_no_volatility(make_bars: MakeBars) -> None:
    with pytest.raises(Unavailable, match="no price change"):
        forecaster().forecast(make_bars(np.full(200, 7.0)), HOUR_MS)


@pytest.mark.parametrize("horizon_ms", [0, -HOUR_MS, HOUR_MS // 2, HOUR_MS + 1, 31 * 24 * HOUR_MS])
def test_horizons_are_whole_bars_within_a_month(make_bars: MakeBars, horizon_ms: int) -> None:
    with pytest.raises(BadArguments, match="whole number of bars of 1h"):
        forecaster().forecast(make_bars(random_walk(200, seed=1)), horizon_ms)


def outcomes(
    close: FloatArray, steps: int, every: int, make_bars: MakeBars
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """For a forecast at each ``every``-th bar: p_up, whether the price rose, and whether the return lay inside 90 %."""
    found: Forecaster = forecaster()
    rows = []
    for at in range(found.window, len(close) - steps, every):
        said = found.forecast(make_bars(close[at - found.window : at]), steps * HOUR_MS)
        came = close[at + steps - 1] / close[at - 1] - 1
        rows.append((said.p_up, came > 0, said.q05 <= came <= said.q95))
    p_up, rose, inside = np.array(rows, dtype=np.float64).T
    return p_up, rose, inside


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
@pytest.mark.parametrize(("steps", "every"), [(1, 7), (4, 7), (24, 7)])
def test_nine_in_ten_real_returns_lie_inside(
    hourly_closes: HourlyCloses, make_bars: MakeBars, coin: str, steps: int, every: int
) -> None:
    close = hourly_closes(coin, datetime(2024, 1, 1, tzinfo=UTC))
    _, _, inside = outcomes(close, steps, every, make_bars)
    assert len(inside) > 2000
    assert 0.86 <= inside.mean() <= 0.94


def test_on_a_random_walk_direction_has_no_skill_beyond_noise(make_bars: MakeBars) -> None:
    p_up, rose, inside = outcomes(random_walk(20_000, seed=11), 4, 5, make_bars)
    gain = (0.5 - rose) ** 2 - (p_up - rose) ** 2
    standard_error = gain.std(ddof=1) / math.sqrt(len(gain))
    assert abs(gain.mean()) < 3 * standard_error
    assert abs(gain.mean()) < 0.001
    assert 0.87 <= inside.mean() <= 0.95

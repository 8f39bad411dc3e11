"""Windows of the past: found by hand, replayed by hand, liquidated at the margin, and not beyond what candles know."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.marketdata import Bars
from trading.risk.simulation import NAMED_WINDOWS, SHOCKS, Shock, Window, is_liquidated, stress
from trading.risk.simulation.windows import replay_window, replay_windows, worst_windows

HOUR_MS = 3_600_000


def bars_of(close: list[float] | np.ndarray, *, symbol: str = "A-USDT-PERP", first: int = 0) -> Bars:
    values = np.asarray(close, dtype=np.float64)
    opened = np.concatenate([values[:1], values[:-1]])
    return Bars(
        instrument=symbol,
        step_ms=HOUR_MS,
        open_ms=(first + np.arange(len(values), dtype=np.int64)) * HOUR_MS,
        open=opened,
        high=np.maximum(opened, values),
        low=np.minimum(opened, values),
        close=values,
        volume=np.ones(len(values)),
    )


def between(first: int, last: int) -> Window:
    return Window(name="x", begin_ms=first * HOUR_MS, end_ms=last * HOUR_MS)


def test_a_replay_by_hand() -> None:
    bars = {"A-USDT-PERP": bars_of([100, 80, 90, 120]), "B-USDT": bars_of([10, 11, 12, 10], symbol="B-USDT")}
    found = replay_window(between(1, 3), {"A-USDT-PERP": 2.0, "B-USDT": -1.0}, bars)
    assert found is not None
    assert found.results == pytest.approx({"A-USDT-PERP": -0.2, "B-USDT": -0.2})
    assert found.loss == pytest.approx(0.4)
    assert found.deepest == pytest.approx(0.5)  # after the first bar: -0.4 and -0.1
    assert not found.liquidated
    assert found.missing == ()


def test_liquidated_on_the_way_even_where_the_end_is_a_gain() -> None:
    bars = {"A-USDT-PERP": bars_of([100, 60, 130])}
    found = replay_window(between(1, 3), {"A-USDT-PERP": 2.5}, bars, {"A-USDT-PERP": 0.005})
    assert found is not None
    assert found.loss < 0
    assert found.liquidated


def test_the_margin_is_the_line() -> None:
    # Equity 0.05 against 0.01 * 5: at the line one is liquidated, a hair above not.
    assert is_liquidated(0.05, {"A": -5.0}, {"A": 0.01})
    assert not is_liquidated(0.0500001, {"A": 5.0}, {"A": 0.01})
    assert not is_liquidated(-1.0, {"A-USDT": 5.0}, {})


def test_the_worst_come_first_and_do_not_overlap() -> None:
    close = np.full(200, 100.0)
    close[50:] *= 0.9
    close[120:] *= 0.8
    bars = {"A-USDT-PERP": bars_of(close)}
    found = worst_windows({"A-USDT-PERP": 1.0}, bars, length_ms=5 * HOUR_MS, count=4)
    assert len(found) == 2
    for window, at in zip(found, (120, 50), strict=True):
        assert window.begin_ms <= at * HOUR_MS < window.end_ms
    losses = [replay_window(window, {"A-USDT-PERP": 1.0}, bars).loss for window in found]
    assert losses == pytest.approx([0.2, 0.1])
    assert worst_windows({"A-USDT-PERP": -1.0}, bars, length_ms=5 * HOUR_MS, count=4) == ()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), length=st.integers(1, 30))
def test_a_found_window_loses_what_the_return_over_it_says(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    bars = {
        symbol: bars_of(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 150))), symbol=symbol)
        for symbol in ("A-USDT-PERP", "B-USDT")
    }
    weights = {"A-USDT-PERP": 1.3, "B-USDT": -0.4}
    windows = worst_windows(weights, bars, length_ms=length * HOUR_MS, count=3)
    losses = [replay_window(window, weights, bars).loss for window in windows]
    assert losses == sorted(losses, reverse=True)
    total = sum(
        weight * (bars[symbol].close[length:] / bars[symbol].close[:-length] - 1) for symbol, weight in weights.items()
    )
    if losses:
        assert losses[0] == pytest.approx(-total.min())


def test_what_candles_do_not_reach_is_left_out() -> None:
    bars = {"A-USDT-PERP": bars_of([100, 90, 80]), "B-USDT": bars_of([5, 4], symbol="B-USDT", first=10)}
    weights = {"A-USDT-PERP": 1.0, "B-USDT": 1.0}
    assert replay_window(between(20, 30), weights, bars) is None
    assert replay_window(between(2, 9), {"A-USDT-PERP": 1.0}, bars) is None
    part = replay_window(between(1, 3), weights, bars)
    assert part is not None
    assert part.missing == ("B-USDT",)
    assert replay_windows(weights, bars, {}, length_ms=HOUR_MS, named=NAMED_WINDOWS) == ()
    assert replay_windows({}, bars, {}, length_ms=HOUR_MS) == ()


@pytest.mark.parametrize("shock", SHOCKS, ids=lambda shock: shock.name)
def test_results_by_position_add_up_to_the_loss(shock: Shock) -> None:
    weights = {"BTC-USDT-PERP": 2.5, "ETH-USDT": -0.5}
    found = stress(shock, weights, np.diag([4e-4, 1e-4]), maintenance={"BTC-USDT-PERP": 0.005})
    assert sum(found.results.values()) == pytest.approx(-found.loss)
    assert not found.liquidated


def test_a_shock_liquidates_who_is_leveraged() -> None:
    found = stress(Shock(name="x", price=-0.3), {"A-USDT-PERP": 3.4}, np.eye(1), maintenance={"A-USDT-PERP": 0.005})
    assert found.liquidated
    assert stress(Shock(name="x", price=-0.9), {"A-USDT": 1.2}, np.eye(1)).liquidated is False

"""The lines of charts end where the indicators that desks read end, and say nothing before their first window."""

import numpy as np
import pytest

from trading.features.indicators import WINDOW, indicators
from trading.features.lines import lines
from trading.marketdata import Bars, FundingRates


@pytest.fixture
def close():
    return 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.01, WINDOW)))


def test_they_end_at_the_values_that_desks_read(close):
    bars = Bars(
        instrument="BTC-USDT",
        step_ms=60_000,
        open_ms=np.arange(len(close)) * 60_000,
        open=close,
        high=close * 1.001,
        low=close * 0.999,
        close=close,
        volume=np.ones(len(close)),
    )
    read = indicators(bars, FundingRates(ts_ms=np.empty(0, np.int64), rate=np.empty(0)))
    drawn = lines(close)
    assert drawn.rsi[-1] == pytest.approx(read["rsi_14"])
    assert drawn.macd[-1] == pytest.approx(read["macd"])
    assert drawn.signal[-1] == pytest.approx(read["macd_signal"])
    position = (close[-1] - drawn.lower[-1]) / (drawn.upper[-1] - drawn.lower[-1])
    assert position == pytest.approx(read["bollinger_position_20"])


def test_bands_are_two_deviations_around_the_mean(close):
    drawn = lines(close)
    assert drawn.middle[-1] == pytest.approx(close[-20:].mean())
    assert drawn.upper[-1] - drawn.middle[-1] == pytest.approx(2 * close[-20:].std())


@pytest.mark.parametrize("count", [0, 1, 2, 25])
def test_short_histories_are_unknown(count, close):
    drawn = lines(close[:count])
    assert all(len(getattr(drawn, name)) == count for name in ("upper", "middle", "lower", "rsi", "macd", "signal"))
    assert np.isnan(drawn.macd).all()

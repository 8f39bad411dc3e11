"""The market snapshot: price, activity, oscillators on four short timeframes, trend and recent moves of one instrument.

It is made of the shortest bars there are, one minute where they are recorded; longer ones come from these by
resampling. Whatever cannot be computed from bars that had closed by then is None: timeframes shorter than the bars,
timeframes that a gap leaves too short, and everything but the price once the last bar is older than a bar.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import talib
from pydantic import BaseModel, ConfigDict

from trading.domain.instants import duration_ms, duration_text, iso
from trading.features.indicators import WINDOW, Indicators, indicators
from trading.marketdata import Bars, FloatArray, FundingRates, resample

TIMEFRAMES: Mapping[str, int] = MappingProxyType({name: duration_ms(name) for name in ("1m", "3m", "5m", "15m")})

HISTORY_BARS = (WINDOW + 1) * 15
"""Bars of a minute with which every timeframe has the whole window of its indicators."""

AVERAGE_BARS = 60
"""Bars that the average volume is over."""

TREND_FROM = 0.2
"""Strength below which there is no trend: an ADX of 20 (J. W. Wilder, New Concepts in Technical Trading Systems)."""

_DIRECTION_BARS = 14
_NO_FUNDING = FundingRates(ts_ms=np.empty(0, np.int64), rate=np.empty(0))


class Snapshot(BaseModel):
    """An instrument at an instant, from bars of ``timeframe``. What is not known is None.

    ``current_price`` is the close of the last bar, printed at ``priced_at``. ``avg_volume`` is the mean value traded in
    a bar over the last 60, in the quote currency. ``rsi``, ``macd``, ``stoch_k`` (0 to 100), ``williams_r`` (-100 to 0)
    and ``bb_position`` (0 at the lower band, 1 at the upper) are over ``timeframe``; ``rsi_5m`` over bars of five
    minutes, and so on; MACD is in units of the price. ``trend`` says which of Wilder's directional indicators leads,
    ``trend_strength`` is his ADX over 100; below 0.2 the trend is sideways. ``price_change_5m`` is in percent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    timestamp: str
    timeframe: str
    current_price: float | None
    priced_at: str | None
    avg_volume: float | None
    rsi: float | None
    rsi_1m: float | None
    rsi_3m: float | None
    rsi_5m: float | None
    rsi_15m: float | None
    macd: float | None
    macd_1m: float | None
    macd_3m: float | None
    macd_5m: float | None
    macd_15m: float | None
    stoch_k: float | None
    williams_r: float | None
    bb_position: float | None
    trend: Literal["uptrend", "downtrend", "sideways"] | None
    trend_strength: float | None
    price_change_1m: float | None
    price_change_3m: float | None
    price_change_5m: float | None
    price_change_15m: float | None


def snapshot(bars: Bars, as_of_ms: int) -> Snapshot:
    """The snapshot at ``as_of_ms`` from the last bars that had closed by then; :data:`HISTORY_BARS` are enough."""
    fresh = _unbroken(bars) if len(bars) and as_of_ms - _closed_ms(bars) < bars.step_ms else _newest(bars, 0)
    own = indicators(fresh, _NO_FUNDING)
    by_timeframe = {name: _over(fresh, step_ms) for name, step_ms in TIMEFRAMES.items()}
    trend, strength = _trend(fresh)
    return Snapshot(
        symbol=bars.instrument,
        timestamp=iso(as_of_ms),
        timeframe=duration_text(bars.step_ms),
        current_price=float(bars.close[-1]) if len(bars) else None,
        priced_at=iso(_closed_ms(bars)) if len(bars) else None,
        avg_volume=_average_value(fresh),
        rsi=own["rsi_14"],
        macd=own["macd"],
        stoch_k=own["stochastic_k"],
        williams_r=own["williams_r_14"],
        bb_position=own["bollinger_position_20"],
        trend=trend,
        trend_strength=strength,
        **{f"rsi_{name}": found["rsi_14"] for name, found in by_timeframe.items()},
        **{f"macd_{name}": found["macd"] for name, found in by_timeframe.items()},
        **{f"price_change_{name}": _change(fresh, step_ms) for name, step_ms in TIMEFRAMES.items()},
    )


def _closed_ms(bars: Bars) -> int:
    return int(bars.open_ms[-1]) + bars.step_ms


def _unbroken(bars: Bars) -> Bars:
    """The last bars that follow one another."""
    breaks = np.flatnonzero(np.diff(bars.open_ms) != bars.step_ms)
    return _newest(bars, len(bars) - int(breaks[-1]) - 1) if len(breaks) else bars


def _newest(bars: Bars, count: int) -> Bars:
    """The last ``count`` bars."""
    rows = slice(len(bars) - count, None)
    return Bars(
        instrument=bars.instrument,
        step_ms=bars.step_ms,
        open_ms=bars.open_ms[rows],
        open=bars.open[rows],
        high=bars.high[rows],
        low=bars.low[rows],
        close=bars.close[rows],
        volume=bars.volume[rows],
    )


def _over(bars: Bars, step_ms: int) -> Indicators:
    """The indicators over whole bars of ``step_ms``; nothing known where these bars cannot make them."""
    makes = step_ms >= bars.step_ms and step_ms % bars.step_ms == 0
    return indicators(resample(bars, step_ms).bars if makes else _newest(bars, 0), _NO_FUNDING)


def _average_value(bars: Bars) -> float | None:
    if len(bars) < AVERAGE_BARS:
        return None
    return float((bars.volume * bars.close)[-AVERAGE_BARS:].mean())


def _change(bars: Bars, step_ms: int) -> float | None:
    """Percent from the close ``step_ms`` ago to the last one."""
    back, rest = divmod(step_ms, bars.step_ms)
    if rest or len(bars) <= back:
        return None
    return 100.0 * (float(bars.close[-1] / bars.close[-1 - back]) - 1.0)


def _trend(bars: Bars) -> tuple[Literal["uptrend", "downtrend", "sideways"] | None, float | None]:
    high, low, close = (column[-WINDOW:] for column in (bars.high, bars.low, bars.close))
    if len(close) < 2 * _DIRECTION_BARS:
        return None, None
    up, down, strength = (
        _last(measure(high, low, close, _DIRECTION_BARS)) for measure in (talib.PLUS_DI, talib.MINUS_DI, talib.ADX)
    )
    if not np.isfinite((up, down, strength)).all():
        return None, None
    strength /= 100.0
    if strength < TREND_FROM:
        return "sideways", strength
    return "uptrend" if up >= down else "downtrend", strength


def _last(values: FloatArray) -> float:
    return float(values[-1])

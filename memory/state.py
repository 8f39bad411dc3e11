"""The state a decision is remembered by: a short standardised vector of the market as it was known then.

Every component is made of closed bars alone and has a fixed scale, so that it is about as wide as a standard normal on
a random walk: nothing is fitted, and nothing later can move an earlier state.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from trading.domain import parse_symbol
from trading.marketdata import Bars, FloatArray, MarketView

COMPONENTS = (
    "trend_4",
    "trend_24",
    "trend_72",
    "trend_168",
    "volatility",
    "stretch",
    "place",
    "drawdown",
    "volume",
    "range",
    "market_24",
)
"""Names of the components, in order. Numbers are lengths in bars."""

WINDOW = 169
"""Bars that a state reads."""

BOUND = 4.0
"""Components are cut to this size, so that one wild bar does not decide what is alike."""

_DIGITS = 4
_FLOOR = 1e-9

State = tuple[float, ...]


def state_of(bars: Bars, market: Bars) -> State | None:
    """The state at the last bar of ``bars``; None with less than WINDOW bars, or where nothing moved.

    ``trend_N`` is the log return over N bars in units of its standard deviation over 168; ``volatility`` the log ratio
    of the volatility over 24 and 168 bars; ``stretch`` the distance to the mean of 48 closes in deviations; ``place``
    the position in the range of 48 bars; ``drawdown`` the log distance from the highest close of 168; ``volume`` and
    ``range`` compare recent bars with the last 168; ``market_24`` is the trend of ``market``.
    """
    if len(bars) < WINDOW:
        return None
    close, high, low = bars.close[-WINDOW:], bars.high[-WINDOW:], bars.low[-WINDOW:]
    logs = np.log(close)
    moves = np.diff(logs)
    slow = float(moves.std())
    fast = float(moves[-24:].std())
    span = float(high[-48:].max() - low[-48:].min())
    spread = float(close[-48:].std())
    if min(slow, fast, span / float(close[-1]), spread / float(close[-1])) < _FLOOR:
        return None
    bar_range = (high - low) / close
    parts = (
        *(_trend(logs, length, slow) for length in (4, 24, 72, 168)),
        math.log(fast / slow) / 0.35,
        (float(close[-1]) - float(close[-48:].mean())) / spread / 1.3,
        ((float(close[-1]) - float(low[-48:].min())) / span - 0.5) * 3.0,
        (float(logs[-1]) - float(logs.max())) / (slow * math.sqrt(168)) / 0.6 + 1.0,
        _log_ratio(float(bars.volume[-4:].mean()), float(bars.volume[-WINDOW:].mean())) / 0.5,
        _log_ratio(float(bar_range[-6:].mean()), float(bar_range.mean())) / 0.35,
        _market_trend(market),
    )
    return tuple(round(max(-BOUND, min(BOUND, part)), _DIGITS) for part in parts)


def states_at(view: MarketView) -> dict[str, State | None]:
    """The state of every instrument of the view."""
    bars = {symbol: view.bars(symbol, WINDOW) for symbol in view.symbols}
    leader = next((symbol for symbol in view.symbols if parse_symbol(symbol)[0] == "BTC"), view.symbols[0])
    return {symbol: state_of(own, bars[leader]) for symbol, own in bars.items()}


def regime_of(state: State | None) -> str:
    """The regime that a state speaks of: volatile, bull, bear or ranging; ``"unknown"`` without a state."""
    if state is None:
        return "unknown"
    part = dict(zip(COMPONENTS, state, strict=True))
    if part["volatility"] > 1.5:
        return "volatile"
    if part["trend_72"] > 1.0:
        return "bull"
    return "bear" if part["trend_72"] < -1.0 else "ranging"


def words_of(state: State | None) -> str:
    """The state in words, the same words for states that are alike."""
    if state is None:
        return "state not known"
    part = dict(zip(COMPONENTS, state, strict=True))
    said = [
        _degree(part["trend_24"], "falling over a day", "flat over a day", "rising over a day"),
        _degree(part["trend_168"], "down over a week", "sideways over a week", "up over a week"),
        _degree(part["volatility"], "calm", "usual volatility", "volatile"),
        _degree(part["stretch"], "stretched below its mean", "near its mean", "stretched above its mean"),
        _degree(part["volume"], "thin volume", "usual volume", "heavy volume"),
    ]
    return ", ".join(said)


def as_row(values: Sequence[float]) -> FloatArray:
    """A state as an array of shape (components,)."""
    return np.asarray(values, dtype=np.float64)


def payload_of(states: Mapping[str, State | None]) -> dict[str, list[float] | None]:
    """States as the journal holds them."""
    return {symbol: None if state is None else list(state) for symbol, state in states.items()}


def _trend(logs: FloatArray, length: int, deviation: float) -> float:
    return float(logs[-1] - logs[-1 - length]) / (deviation * math.sqrt(length))


def _log_ratio(recent: float, usual: float) -> float:
    """Log of the ratio; no difference where nothing is traded or nothing moves at all."""
    return math.log(recent / usual) if recent > 0.0 and usual > 0.0 else 0.0


def _market_trend(market: Bars) -> float:
    if len(market) < WINDOW:
        return 0.0
    logs = np.log(market.close[-WINDOW:])
    deviation = float(np.diff(logs).std())
    return _trend(logs, 24, deviation) if deviation >= _FLOOR else 0.0


def _degree(value: float, low: str, middle: str, high: str) -> str:
    if abs(value) <= 0.7:
        return middle
    return ("strongly " if abs(value) > 2.0 else "") + (high if value > 0 else low)

"""Historical value at risk and expected shortfall: quantiles of what happened, nothing assumed about its shape."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.exposure import HorizonReturns, returns_of_positions

LEVELS = (0.95, 0.99)
_YEAR_MS = 365 * 86_400_000
_LOOKBACK_BARS = 8760
"""A year of hourly bars; shorter bars look back over fewer days."""
_LOOKBACK_HORIZONS = 20

_TAIL_RETURNS = 5
"""Overlapping returns that must lie beyond the quantile before it is worth stating."""
_MIN_HORIZONS = 10
"""Horizons that fit into the history without overlap before a quantile is worth stating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TailRisk:
    """VaR and CVaR by level, as positive fractions of equity. None is not known, and ``reasons`` say why."""

    var: Mapping[float, float | None]
    cvar: Mapping[float, float | None]
    reasons: tuple[str, ...] = ()


def lookback_bars(step_ms: int, horizon_ms: int) -> int:
    """Bars to look back over: a year, but no more than is worth reading of short bars, and 20 horizons at least."""
    return max(1, min(_YEAR_MS // step_ms, max(_LOOKBACK_BARS, _LOOKBACK_HORIZONS * horizon_ms // step_ms)))


def value_at_risk(returns: FloatArray, level: float) -> float:
    """The loss that is not exceeded with probability ``level``: minus the (1 - level) quantile, linearly interpolated.

    Positive for a loss. ``returns`` has shape (n,), n >= 1, in any order. Hyndman and Fan (1996), definition 7.
    """
    if not len(returns) or not 0 < level < 1:
        raise ValueError(f"{len(returns)} returns at level {level}: expected at least one, and a level in (0, 1)")
    rank = (1 - level) * (len(returns) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(returns) - 1)
    ordered = np.partition(returns, (below, above))
    low, high = float(ordered[below]), float(ordered[above])
    return 0.0 - (low + (rank - below) * (high - low))


def expected_shortfall(returns: FloatArray, level: float) -> float:
    """Mean loss over the returns that are no better than minus the VaR at ``level`` (CVaR). Positive for a loss."""
    threshold = -value_at_risk(returns, level)
    tail = returns[returns <= threshold]
    return 0.0 - float(tail.mean() if len(tail) else returns.min())


def historical_tail_risk(
    weights: Mapping[str, float], history: Mapping[str, HorizonReturns], levels: Sequence[float] = LEVELS
) -> TailRisk:
    """VaR and CVaR of positions with ``weights`` of equity, from the overlapping returns in ``history``.

    Holding nothing risks nothing. A level whose tail the history is too short for is None with a reason.
    """
    if not any(weights.values()):
        return TailRisk(var=dict.fromkeys(levels, 0.0), cvar=dict.fromkeys(levels, 0.0))
    returns = returns_of_positions(weights, history)
    steps = max(history[symbol].steps for symbol, weight in weights.items() if weight)
    var: dict[float, float | None] = {}
    cvar: dict[float, float | None] = {}
    reasons = []
    for level in levels:
        needed = max(math.ceil(_TAIL_RETURNS / (1 - level) - 1e-9), _MIN_HORIZONS * steps)
        if len(returns) < needed:
            var[level] = cvar[level] = None
            reasons.append(f"{level}: not known, it needs {needed} past returns over the horizon, has {len(returns)}")
        else:
            var[level], cvar[level] = value_at_risk(returns, level), expected_shortfall(returns, level)
    return TailRisk(var=var, cvar=cvar, reasons=tuple(reasons))

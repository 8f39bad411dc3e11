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

_ROUNDING = 1e-9
"""What arithmetic on levels may be off by."""
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


def returns_needed(level: float, steps: int) -> int:
    """Overlapping returns over ``steps`` bars before a quantile at ``level`` is worth stating."""
    return max(math.ceil(_TAIL_RETURNS / (1 - level) - _ROUNDING), _MIN_HORIZONS * steps)


def value_at_risk(returns: FloatArray, level: float) -> float:
    """The loss that is not exceeded with probability ``level``: minus the (1 - level) quantile, linearly interpolated.

    Positive for a loss. ``returns`` has shape (n,), n >= 1, in any order. Hyndman and Fan (1996), definition 7.
    """
    rank = _rank(len(returns), level)
    return _loss_at(_worst(returns, rank), rank)


def expected_shortfall(returns: FloatArray, level: float) -> float:
    """Mean loss over the returns that rank at or below the (1 - level) quantile (CVaR). Positive for a loss.

    ``returns`` has shape (n,), n >= 1, in any order. Never less than the VaR at the same level.
    """
    rank = _rank(len(returns), level)
    return _mean_loss_to(_worst(returns, rank), rank)


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
    needed = {level: returns_needed(level, steps) for level in levels}
    ranks = {level: _rank(len(returns), level) for level in levels if len(returns) >= needed[level]}
    worst = _worst(returns, max(ranks.values())) if ranks else returns
    return TailRisk(
        var={level: _loss_at(worst, ranks[level]) if level in ranks else None for level in levels},
        cvar={level: _mean_loss_to(worst, ranks[level]) if level in ranks else None for level in levels},
        reasons=tuple(
            f"{level}: not known, it needs {needed[level]} past returns over the horizon, has {len(returns)}"
            for level in levels
            if level not in ranks
        ),
    )


def _rank(count: int, level: float) -> float:
    """Where the (1 - level) quantile stands among ``count`` ordered returns, counted from 0."""
    if not count or not 0 < level < 1:
        raise ValueError(f"{count} returns at level {level}: expected at least one, and a level in (0, 1)")
    rank = (1 - level) * (count - 1)
    # 1 - 0.9 is a little below 0.1: without this, the observation at the quantile would fall out of its own tail.
    return round(rank) if abs(rank - round(rank)) < _ROUNDING else rank


def _worst(returns: FloatArray, rank: float) -> FloatArray:
    """The lowest returns in order, up to the first that ranks above ``rank``."""
    last = min(math.floor(rank) + 1, len(returns) - 1)
    return np.sort(np.partition(returns, (max(0, last - 1), last))[: last + 1])


def _loss_at(worst: FloatArray, rank: float) -> float:
    below = math.floor(rank)
    low, high = float(worst[below]), float(worst[min(below + 1, len(worst) - 1)])
    return 0.0 - (low + (rank - below) * (high - low))


def _mean_loss_to(worst: FloatArray, rank: float) -> float:
    return 0.0 - float(worst[: math.floor(rank) + 1].mean())

"""What comes of drawn paths: terminal wealth, drawdowns, and the fan between now and then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.book import drawdowns
from trading.risk.measures.historical import LEVELS, expected_shortfall, value_at_risk

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Distributions over paths, in units of the equity now.

    ``terminal`` and ``drawdown`` are quantiles by level; ``fan`` holds those of wealth at every step, the first being
    now. ``var`` and ``cvar`` are positive losses by level; ``loss`` and ``ruin`` are the shares of paths that end below
    1, and that ever have nothing left.
    """

    paths: int
    mean: float
    terminal: Mapping[float, float]
    drawdown: Mapping[float, float]
    var: Mapping[float, float]
    cvar: Mapping[float, float]
    loss: float
    ruin: float
    fan: Mapping[float, FloatArray]


def wealth_paths(weights: FloatArray, log_returns: FloatArray) -> FloatArray:
    """Equity along each path, shape (paths, steps + 1), starting at 1.

    ``weights`` (assets,) are signed position values over equity; quantities stay as they are. Whoever has nothing left
    stays there: the path holds what it had when it fell to 0 or below.
    """
    held = np.asarray(weights, dtype=np.float64)
    if log_returns.ndim != 3 or log_returns.shape[2:] != held.shape or not np.isfinite(held).all():
        raise ValueError(
            f"weights {held.shape} and log returns {log_returns.shape}: expected finite (assets,) and "
            "(paths, steps, assets)"
        )
    growth = np.expm1(np.cumsum(log_returns, axis=1))
    wealth = np.ones((log_returns.shape[0], log_returns.shape[1] + 1))
    wealth[:, 1:] += growth @ held
    for path in np.flatnonzero((wealth <= 0).any(axis=1)):
        at = int(np.argmax(wealth[path] <= 0))
        wealth[path, at:] = wealth[path, at]
    return wealth


def outcomes(wealth: FloatArray, levels: Sequence[float] = LEVELS) -> Outcomes:
    """The distributions of ``wealth`` (paths, steps + 1)."""
    falls, returns = drawdowns(wealth), wealth[:, -1] / wealth[:, 0] - 1.0
    quantiles = np.quantile(wealth, QUANTILES, axis=0)
    deepest = np.quantile(falls, QUANTILES)
    return Outcomes(
        paths=len(wealth),
        mean=float(wealth[:, -1].mean()),
        terminal={level: float(row[-1]) for level, row in zip(QUANTILES, quantiles, strict=True)},
        drawdown={level: float(value) for level, value in zip(QUANTILES, deepest, strict=True)},
        var={level: value_at_risk(returns, level) for level in levels},
        cvar={level: expected_shortfall(returns, level) for level in levels},
        loss=float((returns < 0).mean()),
        ruin=float((wealth <= 0).any(axis=1).mean()),
        fan=dict(zip(QUANTILES, quantiles, strict=True)),
    )

"""How much to hold: fractional Kelly, volatility target, risk parity, and the cap that limits put on all of them.

Sizes are signed fractions of equity. What they stand on is uncertain, so every one is made smaller, never larger.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.limits import Limits

_PARITY_ROUNDS = 500
_PARITY_PRECISION = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An estimated edge: ``mean`` and ``deviation`` of the return over a period, from ``observations`` periods.

    ``confidence`` is the forecaster's own, from 0 to 1.
    """

    mean: float
    deviation: float
    observations: int
    confidence: float = 1.0


def kelly_bet(win: float, odds: float) -> float:
    """The fraction of wealth to bet at ``odds`` to 1 when the bet is won with probability ``win``; 0 without an edge.

    win - (1 - win) / odds. Kelly (1956).
    """
    if not 0 <= win <= 1 or not odds > 0:
        raise ValueError(f"probability {win} at odds {odds}: expected 0 to 1, at odds above 0")
    return max(0.0, win - (1.0 - win) / odds)


def kelly_weight(edge: Edge, *, fraction: float = 0.5) -> float:
    """``fraction`` of the Kelly weight mean / deviation^2, shrunk by how little is known of the mean.

    The mean keeps the share t^2 / (1 + t^2) of itself, t its distance from 0 in standard errors (the least-squares
    shrinkage to 0), times the confidence. Merton (1969); MacLean, Thorp and Ziemba (2010). Without deviation: 0.
    """
    numbers = (edge.mean, edge.deviation, edge.confidence, fraction)
    if not all(map(math.isfinite, numbers)) or edge.deviation < 0 or edge.observations < 1:
        raise ValueError(f"{edge}: expected finite numbers, a deviation of 0 or more, an observation at least")
    if not 0 <= edge.confidence <= 1 or not 0 < fraction <= 1:
        raise ValueError(f"confidence {edge.confidence}, fraction {fraction}: expected 0 to 1, and above 0 to 1")
    if edge.deviation**2 == 0:
        return 0.0
    strength = (edge.mean / edge.deviation) ** 2 * edge.observations
    kept = strength / (1.0 + strength)
    return fraction * edge.confidence * kept * edge.mean / edge.deviation**2


def volatility_target_scale(target: float, volatility: float, *, most: float = 1.0) -> float:
    """The factor on a book of ``volatility`` that gives it ``target``, never above ``most``; 0 where it is not known.

    Both are in one unit, such as a fraction a year. Moreira and Muir (2017).
    """
    if not target >= 0 or not most >= 0:
        raise ValueError(f"target {target}, most {most}: expected numbers of 0 or more")
    return min(most, target / volatility) if math.isfinite(volatility) and volatility > 0 else 0.0


def risk_parity_weights(covariance: FloatArray) -> FloatArray:
    """Long weights (assets,) that add up to 1 and carry equal parts of the variance.

    Cyclical coordinate descent of Griveau-Billion, Richard and Roncalli (2013). ``covariance`` (assets, assets) must
    have a positive diagonal.
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise ValueError(f"covariance of shape {matrix.shape}: expected a finite square matrix")
    variances = np.diag(matrix)
    if (variances <= 0).any():
        raise ValueError("covariance has a variance of 0 or less: leave out what never moves")
    assets = len(matrix)
    weights: FloatArray = 1.0 / np.sqrt(variances)
    weights /= math.sqrt(float(weights @ matrix @ weights))
    for _ in range(_PARITY_ROUNDS):
        before = weights.copy()
        for at in range(assets):
            others = float(matrix[at] @ weights) - variances[at] * weights[at]
            root = math.sqrt(others * others + 4.0 * variances[at] / assets)
            weights[at] = (root - others) / (2.0 * variances[at])
        if np.abs(weights - before).max() <= _PARITY_PRECISION * np.abs(weights).max():
            break
    parity: FloatArray = weights / weights.sum()
    return parity


def capped_weights(weights: Mapping[str, float], limits: Limits) -> dict[str, float]:
    """``weights`` made smaller until each position, their gross and their net stand within ``limits``.

    Positions are cut to the leverage limit one by one, then all alike. A weight that is not finite, or of an instrument
    that is not allowed, becomes 0. What the gate decides is decided again there.
    """
    most = float(limits.max_leverage)
    allowed = set(limits.allowed_instruments) or set(weights)
    kept = {
        symbol: max(-most, min(most, weight)) if symbol in allowed and math.isfinite(weight) else 0.0
        for symbol, weight in weights.items()
    }
    gross = sum(map(abs, kept.values()))
    net = abs(sum(kept.values()))
    scale = min(1.0, _room(limits.max_gross_exposure, gross), _room(limits.max_net_exposure, net))
    return {symbol: weight * scale for symbol, weight in kept.items()}


def affordable_quantity(
    edge: float, daily_volume: float, daily_volatility: float, *, cost: float = 0.0, constant: float = 1.0
) -> float:
    """The quantity (base units) that earns most after square-root impact, by an expected move ``edge`` of the price.

    Maximises q * (edge - cost - impact(q)): impact takes two thirds of the net edge, so q = volume * (2 (edge - cost) /
    (3 constant volatility))^2. ``cost`` are fees and spread as a fraction. 0 without an edge left.
    """
    if not daily_volatility >= 0 or not constant > 0:
        raise ValueError(f"daily volatility {daily_volatility}, constant {constant}: expected 0 or more, and above 0")
    left = edge - cost
    if not left > 0 or not daily_volume > 0:
        return 0.0
    if daily_volatility == 0:
        return math.inf
    return daily_volume * (2.0 * left / (3.0 * constant * daily_volatility)) ** 2


def position_for_var(limit: float, deviation: float, level: float, *, mean: float = 0.0) -> float:
    """The greatest weight of one asset whose normal VaR at ``level`` is ``limit`` of equity; infinity without risk."""
    unit = deviation * NormalDist().inv_cdf(level) - mean
    return limit / unit if unit > 0 else math.inf


def _room(limit: Decimal, used: float) -> float:
    return float(limit) / used if used > float(limit) else 1.0

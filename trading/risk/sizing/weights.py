"""Weights of a book by its risk: volatility target, risk parity, a VaR to keep, and the cap that limits put on all."""

import math
from collections.abc import Mapping
from decimal import Decimal
from statistics import NormalDist

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.limits import Limits

_PARITY_ROUNDS = 500
_PARITY_PRECISION = 1e-10


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


def position_for_var(limit: float, deviation: float, level: float, *, mean: float = 0.0) -> float:
    """The greatest weight of one asset whose normal VaR at ``level`` is ``limit`` of equity; infinity without risk."""
    unit = deviation * NormalDist().inv_cdf(level) - mean
    return limit / unit if unit > 0 else math.inf


def _room(limit: Decimal, used: float) -> float:
    return float(limit) / used if used > float(limit) else 1.0

"""GARCH(1,1) by quasi maximum likelihood with variance targeting: fit, and one-step forecasts of variance."""

from dataclasses import dataclass

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_series

_GRID = 13
_ZOOMS = 4
_MOST_PERSISTENT = 0.9995
_MIN_RETURNS = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Garch:
    """v[i+1] = omega + alpha * r[i]^2 + beta * v[i], with alpha + beta < 1. Bollerslev (1986)."""

    omega: float
    alpha: float
    beta: float

    @property
    def variance(self) -> float:
        """The variance it returns to in the long run."""
        return self.omega / (1.0 - self.alpha - self.beta)

    def forecasts(self, returns: FloatArray) -> FloatArray:
        """Variance of each next return, shape (n + 1,): entry i knows the returns before i."""
        squares = (checked_series(returns) ** 2).tolist()
        values = [self.variance]
        variance = self.variance
        for square in squares:
            variance = self.omega + self.alpha * square + self.beta * variance
            values.append(variance)
        return np.array(values)


def fit_garch(returns: FloatArray) -> Garch:
    """The GARCH(1,1) of ``returns`` (n,), whose mean is taken to be 0; n is 250 at least.

    The long-run variance is that of the sample (variance targeting, Engle and Mezrich 1996), which leaves two numbers:
    a grid over alpha and alpha + beta is searched for the best Gaussian likelihood and narrowed around it, so there is
    no start value to depend on. ValueError for too few returns or none that moves.
    """
    series = checked_series(returns, minimum=_MIN_RETURNS)
    target = float((series**2).mean())
    if target <= 0.0:
        raise ValueError("returns are all 0: there is no volatility to fit")
    squares = series**2 / target
    alpha, memory = (1e-4, 0.4), (0.5, _MOST_PERSISTENT)
    best = (0.05, 0.95)
    for _ in range(_ZOOMS):
        alphas, memories = np.meshgrid(np.linspace(*alpha, _GRID), np.linspace(*memory, _GRID))
        tried = alphas.ravel(), np.maximum(memories.ravel(), alphas.ravel())
        at = int(np.argmin(_loss(squares, *tried)))
        best = float(tried[0][at]), float(tried[1][at])
        alpha = _around(best[0], alpha, (1e-4, 0.4))
        memory = _around(best[1], memory, (0.5, _MOST_PERSISTENT))
    return Garch(omega=target * (1.0 - best[1]), alpha=best[0], beta=best[1] - best[0])


def _loss(squares: FloatArray, alphas: FloatArray, memories: FloatArray) -> FloatArray:
    """Minus twice the Gaussian log likelihood, up to a constant, for every pair of parameters."""
    betas, omegas = memories - alphas, 1.0 - memories
    variance, total = np.ones_like(alphas), np.zeros_like(alphas)
    for square in squares.tolist():
        total += np.log(variance) + square / variance
        variance = omegas + alphas * square + betas * variance
    return total


def _around(best: float, span: tuple[float, float], bounds: tuple[float, float]) -> tuple[float, float]:
    reach = 1.5 * (span[1] - span[0]) / (_GRID - 1)
    return max(bounds[0], best - reach), min(bounds[1], best + reach)

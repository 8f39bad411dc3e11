"""Volatility that clusters: a GARCH(1,1) an asset, moved by the past's own standardised shocks."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.garch import Garch, fit_garch
from trading.risk.measures.series import checked_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class GarchPaths:
    """GARCH(1,1) with shocks drawn from ``shocks`` (n, assets), whole rows at a time, so that assets stay together.

    ``variance`` (assets,) is expected of the first step. Filtered historical simulation over several steps:
    Barone-Adesi, Giannopoulos and Vosper (1999).
    """

    models: tuple[Garch, ...]
    variance: FloatArray
    shocks: FloatArray

    @classmethod
    def fit(cls, log_returns: FloatArray) -> Self:
        """The model of ``log_returns`` (n, assets) with n of 250 at least, starting at their end."""
        table = checked_columns(log_returns)
        centred = table - table.mean(axis=0)
        models = tuple(fit_garch(column) for column in centred.T)
        forecasts = np.stack([model.forecasts(column) for model, column in zip(models, centred.T, strict=True)], axis=1)
        shocks = centred / np.sqrt(forecasts[:-1])
        shocks = (shocks - shocks.mean(axis=0)) / shocks.std(axis=0)
        return cls(models=models, variance=forecasts[-1], shocks=shocks)

    def draw(self, *, paths: int, steps: int, rng: np.random.Generator) -> FloatArray:
        """Log returns of shape (paths, steps, assets)."""
        omega, alpha, beta = (
            np.array([getattr(model, name) for model in self.models]) for name in ("omega", "alpha", "beta")
        )
        variance = np.tile(self.variance, (paths, 1))
        found = np.empty((paths, steps, len(self.models)))
        for step in range(steps):
            now = np.sqrt(variance) * self.shocks[rng.integers(0, len(self.shocks), size=paths)]
            found[:, step] = now
            variance = omega + alpha * now**2 + beta * variance
        return found

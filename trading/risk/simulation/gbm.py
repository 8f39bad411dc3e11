"""Geometric Brownian motion of several assets: independent normal log returns with one covariance."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.correlation import shrunk_correlation


@dataclass(frozen=True, slots=True, kw_only=True)
class Gbm:
    """Normal log returns with ``covariance`` (assets, assets) a step and mean 0."""

    covariance: FloatArray

    @classmethod
    def fit(cls, log_returns: FloatArray) -> Self:
        """The model of ``log_returns`` (n, assets): their deviations and shrunk correlation."""
        return cls(covariance=shrunk_scale(log_returns))

    def draw(self, *, paths: int, steps: int, rng: np.random.Generator) -> FloatArray:
        """Log returns of shape (paths, steps, assets)."""
        assets = len(self.covariance)
        return rng.standard_normal((paths, steps, assets)) @ matrix_root(self.covariance).T


def shrunk_scale(log_returns: FloatArray) -> FloatArray:
    """Covariance (assets, assets) of the sample's deviations and its shrunk correlation."""
    correlation = shrunk_correlation(log_returns).matrix
    deviation = np.asarray(log_returns).std(axis=0)
    found: FloatArray = np.outer(deviation, deviation) * correlation
    return found


def matrix_root(covariance: FloatArray) -> FloatArray:
    """A matrix whose product with its transpose is ``covariance``, which need not be invertible."""
    values, vectors = np.linalg.eigh(covariance)
    root: FloatArray = vectors * np.sqrt(np.maximum(values, 0.0))
    return root

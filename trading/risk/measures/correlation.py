"""Covariance and correlation that a short sample can bear: shrunk by Ledoit and Wolf."""

from dataclasses import dataclass

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """A matrix (assets, assets), and the share of it that is the target instead of the sample: 0 to 1."""

    matrix: FloatArray
    shrinkage: float


def shrunk_covariance(returns: FloatArray) -> Shrunk:
    """Covariance of ``returns`` (n, assets) shrunk to the mean variance times the identity.

    The share is the one with the least expected squared error. Ledoit and Wolf (2004), "A well-conditioned estimator
    for large-dimensional covariance matrices"; the sample covariance divides by n there, and here.
    """
    table = checked_columns(returns)
    centred = table - table.mean(axis=0)
    count, assets = centred.shape
    sample: FloatArray = centred.T @ centred / count
    mean = float(np.trace(sample)) / assets
    target = mean * np.eye(assets)
    distance = float(((sample - target) ** 2).sum())
    # Mean squared distance of single observations' outer products from the sample: sum |x|^4 / n - |S|^2.
    scatter = float(((centred**2).sum(axis=1) ** 2).mean()) - float((sample**2).sum())
    shrinkage = min(1.0, max(0.0, scatter / count / distance)) if distance > 0 else 0.0
    return Shrunk(matrix=shrinkage * target + (1.0 - shrinkage) * sample, shrinkage=shrinkage)


def shrunk_correlation(returns: FloatArray) -> Shrunk:
    """Correlation of ``returns`` (n, assets) shrunk to none: :func:`shrunk_covariance` of standardised columns.

    A column that never moves has no correlation: 0 with the others and 1 with itself.
    """
    table = checked_columns(returns)
    spread = table.std(axis=0)
    moving = spread > 1e-14 * np.maximum(1.0, np.abs(table.mean(axis=0)))
    matrix = np.eye(table.shape[1])
    if not moving.any():
        return Shrunk(matrix=matrix, shrinkage=0.0)
    found = shrunk_covariance((table[:, moving] - table[:, moving].mean(axis=0)) / spread[moving])
    scale = np.sqrt(np.diag(found.matrix))
    matrix[np.ix_(moving, moving)] = found.matrix / np.outer(scale, scale)
    return Shrunk(matrix=matrix, shrinkage=found.shrinkage)


def effective_bets(weights: FloatArray, covariance: FloatArray) -> float | None:
    """How many uncorrelated bets ``weights`` (assets,) make up: exp of the entropy of variance over principal parts.

    1 where everything rides on one common move, the number of assets where all parts carry the same. Meucci (2009),
    "Managing diversification". Give it a shrunk covariance: noise in the sample makes parts look unequal. None for a
    book without variance.
    """
    values, vectors = np.linalg.eigh(np.asarray(covariance, dtype=np.float64))
    parts = (vectors.T @ np.asarray(weights, dtype=np.float64)) ** 2 * np.maximum(values, 0.0)
    total = float(parts.sum())
    if not total > 0:
        return None
    shares = parts[parts > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))

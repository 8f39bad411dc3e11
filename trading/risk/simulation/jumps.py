"""Diffusion with jumps that hit all assets at the same moments."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_columns
from trading.risk.simulation.gbm import matrix_root, shrunk_scale

_THRESHOLD = 4.0
"""Robust deviations beyond which the assets' mean move counts as a jump."""
_NORMAL_MAD = 1.4826
"""Deviations in the median absolute deviation of a normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpDiffusion:
    """Normal log returns with ``covariance``, and a Poisson number of jumps a step with mean ``rate``.

    A jump has normal sizes with ``jump_mean`` (assets,) and ``jump_covariance``. Merton (1976), jumps in common; their
    mean is taken out of every step, so that the whole has no drift.
    """

    covariance: FloatArray
    rate: float
    jump_mean: FloatArray
    jump_covariance: FloatArray

    @classmethod
    def fit(cls, log_returns: FloatArray) -> Self:
        """The model of ``log_returns`` (n, assets): steps whose mean move is beyond 4 robust deviations are jumps."""
        table = checked_columns(log_returns)
        centred = table - np.median(table, axis=0)
        assets = centred.shape[1]
        move = np.abs(centred.mean(axis=1))
        scale = _NORMAL_MAD * float(np.median(move))
        jumped = move > _THRESHOLD * scale if scale > 0 else np.zeros(len(move), dtype=np.bool_)
        count = int(jumped.sum())
        sizes = centred[jumped]
        return cls(
            covariance=shrunk_scale(centred[~jumped]),
            rate=count / len(centred),
            jump_mean=sizes.mean(axis=0) if count else np.zeros(assets),
            jump_covariance=np.atleast_2d(np.cov(sizes.T, bias=True)) if count > 1 else np.zeros((assets, assets)),
        )

    def draw(self, *, paths: int, steps: int, rng: np.random.Generator) -> FloatArray:
        """Log returns of shape (paths, steps, assets)."""
        assets = len(self.covariance)
        found = rng.standard_normal((paths, steps, assets)) @ matrix_root(self.covariance).T
        found -= self.rate * self.jump_mean
        counts = rng.poisson(self.rate, size=(paths, steps))
        hit = np.nonzero(counts)
        many = counts[hit][:, np.newaxis]
        sizes = rng.standard_normal((len(many), assets)) @ matrix_root(self.jump_covariance).T
        found[hit] += many * self.jump_mean + np.sqrt(many) * sizes
        return found

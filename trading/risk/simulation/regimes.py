"""Calm and turbulent markets that follow each other as a Markov chain, each with its own covariance."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_columns
from trading.risk.measures.volatility import ewma_variance
from trading.risk.simulation.gbm import matrix_root, shrunk_scale

_TURBULENT_SHARE = 0.2
_MIN_RETURNS = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeSwitching:
    """Two states: ``covariances`` (2, assets, assets), calm first.

    ``leave`` (2,) is the probability a step of leaving each, ``turbulent_now`` whether the first step is turbulent.
    Hamilton (1989), with states read from the past instead of estimated with it.
    """

    covariances: FloatArray
    leave: FloatArray
    turbulent_now: bool

    @classmethod
    def fit(cls, log_returns: FloatArray) -> Self:
        """The model of ``log_returns`` (n, assets): turbulent is the fifth of steps with the highest EWMA variance.

        The variance that sorts a step knows the steps before it only. ValueError for fewer than 250 rows.
        """
        table = checked_columns(log_returns, minimum=_MIN_RETURNS)
        centred = table - table.mean(axis=0)
        expected = sum(ewma_variance(column) / max(float(column.var()), 1e-300) for column in centred.T)
        turbulent = np.asarray(expected) > np.quantile(expected, 1 - _TURBULENT_SHARE)
        before, after = turbulent[:-2], turbulent[1:-1]
        if turbulent.all() or not turbulent[:-1].any() or not before.any() or before.all():
            same = shrunk_scale(centred)
            return cls(covariances=np.stack([same, same]), leave=np.array([0.5, 0.5]), turbulent_now=False)
        return cls(
            covariances=np.stack([shrunk_scale(centred[turbulent[:-1] == state]) for state in (False, True)]),
            leave=np.array([(after & ~before).sum() / (~before).sum(), (before & ~after).sum() / before.sum()]),
            turbulent_now=bool(turbulent[-1]),
        )

    def draw(self, *, paths: int, steps: int, rng: np.random.Generator) -> FloatArray:
        """Log returns of shape (paths, steps, assets)."""
        states = np.empty((paths, steps), dtype=np.bool_)
        state = np.full(paths, self.turbulent_now)
        chance = rng.random((steps, paths))
        for step in range(steps):
            states[:, step] = state
            state = state ^ (chance[step] < np.where(state, self.leave[1], self.leave[0]))
        found = rng.standard_normal((paths, steps, self.covariances.shape[1]))
        calm, turbulent = (matrix_root(covariance).T for covariance in self.covariances)
        drawn = found @ calm
        drawn[states] = found[states] @ turbulent
        return drawn

"""The hidden Markov model of single bars, and its filter: what is known of the state at a bar from the bars so far."""

import logging
from dataclasses import dataclass

import numpy as np

from trading.features.regimes.inputs import MOVE, RANGE
from trading.features.regimes.mixture import log_densities, named
from trading.marketdata import FloatArray

_STATES = 4
_STAY = 0.98
_MOVES = np.array([0.3, -0.3, 0.0, 0.0])
_SPREADS = np.array([0.9, 0.9, 0.8, 1.7])
_RANGES = np.array([0.0, 0.0, -0.1, 0.5])
_WEIGHT = 20.0
"""How many bars the place where a state begins is worth against what it is fitted to."""

_STICKINESS = 100.0
_ITERATIONS = 30

_LEAST_BELIEF = 1e-12
"""No state is ever ruled out: a bar far from all of them would leave nothing to divide by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkovModel:
    """States that emit the move and the log range of a bar, independent normals, with what the rule calls each.

    The log range is close to normal (Alizadeh, Brandt and Diebold 2002). ``state`` is the filtered distribution after
    the last bar of the fit.
    """

    transitions: FloatArray
    means: FloatArray
    variances: FloatArray
    names: FloatArray
    state: FloatArray

    def filtered(self, inputs: FloatArray, state: FloatArray) -> FloatArray:
        """Distribution over states after each row, shape (rows, states), from that before the first.

        The forward recursion only: a smoothed probability would know the bars that come after.
        """
        densities = log_densities(inputs[:, (MOVE, RANGE)], self.means, self.variances)
        likelihoods = np.exp(densities - densities.max(axis=1, keepdims=True))
        found: FloatArray = np.empty_like(likelihoods)
        for row, likelihood in enumerate(likelihoods):
            state = np.maximum((state @ self.transitions) * likelihood, _LEAST_BELIEF)
            state = state / state.sum()
            found[row] = state
        return found


def fit_markov(inputs: FloatArray, seed: int, trend: int) -> MarkovModel:
    """Baum-Welch with priors that keep states sticky and near where they begin (hmmlearn), and the filter's end."""
    from hmmlearn.hmm import GaussianHMM

    points = inputs[:, (MOVE, RANGE)]
    sticky = np.full((_STATES, _STATES), (1 - _STAY) / (_STATES - 1)) + np.eye(_STATES) * (
        _STAY - (1 - _STAY) / (_STATES - 1)
    )
    means = np.column_stack([_MOVES, points[:, 1].mean() + _RANGES])
    model = GaussianHMM(
        n_components=_STATES,
        covariance_type="diag",
        init_params="",
        params="tmc",
        n_iter=_ITERATIONS,
        tol=1.0,
        random_state=seed,
        transmat_prior=1 + _STICKINESS * sticky,
        means_prior=means,
        means_weight=_WEIGHT,
        min_covar=1e-2,
    )
    model.startprob_ = np.full(_STATES, 1 / _STATES)
    model.transmat_ = sticky
    model.means_ = means
    model.covars_ = np.column_stack([_SPREADS**2, np.full(_STATES, max(0.05, points[:, 1].var()))])
    logging.getLogger("hmmlearn.base").setLevel(logging.ERROR)  # with priors, the bare likelihood may fall a little
    model.fit(points)
    variances = np.maximum(np.diagonal(model.covars_, axis1=1, axis2=2), 1e-2)
    power = model.means_[:, 0] ** 2 + variances[:, 0]
    start = MarkovModel(
        transitions=model.transmat_,
        means=model.means_,
        variances=variances,
        names=named(model.means_[:, 0] / np.sqrt(power) * np.sqrt(trend), 0.5 * np.log(power)),
        state=model.startprob_,
    )
    end = start.filtered(inputs, start.state)[-1]
    return MarkovModel(
        transitions=start.transitions,
        means=start.means,
        variances=start.variances,
        names=start.names,
        state=end,
    )

"""K-means and the Gaussian mixture as one thing: weighted Gaussians, and how likely each made a point."""

import warnings
from dataclasses import dataclass

import numpy as np

from trading.features.regimes.inputs import STRENGTH, VOLATILITY
from trading.features.regimes.rules import rule_probs
from trading.marketdata import FloatArray

CENTRES = np.array([[2.5, 0.0], [-2.5, 0.0], [0.0, -0.2], [0.0, 0.7]])
"""Where fits begin, one row a regime: strength of the trend and log ratio of volatility."""

NAMING_SOFTNESS = 0.5
"""A component stands for many bars, so its mean is surer than one bar is."""

_UNITS = np.array([1.0, 0.3])
_LEAST_VARIANCE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Components with diagonal covariances; ``names`` holds what the rule calls each one's mean, shape (k, regimes).

    Naming by the place in feature space, not by the number of a component, is what keeps regimes from changing their
    names when a fit is made anew.
    """

    log_weights: FloatArray
    means: FloatArray
    variances: FloatArray
    names: FloatArray

    def probs(self, points: FloatArray) -> FloatArray:
        """Probabilities of the regimes for points of shape (n, 2), shape (n, 4)."""
        return posterior(self.log_weights + log_densities(points, self.means, self.variances)) @ self.names


def log_densities(points: FloatArray, means: FloatArray, variances: FloatArray) -> FloatArray:
    """Log density of each point under each component, shape (points, components)."""
    apart = points[:, None, :] - means
    found: FloatArray = -0.5 * (apart**2 / variances + np.log(2 * np.pi * variances)).sum(axis=2)
    return found


def posterior(log_joint: FloatArray) -> FloatArray:
    """Rows of log weights as probabilities."""
    weights = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
    found: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return found


def named(strength: FloatArray, volatility: FloatArray) -> FloatArray:
    """What the rule calls components at these places, shape (components, regimes)."""
    return rule_probs(strength, volatility, softness=NAMING_SOFTNESS)


def fit_kmeans(inputs: FloatArray, seed: int) -> Mixture:
    """K-means from the regimes' centres; a point belongs to clusters as to Gaussians of one size (in scaled units)."""
    from sklearn.cluster import KMeans

    points = inputs[:, (STRENGTH, VOLATILITY)] / _UNITS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of too few distinct points: a cluster is then empty, and keeps its centre
        model = KMeans(n_clusters=len(CENTRES), init=CENTRES / _UNITS, n_init=1, random_state=seed).fit(points)
    means = model.cluster_centers_ * _UNITS
    within = max(_LEAST_VARIANCE, float(model.inertia_) / points.size)
    return Mixture(
        log_weights=np.zeros(len(means)),
        means=means,
        variances=np.tile(within * _UNITS**2, (len(means), 1)),
        names=named(means[:, 0], means[:, 1]),
    )


def fit_gaussian_mixture(inputs: FloatArray, seed: int) -> Mixture:
    """A Gaussian mixture by expectation maximisation, begun at the regimes' centres."""
    from sklearn.mixture import GaussianMixture

    points = inputs[:, (STRENGTH, VOLATILITY)]
    model = GaussianMixture(
        n_components=len(CENTRES),
        covariance_type="diag",
        reg_covar=_LEAST_VARIANCE,
        means_init=CENTRES,
        weights_init=np.full(len(CENTRES), 1 / len(CENTRES)),
        precisions_init=np.tile(1 / _UNITS**2, (len(CENTRES), 1)),
        random_state=seed,
        max_iter=100,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a fit that was still moving after 100 steps: it is as good as it got
        model.fit(points)
    return Mixture(
        log_weights=np.log(np.maximum(model.weights_, 1e-12)),
        means=model.means_,
        variances=model.covariances_,
        names=named(model.means_[:, 0], model.means_[:, 1]),
    )

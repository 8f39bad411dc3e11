"""Several forecasts as one: weighted by how well each did lately, on outcomes that were known by then."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trading.forecasting.distribution import MIDDLE, Distributions
from trading.forecasting.losses import crps
from trading.marketdata import FloatArray

HALF_LIFE = 1000.0
"""After this many forecasts a loss counts half."""

SHARPNESS = 40.0
"""How hard the better members are preferred: weights are exp(-SHARPNESS * relative loss)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """The ensemble's forecasts, the weights they rest on, shape (n, members), and how far the members disagree.

    ``disagreement`` is the weighted standard deviation of the members' medians over the ensemble's volatility, (n,).
    """

    said: Distributions
    members: tuple[str, ...]
    weights: FloatArray
    disagreement: FloatArray


def combine(members: Mapping[str, Distributions], log_return: FloatArray, *, steps: int) -> Combined:
    """Quantiles averaged level by level (Vincent 1912; Lichtendahl, Grushka-Cockayne & Winkler 2013), by rolling CRPS.

    The weights of row ``t`` rest on outcomes of rows up to ``t - steps`` (exponential weighting of experts, Vovk 1990);
    without any, all members count the same.
    """
    names = tuple(members)
    losses = np.stack([crps(members[name].quantiles, log_return) for name in names], axis=1)
    weights = _weights(losses, steps)
    quantiles = np.einsum("nm,mnl->nl", weights, np.stack([members[name].quantiles for name in names]))
    p_up = np.einsum("nm,mn->n", weights, np.stack([members[name].p_up for name in names]))
    variance = np.einsum("nm,mn->n", weights, np.stack([members[name].volatility ** 2 for name in names]))
    typical = np.einsum("nm,mn->n", weights, np.log(np.stack([members[name].typical for name in names])))
    medians = np.stack([members[name].quantiles[:, MIDDLE] for name in names])
    spread = np.einsum("nm,mn->n", weights, (medians - quantiles[:, MIDDLE]) ** 2)
    volatility = np.sqrt(variance)
    return Combined(
        said=Distributions(p_up=p_up, quantiles=quantiles, volatility=volatility, typical=np.exp(typical)),
        members=names,
        weights=weights,
        disagreement=np.sqrt(spread) / volatility,
    )


def _weights(losses: FloatArray, steps: int) -> FloatArray:
    """Weights of each row and member, shape (n, members)."""
    from scipy.signal import lfilter

    decay = 0.5 ** (1.0 / HALF_LIFE)
    known = np.zeros_like(losses)
    known[steps:] = losses[:-steps] if steps < len(losses) else 0.0
    counted = np.zeros(len(losses))
    counted[steps:] = 1.0
    sums = lfilter([1.0], [1.0, -decay], known, axis=0)
    counts = lfilter([1.0], [1.0, -decay], counted)
    mean = sums / np.maximum(counts, 1.0)[:, np.newaxis]
    best = mean.min(axis=1, keepdims=True)
    relative = np.where(best > 0, mean / np.where(best > 0, best, 1.0) - 1.0, 0.0)
    evidence = np.minimum(1.0, counts / HALF_LIFE)[:, np.newaxis]
    raw = np.exp(-SHARPNESS * evidence * relative)
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))

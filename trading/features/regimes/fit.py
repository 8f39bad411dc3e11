"""The three fitted methods together, fitted once for the same bars and settings, and what all four say of new bars."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from trading.features.regimes.inputs import STRENGTH, VOLATILITY
from trading.features.regimes.markov import MarkovModel, fit_markov
from trading.features.regimes.mixture import Mixture, fit_gaussian_mixture, fit_kmeans
from trading.features.regimes.regime import METHODS, REGIMES, RegimeSettings
from trading.features.regimes.rules import rule_probs
from trading.marketdata import FloatArray

_LEAST_SPREAD = 1e-6
_KEPT_FITS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The methods as fitted on bars of the past."""

    kmeans: Mixture
    gaussian_mixture: Mixture
    hidden_markov: MarkovModel


def fit_of(past: FloatArray, settings: RegimeSettings) -> Fit | None:
    """The fit on the last ``fit_bars`` rows of ``past``; None where they are too few or nothing moved in them."""
    past = past[-settings.fit_bars :]
    if len(past) < settings.least_fit or past.std(axis=0).min() < _LEAST_SPREAD:
        return None
    return _fitted(np.ascontiguousarray(past).tobytes(), settings)


@lru_cache(maxsize=_KEPT_FITS)
def _fitted(data: bytes, settings: RegimeSettings) -> Fit:
    """Keyed by what it is fitted on, so that all desks of all rounds between two refits share one fit."""
    past = np.frombuffer(data).reshape(-1, 4)
    return Fit(
        kmeans=fit_kmeans(past, settings.seed),
        gaussian_mixture=fit_gaussian_mixture(past, settings.seed),
        hidden_markov=fit_markov(past, settings.seed, settings.trend),
    )


def opinions(fit: Fit | None, inputs: FloatArray, state: FloatArray | None) -> tuple[FloatArray, FloatArray | None]:
    """What each method says of each row, shape (methods, rows, regimes), and the filter's state after the last.

    ``state`` is that before the first row; None begins where the fit ended. Without a fit, only the rule is known.
    """
    found = np.full((len(METHODS), len(inputs), len(REGIMES)), np.nan)
    found[0] = rule_probs(inputs[:, STRENGTH], inputs[:, VOLATILITY])
    if fit is None:
        return found, None
    points = inputs[:, (STRENGTH, VOLATILITY)]
    found[1] = fit.kmeans.probs(points)
    found[2] = fit.gaussian_mixture.probs(points)
    states = fit.hidden_markov.filtered(inputs, fit.hidden_markov.state if state is None else state)
    found[3] = states @ fit.hidden_markov.names
    return found, states[-1]

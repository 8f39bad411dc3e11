"""The four regimes, what is read off at a bar, and the lengths that everything is measured over."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from trading.marketdata import FloatArray


class Regime(StrEnum):
    """What kind of market it is."""

    BULL = "bull"
    BEAR = "bear"
    RANGING = "ranging"
    VOLATILE = "volatile"


REGIMES = tuple(Regime)
METHODS = ("rule", "kmeans", "gaussian_mixture", "hidden_markov")
"""``rule`` needs no fit and is the reference; the others are fitted on past bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeSettings:
    """Lengths in bars. Fits happen when the clock completes ``refit`` bars since 1970, on at most ``fit_bars`` before.

    So the probabilities at a bar follow from the last :attr:`history_bars` bars, wherever a recording begins.
    ``sure`` is the confidence that a change of regime needs, ``cool_down`` the least time between two changes.
    """

    trend: int = 48
    volatility: int = 24
    baseline: int = 480
    fit_bars: int = 720
    least_fit: int = 200
    refit: int = 168
    cool_down: int = 24
    sure: float = 0.6
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= max(self.trend, self.volatility) <= self.baseline:
            raise ValueError("the trend and the volatility must be measured over at least 2 bars of the baseline")
        if min(self.trend, self.volatility, self.refit) < 1 or not 20 <= self.least_fit <= self.fit_bars:
            raise ValueError("lengths must be positive, and a fit needs at least 20 bars and at most fit_bars")

    @property
    def history_bars(self) -> int:
        """How many bars the probabilities at a bar follow from, its own included."""
        return self.baseline + self.fit_bars + self.refit


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeReading:
    """What is said of one bar. ``probs`` is the mean of ``methods``, each of which sums to 1 over the regimes.

    ``confidence`` is the agreement of the methods: the probability that two different ones, each naming a regime by its
    own probabilities, name the same. A method that is not fitted yet is not there; with one alone it is None.
    """

    open_ms: int
    regime: Regime
    confidence: float | None
    probs: Mapping[str, float]
    methods: Mapping[str, Mapping[str, float]]


def agreement(opinions: FloatArray) -> FloatArray:
    """Probability that two different methods name the same regime; ``opinions`` has shape (methods, bars, regimes).

    Methods that are NaN at a bar do not count there. NaN where fewer than two are known.
    """
    known = ~np.isnan(opinions[:, :, 0])
    count = known.sum(axis=0)
    filled = np.where(known[:, :, None], opinions, 0.0)
    total = (filled.sum(axis=0) ** 2).sum(axis=1)
    own = (filled**2).sum(axis=(0, 2))
    pairs = np.where(count > 1, count * (count - 1), np.nan)
    found: FloatArray = (total - own) / pairs
    return found


def reading(open_ms: int, opinions: FloatArray) -> RegimeReading:
    """What the methods' opinions at one bar, shape (methods, regimes), come to; the rule's must be known."""
    probs = np.nanmean(opinions, axis=0)
    agreed = float(agreement(opinions[:, None, :])[0])
    return RegimeReading(
        open_ms=open_ms,
        regime=REGIMES[int(np.argmax(probs))],
        confidence=None if np.isnan(agreed) else agreed,
        probs=_named(probs),
        methods={name: _named(row) for name, row in zip(METHODS, opinions, strict=True) if not np.isnan(row[0])},
    )


def _named(row: FloatArray) -> dict[str, float]:
    return {regime.value: float(value) for regime, value in zip(REGIMES, row, strict=True)}

"""Scores of probabilistic forecasts that honesty maximises, and how well stated probabilities are calibrated.

Gneiting & Raftery (2007). ``outcomes`` are 0 or 1; arrays are aligned and of shape (n,); NaN is the caller's to remove
(an outcome that is not known yet is not scored) and is refused here.
"""

from dataclasses import dataclass

import numpy as np

from trading.stats.sample import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class BrierParts:
    """Brier score = reliability - resolution + uncertainty + within_bin (Murphy 1973).

    ``within_bin`` is what averaging the forecasts of a bin leaves out (Stephenson, Coelho & Jolliffe 2008).
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_bin: float


def brier(probabilities: FloatArray, outcomes: FloatArray) -> float | None:
    """Mean squared error of stated probabilities: 0 is perfect, 0.25 is what always saying one half earns."""
    _check(probabilities, outcomes)
    return float(np.mean((probabilities - outcomes) ** 2)) if probabilities.size else None


def brier_skill(probabilities: FloatArray, outcomes: FloatArray, *, reference: float | FloatArray) -> float | None:
    """Share of the reference's Brier score that the forecasts save: 1 perfect, 0 no better, negative worse.

    ``reference`` is the climatology that was known when each forecast was made, one number or shape (n,). None without
    forecasts or where the reference is perfect.
    """
    score = brier(probabilities, outcomes)
    baseline = brier(np.broadcast_to(np.asarray(reference, np.float64), outcomes.shape), outcomes)
    if score is None or not baseline:
        return None
    return 1.0 - score / baseline


def pinball(quantiles: FloatArray, outcomes: FloatArray, *, level: float) -> float | None:
    """Mean quantile loss of forecasts of the ``level`` quantile, in the unit of the outcomes; lower is better."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"quantile level {level} is not between 0 and 1")
    _check_finite(quantiles, outcomes)
    missed = outcomes - quantiles
    return float(np.mean(np.maximum(level * missed, (level - 1.0) * missed))) if outcomes.size else None


def brier_parts(probabilities: FloatArray, outcomes: FloatArray, *, bins: int = 10) -> BrierParts | None:
    """Murphy's decomposition over bins of equal mass (equal probabilities stay together)."""
    _check(probabilities, outcomes)
    if not probabilities.size:
        return None
    counts, stated, happened = _bin_means(probabilities, outcomes, bins)
    share, overall = counts / counts.sum(), float(outcomes.mean())
    reliability = float(np.sum(share * (stated - happened) ** 2))
    resolution = float(np.sum(share * (happened - overall) ** 2))
    uncertainty = overall * (1.0 - overall)
    score = float(np.mean((probabilities - outcomes) ** 2))
    return BrierParts(
        reliability=reliability,
        resolution=resolution,
        uncertainty=uncertainty,
        within_bin=score - (reliability - resolution + uncertainty),
    )


def calibration_error(probabilities: FloatArray, outcomes: FloatArray, *, bins: int = 10) -> float | None:
    """Expected calibration error: mean gap between what was stated and what happened, over bins of equal mass.

    Guo et al. (2017). Never 0 on a finite sample: about 0.4 / sqrt(n / bins) for a perfect forecaster near p = 0.5.
    """
    _check(probabilities, outcomes)
    if not probabilities.size:
        return None
    counts, stated, happened = _bin_means(probabilities, outcomes, bins)
    return float(np.sum(counts * np.abs(stated - happened)) / counts.sum())


def _bin_means(probabilities: FloatArray, outcomes: FloatArray, bins: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Count, mean forecast and frequency of each bin that holds something."""
    edges = np.unique(np.quantile(probabilities, np.arange(1, bins) / bins, method="inverted_cdf"))
    at: IntArray = np.searchsorted(edges, probabilities, side="left")
    counts = np.bincount(at, minlength=edges.size + 1).astype(np.float64)
    held = counts > 0
    stated = np.bincount(at, weights=probabilities, minlength=counts.size)[held] / counts[held]
    happened = np.bincount(at, weights=outcomes, minlength=counts.size)[held] / counts[held]
    return counts[held], stated, happened


def _check(probabilities: FloatArray, outcomes: FloatArray) -> None:
    _check_finite(probabilities, outcomes)
    if probabilities.size and (probabilities.min() < 0.0 or probabilities.max() > 1.0):
        raise ValueError(f"probabilities from {probabilities.min()} to {probabilities.max()}, expected 0 to 1")
    if not np.isin(outcomes, (0.0, 1.0)).all():
        raise ValueError("outcomes other than 0 and 1 cannot be scored against probabilities")


def _check_finite(forecasts: FloatArray, outcomes: FloatArray) -> None:
    if forecasts.shape != outcomes.shape:
        raise ValueError(f"forecasts of shape {forecasts.shape} and outcomes of {outcomes.shape} are not aligned")
    if not (np.isfinite(forecasts).all() and np.isfinite(outcomes).all()):
        raise ValueError("forecasts or outcomes that are not finite cannot be scored; remove what is not known yet")

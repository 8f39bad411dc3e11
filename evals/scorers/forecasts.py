"""How good a desk's probabilistic forecasts were, once their horizons have ended."""

from dataclasses import dataclass

import numpy as np

from trading.stats import MIN_OBSERVATIONS, FloatArray, IntArray, brier, brier_skill, calibration_error, pinball

_COIN = 0.5
_LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSample:
    """The forecasts of one desk, all arrays of shape (n,).

    ``p_up`` is the stated probability of a positive return; the quantiles and ``outcome_return`` are simple returns,
    the outcome NaN where the horizon has not ended. A forecast is made at ``ts_ms`` and looks ``horizon_ms`` ahead.
    """

    ts_ms: IntArray
    horizon_ms: IntArray
    p_up: FloatArray
    q05: FloatArray
    q50: FloatArray
    q95: FloatArray
    outcome_return: FloatArray

    def __post_init__(self) -> None:
        for name in ("horizon_ms", "p_up", "q05", "q50", "q95", "outcome_return"):
            found = getattr(self, name).shape
            if found != self.ts_ms.shape or len(found) != 1:
                raise ValueError(f"forecast column {name!r} has shape {found}, expected {(self.ts_ms.size,)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastScore:
    """Scores over the forecasts that are ``closed`` of those ``issued``.

    ``windows`` counts the closed horizons that do not overlap in time: forecasts of one window share their news, so it,
    and not ``closed``, is the sample size of any error bar. ``brier_skill`` is against always saying one half;
    ``pinball`` is the mean over the three quantiles; ``coverage90`` is how often the outcome lay between the outer two.
    """

    issued: int
    closed: int
    windows: int
    brier: float | None
    brier_skill: float | None
    calibration_error: float | None
    pinball: float | None
    coverage90: float | None


def score_forecasts(sample: ForecastSample) -> ForecastScore:
    """The scores of a desk's forecasts; those that claim skill or calibration are None below 20 closed forecasts.

    The climatology of direction is one half, not the base rate seen so far: an estimated base rate is a noisy opponent,
    against which someone who always says one half would seem skilled. A return of exactly zero is not up.
    """
    closed = np.isfinite(sample.outcome_return)
    outcome = sample.outcome_return[closed]
    up = (outcome > 0).astype(np.float64)
    p_up = sample.p_up[closed]
    enough = outcome.size >= MIN_OBSERVATIONS
    quantiles = (sample.q05[closed], sample.q50[closed], sample.q95[closed])
    losses = [pinball(quantile, outcome, level=level) for quantile, level in zip(quantiles, _LEVELS, strict=True)]
    inside = (outcome >= quantiles[0]) & (outcome <= quantiles[2])
    return ForecastScore(
        issued=sample.ts_ms.size,
        closed=outcome.size,
        windows=_windows(sample.ts_ms[closed], sample.horizon_ms[closed]),
        brier=brier(p_up, up),
        brier_skill=brier_skill(p_up, up, reference=_COIN) if enough else None,
        calibration_error=calibration_error(p_up, up) if enough else None,
        pinball=float(np.mean([loss for loss in losses if loss is not None])) if outcome.size else None,
        coverage90=float(inside.mean()) if enough else None,
    )


def _windows(ts_ms: IntArray, horizon_ms: IntArray) -> int:
    """The most horizons that can be picked without two of them overlapping, by earliest end first."""
    count, free_from = 0, None
    ends = ts_ms + horizon_ms
    for at in np.argsort(ends, kind="stable"):
        if free_from is None or ts_ms[at] >= free_from:
            count, free_from = count + 1, ends[at]
    return count

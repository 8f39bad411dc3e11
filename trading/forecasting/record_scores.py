"""How recorded forecasts turned out: scores, a calibration curve, and skill against baselines of the same instants."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trading.forecasting.losses import diebold_mariano
from trading.marketdata import FloatArray
from trading.stats import (
    MIN_OBSERVATIONS,
    brier,
    brier_skill,
    calibration_error,
    percentile_interval,
    pinball,
    resampled_sums,
    wilson_interval,
)

BASELINES = ("climatology", "volatility_scaled")
"""Forecasters that are recorded beside every forecast, for it to be compared with."""

BINS = 10
RESAMPLES = 1000
_LEVELS = (0.05, 0.5, 0.95)
_AS_OF, _P_UP, _Q05, _Q95, _OUTCOME = 0, 1, 2, 4, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """The share of a baseline's mean loss that a model saved at the same instants, over ``n`` forecasts.

    ``loss`` is ``brier`` or ``crps``. The 95 % interval is of the stationary bootstrap, the p-value of Diebold and
    Mariano, two-sided. Either is None where there are too few forecasts, or no difference.
    """

    against: str
    loss: str
    value: float
    ci95: tuple[float, float] | None
    p_value: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordScore:
    """How one model's forecasts of one instrument and horizon turned out; None where too few have ended.

    ``brier_skill`` is against always saying one half, ``skills`` against the baselines on record. ``pit`` counts the
    outcomes below, between and above the stated quantiles; ``calibration`` holds, for each bin of equal mass, the mean
    stated probability, how often it rose, and how many. ``crps`` is twice the mean pinball loss of the three quantiles.
    """

    model_id: str
    instrument: str
    horizon_ms: int
    issued: int
    ended: int
    brier: float | None
    brier_skill: float | None
    log_score: float | None
    pinball: float | None
    crps: float | None
    coverage90: float | None
    coverage90_ci95: tuple[float, float] | None
    calibration_error: float | None
    pit: tuple[int, int, int, int]
    calibration: tuple[tuple[float, float, int], ...]
    skills: tuple[Skill, ...]


def score_record(
    model_id: str, instrument: str, horizon_ms: int, table: FloatArray, *, grounds: Mapping[str, FloatArray]
) -> RecordScore:
    """Scores of forecasts with the columns as-of, p_up, q05, q50, q95 and outcome (NaN while it is open), by as-of.

    ``grounds`` are forecasts of the baselines in the same columns.
    """
    ended = table[np.isfinite(table[:, _OUTCOME])]
    _, p_up, q05, q50, q95, outcome = ended.T
    up = np.where(outcome > 0, 1.0, 0.0)
    enough = len(ended) >= MIN_OBSERVATIONS
    losses = [pinball(q, outcome, level=level) for q, level in zip((q05, q50, q95), _LEVELS, strict=True)]
    mean = None if not len(ended) else float(np.mean([loss for loss in losses if loss is not None]))
    inside = (outcome >= q05) & (outcome <= q95)
    counts = np.bincount((outcome > q05) * 1 + (outcome > q50) * 1 + (outcome > q95) * 1, minlength=4)
    return RecordScore(
        model_id=model_id,
        instrument=instrument,
        horizon_ms=horizon_ms,
        issued=len(table),
        ended=len(ended),
        brier=brier(p_up, up),
        brier_skill=brier_skill(p_up, up, reference=0.5) if enough else None,
        log_score=float(-np.mean(np.log(np.where(up > 0, p_up, 1.0 - p_up)))) if len(ended) else None,
        pinball=mean,
        crps=None if mean is None else 2.0 * mean,
        coverage90=float(inside.mean()) if enough else None,
        coverage90_ci95=wilson_interval(int(inside.sum()), len(ended)) if enough else None,
        calibration_error=calibration_error(p_up, up) if enough else None,
        pit=(int(counts[0]), int(counts[1]), int(counts[2]), int(counts[3])),
        calibration=calibration_curve(p_up, up) if enough else (),
        skills=tuple(
            skill
            for name, ground in grounds.items()
            for loss in ("brier", "crps")
            if (skill := _skill(ended, ground, name, loss, horizon_ms)) is not None
        ),
    )


def calibration_curve(p_up: FloatArray, up: FloatArray) -> tuple[tuple[float, float, int], ...]:
    """For each bin of equal mass the mean stated probability, how often it came true, and how many."""
    order = np.argsort(p_up, kind="stable")
    parts = [part for part in np.array_split(order, min(BINS, max(1, len(order) // 10))) if len(part)]
    return tuple((float(p_up[part].mean()), float(up[part].mean()), len(part)) for part in parts)


def _skill(ended: FloatArray, ground: FloatArray, name: str, loss: str, horizon_ms: int) -> Skill | None:
    """Skill at the instants that both spoke at; None where that is too few."""
    _, mine, theirs = np.intersect1d(ended[:, _AS_OF], ground[:, _AS_OF], assume_unique=True, return_indices=True)
    if len(mine) < MIN_OBSERVATIONS:
        return None
    outcome = ended[mine, _OUTCOME]
    own, other = _losses(ended[mine], outcome, loss), _losses(ground[theirs], outcome, loss)
    steps = _overlap(ended[mine, _AS_OF], horizon_ms)
    if other.mean() == 0:
        return None
    draws = resampled_sums(
        np.stack([own, other]),
        resamples=RESAMPLES,
        block_length=float(min(2 * steps, max(1, len(mine) // 3))),
        rng=np.random.default_rng(0),
    )
    with np.errstate(all="ignore"):
        spread = 1.0 - draws[:, 0] / draws[:, 1]
    test = diebold_mariano(own, other, steps=steps)
    return Skill(
        against=name,
        loss=loss,
        value=float(1.0 - own.mean() / other.mean()),
        ci95=percentile_interval(spread),
        p_value=None if test is None else test.p_value,
        n=len(mine),
    )


def _losses(said: FloatArray, outcome: FloatArray, loss: str) -> FloatArray:
    if loss == "brier":
        return np.asarray((said[:, _P_UP] - (outcome > 0)) ** 2)
    missed = outcome[:, np.newaxis] - said[:, _Q05 : _Q95 + 1]
    levels = np.array(_LEVELS)
    return np.asarray(2.0 * np.maximum(levels * missed, (levels - 1.0) * missed).mean(axis=1))


def _overlap(as_of_ms: FloatArray, horizon_ms: int) -> int:
    """How many forecasts in a row share a part of the future."""
    return max(1, math.ceil(horizon_ms / max(1.0, float(np.median(np.diff(as_of_ms))))))

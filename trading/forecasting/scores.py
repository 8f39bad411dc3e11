"""Scores of a model over the forecasts it made out of sample, each with a block-bootstrap interval."""

from dataclasses import dataclass

import numpy as np

from trading.forecasting.distribution import Distributions
from trading.forecasting.losses import Losses, losses_of
from trading.marketdata import FloatArray
from trading.stats import BoolArray, optimal_block_length, percentile_interval, resampled_sums

RESAMPLES = 500

MIN_TURNOVER = 0.002
"""Who trades less than this share of the position a bar follows no forecast, and has no break-even cost."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One number with its 95 % interval, None where it is not known."""

    value: float | None
    ci95: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What came after each forecast, shape (n,): log return and realised volatility."""

    log_return: FloatArray
    realised: FloatArray


def score(
    said: Distributions,
    came: Outcomes,
    *,
    climatology: Distributions,
    steps: int,
    seed: int = 0,
) -> dict[str, Score]:
    """Accuracy, AUC, Brier and CRPS skill against ``climatology``, coverage, QLIKE, RMSE of log volatility, break-even.

    Intervals are of the stationary bootstrap with blocks of at least twice the horizon. A skill is the share of the
    climatology's loss that is saved. ``break_even_bps`` is the cost a side at which following the direction at every
    bar, long or short for one bar's share of the horizon, would have earned nothing.
    """
    own = losses_of(said, came.log_return, came.realised)
    ground = losses_of(climatology, came.log_return, came.realised)
    placed = _placements(said.p_up, came.log_return > 0)
    traded = _traded(said, came.log_return, steps)
    columns = np.stack([*_columns(own, ground), *placed, *traded])
    whole = columns.sum(axis=1)[np.newaxis]
    area = float(placed[0].sum() / max(placed[2].sum(), 1.0))
    block = max(2.0 * steps, optimal_block_length(own.brier), optimal_block_length(own.crps))
    rng = np.random.default_rng(seed)
    draws = resampled_sums(columns, resamples=RESAMPLES, block_length=min(block, len(said) / 3), rng=rng)
    found, spread = _ratios(whole, area), _ratios(draws, area)
    return {name: Score(value=_finite(float(found[name][0])), ci95=percentile_interval(spread[name])) for name in found}


def _columns(own: Losses, ground: Losses) -> list[FloatArray]:
    moved = np.isfinite(own.qlike)
    return [
        np.ones(len(own.brier)),
        own.correct,
        own.brier,
        ground.brier,
        own.log,
        own.crps,
        ground.crps,
        own.inside,
        np.where(moved, own.qlike, 0.0),
        moved.astype(np.float64),
        own.log_volatility,
    ]


def _ratios(sums: FloatArray, area: float) -> dict[str, FloatArray]:
    """Scores from sums, (draws, columns) -> (draws,); ``area`` is the AUC of the whole."""
    n, correct, brier, brier0, log, crps, crps0, inside, qlike, moved, log_vol, beat, beaten, ups, downs, *rest = sums.T
    gain, turns = rest
    with np.errstate(all="ignore"):
        return {
            "accuracy": correct / n,
            "auc": beat / ups + beaten / downs - area,
            "brier_skill": 1.0 - brier / brier0,
            "log_score": log / n,
            "crps_skill": 1.0 - crps / crps0,
            "coverage90": inside / n,
            "qlike": qlike / moved,
            "log_volatility_rmse": np.sqrt(log_vol / n),
            "break_even_bps": 1e4 * gain / np.where(turns > MIN_TURNOVER * n, turns, np.nan),
        }


def _placements(p_up: FloatArray, up: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Columns whose sums give the area under the ROC curve and, to first order, that of every resample.

    The share of the other class that each row is on the right side of (DeLong, DeLong & Clarke-Pearson 1988), for rows
    that rose and rows that did not, and which of the two a row is.
    """
    from scipy.stats import rankdata

    ups = up.astype(np.float64)
    count_up, count_down = float(ups.sum()), float(len(ups) - ups.sum())
    ranks = rankdata(p_up)
    beat, beaten = np.zeros(len(ups)), np.zeros(len(ups))
    beat[up] = (ranks[up] - rankdata(p_up[up])) / max(count_down, 1.0)
    beaten[~up] = 1.0 - (ranks[~up] - rankdata(p_up[~up])) / max(count_up, 1.0)
    return beat, beaten, ups, 1.0 - ups


def _traded(said: Distributions, log_return: FloatArray, steps: int) -> tuple[FloatArray, FloatArray]:
    """Gain of a position that is the mean of the last ``steps`` directions, and the turnover it took."""
    side = np.sign(said.p_up - 0.5)
    gain = side * np.expm1(log_return) / steps
    position = np.convolve(side, np.full(steps, 1.0 / steps))[: len(side)]
    return gain, np.abs(np.diff(position, prepend=0.0))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None

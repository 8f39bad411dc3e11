"""What a page shows of forecasts: how each desk's turned out, and the trained models of the home folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evals.scorers import ForecastSample, score_forecasts
from trading.domain.errors import TradefloorError
from trading.domain.instants import duration_text
from trading.stats import MIN_OBSERVATIONS, FloatArray, percentile_interval, resampled_sums, wilson_interval

Interval = tuple[float, float]
BINS = 10
RESAMPLES = 500
COIN_BRIER = 0.25
_LARGEST_BLOCK = 3
"""Blocks are at most a third of the instants, so that resamples differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """A bin of forecasts of about equal probability: the mean of what was said, how often it rose, and of how many."""

    said: float
    rose: float
    rose_ci95: Interval
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRow:
    """One desk's forecasts. Skill is against always saying one half; None where too few have ended."""

    desk: str
    issued: int
    ended: int
    brier_skill: float | None
    brier_skill_ci95: Interval | None
    coverage90: float | None
    coverage90_ci95: Interval | None
    calibration_error: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """A trained model: how it did when it was judged, and how its recorded forecasts turned out.

    ``crps_skill`` is against climatology, walk-forward; ``recorded_skill`` against the climatology on record, in CRPS,
    with the p-value of no difference.
    """

    model_id: str
    instrument: str
    horizon: str
    stage: str
    trained_to_ms: int
    crps_skill: float | None
    crps_skill_ci95: Interval | None
    coverage90: float | None
    recorded: int
    recorded_coverage90: float | None
    recorded_skill: float | None
    recorded_skill_ci95: Interval | None
    recorded_p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastBoard:
    """Everything about forecasts at an instant. ``trouble`` says why models that are there cannot be shown."""

    desks: tuple[ForecastRow, ...]
    curve: tuple[CurvePoint, ...]
    models: tuple[ModelRow, ...]
    trouble: str | None = None


def forecast_board(samples: Mapping[str, ForecastSample], home: Path | None) -> ForecastBoard:
    """The board of a season's forecasts, by desk, and of the models under ``home``."""
    models, trouble = _models(home)
    rows = tuple(_row(desk, sample) for desk, sample in samples.items())
    return ForecastBoard(desks=rows, curve=calibration_curve(list(samples.values())), models=models, trouble=trouble)


def _row(desk: str, sample: ForecastSample) -> ForecastRow:
    found = score_forecasts(sample)
    ended = np.isfinite(sample.outcome_return)
    outcome = sample.outcome_return[ended]
    inside = int(((outcome >= sample.q05[ended]) & (outcome <= sample.q95[ended])).sum())
    return ForecastRow(
        desk=desk,
        issued=found.issued,
        ended=found.closed,
        brier_skill=found.brier_skill,
        brier_skill_ci95=None
        if found.brier_skill is None
        else _skill_interval(
            sample.ts_ms[ended].astype(np.float64),
            sample.horizon_ms[ended].astype(np.float64),
            (sample.p_up[ended] - (outcome > 0)) ** 2,
        ),
        coverage90=found.coverage90,
        coverage90_ci95=None if found.coverage90 is None else wilson_interval(inside, found.closed),
        calibration_error=found.calibration_error,
    )


def _skill_interval(ts_ms: FloatArray, horizon_ms: FloatArray, losses: FloatArray) -> Interval | None:
    """95 % interval of 1 - loss / 0.25 by resampling instants, in blocks of at least two horizons."""
    instants, at = np.unique(ts_ms, return_inverse=True)
    if len(instants) < MIN_OBSERVATIONS:
        return None
    rows = np.stack([np.bincount(at, losses), np.bincount(at).astype(np.float64)])
    spacing = float(np.median(np.diff(instants)))
    block = min(max(1.0, 2.0 * float(np.median(horizon_ms)) / spacing), len(instants) / _LARGEST_BLOCK)
    draws = resampled_sums(rows, resamples=RESAMPLES, block_length=block, rng=np.random.default_rng(0))
    return percentile_interval(1.0 - draws[:, 0] / draws[:, 1] / COIN_BRIER)


def calibration_curve(samples: Sequence[ForecastSample]) -> tuple[CurvePoint, ...]:
    """Calibration of forecasts taken together, in bins of equal mass; empty below twenty that have ended."""
    said = np.concatenate([np.empty(0), *(sample.p_up for sample in samples)])
    came = np.concatenate([np.empty(0), *(sample.outcome_return for sample in samples)])
    known = np.isfinite(came)
    said, up = said[known], came[known] > 0
    if len(said) < MIN_OBSERVATIONS:
        return ()
    order = np.argsort(said, kind="stable")
    points = []
    for part in np.array_split(order, min(BINS, len(order) // 10)):
        interval = wilson_interval(int(up[part].sum()), len(part))
        assert interval is not None, "no bin is empty"
        points.append(
            CurvePoint(said=float(said[part].mean()), rose=float(up[part].mean()), rose_ci95=interval, count=len(part))
        )
    return tuple(points)


def _models(home: Path | None) -> tuple[tuple[ModelRow, ...], str | None]:
    """The registered models that are not retired, the newest first; what stands in the way of reading them."""
    if home is None or not (home / "models" / "registry.sqlite").is_file():
        return (), None
    from trading.forecasting.record import ForecastRecord
    from trading.forecasting.registry import Registry, Stage

    try:
        registry = Registry(home)
        entries = [entry for entry in registry.entries() if entry.stage is not Stage.RETIRED]
        cards = [registry.card(entry) for entry in entries]
        with ForecastRecord(home) as record:
            scores = {(score.model_id, score.horizon_ms): score for score in record.scores()}
    except TradefloorError as error:
        return (), str(error)
    rows = []
    for entry, card in zip(entries, cards, strict=True):
        score = scores.get((entry.model_id, entry.key.horizon_ms))
        skills = () if score is None else score.skills
        skill = next((one for one in skills if (one.against, one.loss) == ("climatology", "crps")), None)
        rows.append(
            ModelRow(
                model_id=entry.model_id,
                instrument=entry.key.instrument,
                horizon=duration_text(entry.key.horizon_ms),
                stage=entry.stage.value,
                trained_to_ms=entry.trained_to_ms,
                crps_skill=card.scores.metrics.get("crps_skill"),
                crps_skill_ci95=card.scores.ci95.get("crps_skill"),
                coverage90=card.scores.metrics.get("coverage90"),
                recorded=0 if score is None else score.ended,
                recorded_coverage90=None if score is None else score.coverage90,
                recorded_skill=None if skill is None else skill.value,
                recorded_skill_ci95=None if skill is None else skill.ci95,
                recorded_p=None if skill is None else skill.p_value,
            )
        )
    return tuple(reversed(rows)), None

"""Training one instrument at one horizon: judged walk-forward on times no fold had seen, then fitted on all of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from trading.domain import duration_text, iso
from trading.domain.errors import DataError
from trading.forecasting import baselines
from trading.forecasting.boosting import (
    BoostingSettings,
    Finish,
    Heads,
    RawForecasts,
    fit_heads,
    joined_raw,
    learn_finish,
)
from trading.forecasting.conformal import adapt
from trading.forecasting.dataset import Dataset
from trading.forecasting.distribution import HIGH, LOW, Distributions, joined
from trading.forecasting.folds import Fold, before, walk_forward
from trading.forecasting.scores import Outcomes, Score, score
from trading.forecasting.targets import Targets, targets_of, uniqueness
from trading.marketdata import FloatArray, IntArray

Advance = Callable[[str, int, int], None]
"""Told what is being done, and how many of how many steps are."""

MIN_ROWS = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to train: ``test_share`` of the labelled bars at the end are judged on, in ``folds`` folds.

    ``test_from_ms`` names the first judged bar instead. ``overlap_weights`` weigh rows by how little they share.
    """

    horizon_ms: int
    steps: int
    folds: int = 4
    test_share: float = 0.3
    test_from_ms: int | None = None
    overlap_weights: bool = False
    settings: BoostingSettings = field(default_factory=BoostingSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldReport:
    """One fold: when it was judged, on how many bars, after how many rounds, and how it scored."""

    test_from_ms: int
    test_to_ms: int
    train_rows: int
    test_rows: int
    rounds: dict[str, int]
    scores: dict[str, Score]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A fitted model with everything that says how good it was before it was fitted.

    ``said`` are the forecasts out of sample at rows ``judged`` of the dataset, ``came`` what followed, ``floor`` what
    the baselines said; ``factor`` is where the adaptive intervals stood at the end. ``trained_to_ms`` is the close of
    the last bar that taught anything.
    """

    plan: Plan
    names: tuple[str, ...]
    heads: Heads
    finish: Finish
    factor: float
    trained_from_ms: int
    trained_to_ms: int
    folds: tuple[FoldReport, ...]
    scores: dict[str, Score]
    baseline_scores: dict[str, dict[str, Score]]
    floor: dict[str, Distributions]
    judged: IntArray
    said: Distributions
    came: Outcomes


def train(dataset: Dataset, plan: Plan, *, advance: Advance | None = None) -> Trained:
    """Judge and fit. Raises DataError or RequestError for data that cannot carry it."""
    told = advance or (lambda *_: None)
    total = 3 * (plan.folds + 1) + 2
    done = 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        told(what, done, total)

    targets = targets_of(dataset.frame, plan.steps)
    rows = labelled_rows(dataset, targets)
    weights = overlap_weights(targets) if plan.overlap_weights else None
    folds = folds_of(dataset, rows, plan)
    raws: list[RawForecasts] = []
    parts, rounds = [], []
    for number, fold in enumerate(folds, 1):
        heads, late = fit_heads(
            dataset.values,
            targets,
            fold.train,
            plan.settings,
            weights=weights,
            on_head=partial(_say, step, f"fold {number} of {plan.folds}"),
        )
        finish = _finish(heads, dataset, targets, late, folds[: number - 1], raws, before_row=int(fold.test[0]))
        raw = heads.predict(dataset.values[fold.test])
        parts.append(finish(raw))
        raws.append(raw)
        rounds.append(heads.rounds)
    said, factor = adapted(joined(parts), targets, np.concatenate([fold.test for fold in folds]))
    judged = np.concatenate([fold.test for fold in folds])
    came = Outcomes(log_return=targets.log_return[judged], realised=targets.realised[judged])
    step("baselines")
    floor = baselines.quick_baselines(dataset.frame, targets, folds)
    scores = score(said, came, climatology=floor["climatology"], steps=plan.steps)
    baseline_scores = {
        name: score(other, came, climatology=floor["climatology"], steps=plan.steps) for name, other in floor.items()
    }
    step("scores")
    heads, late = fit_heads(
        dataset.values,
        targets,
        rows,
        plan.settings,
        weights=weights,
        on_head=partial(_say, step, "all of it"),
    )
    finish = _finish(heads, dataset, targets, late, folds, raws, before_row=None)
    return Trained(
        plan=plan,
        names=dataset.names,
        heads=heads,
        finish=finish,
        factor=factor,
        trained_from_ms=int(dataset.frame.open_ms[rows[0]]),
        trained_to_ms=int(dataset.frame.open_ms[-1]) + dataset.frame.step_ms,
        folds=_fold_reports(dataset, folds, rounds, said, came, floor["climatology"], plan.steps),
        scores=scores,
        baseline_scores=baseline_scores,
        floor=floor,
        judged=judged,
        said=said,
        came=came,
    )


def _say(step: Callable[[str], None], what: str, head: str) -> None:
    step(f"{what}: {head}")


def labelled_rows(dataset: Dataset, targets: Targets) -> IntArray:
    """The rows that can be learnt from. Raises DataError where there are too few."""
    rows = np.flatnonzero(dataset.usable & targets.known)
    if len(rows) < MIN_ROWS:
        raise DataError(
            f"{dataset.frame.instrument}: {len(rows)} of {len(dataset)} bars have features and an outcome "
            f"{duration_text(targets.steps * dataset.frame.step_ms)} later, expected at least {MIN_ROWS}; "
            "give it more history"
        )
    return rows


def folds_of(dataset: Dataset, rows: IntArray, plan: Plan) -> list[Fold]:
    """The walk-forward folds of a plan. Raises DataError where the first one has too little to learn from."""
    if plan.test_from_ms is not None:
        first = int(np.searchsorted(dataset.frame.open_ms, plan.test_from_ms))
    else:
        first = int(rows[int(len(rows) * (1.0 - plan.test_share))])
    folds = walk_forward(rows, first_test=first, folds=plan.folds, steps=plan.steps)
    if len(folds[0].train) < MIN_ROWS // 2:
        raise DataError(
            f"{dataset.frame.instrument}: {len(folds[0].train)} labelled bars before "
            f"{iso(int(dataset.frame.open_ms[first]))}, expected at least {MIN_ROWS // 2} to learn from before the "
            "first judged one"
        )
    return folds


def overlap_weights(targets: Targets) -> FloatArray:
    """Average uniqueness of each label, scaled to a mean of 1 over the known ones."""
    weights = uniqueness(np.where(targets.known, float(targets.steps), np.nan))
    return np.asarray(weights / np.nanmean(weights))


def adapted(said: Distributions, targets: Targets, rows: IntArray) -> tuple[Distributions, float]:
    """``said`` of consecutive ``rows`` with adaptive widths, and the factor that stands after the last."""
    factors, last = adapt(
        said.quantiles[:, LOW], said.quantiles[:, HIGH], targets.log_return[rows], steps=targets.steps
    )
    return replace(said, quantiles=said.quantiles * factors[:, np.newaxis]), last


def _finish(
    heads: Heads,
    dataset: Dataset,
    targets: Targets,
    late: IntArray,
    past: list[Fold],
    raws: list[RawForecasts],
    *,
    before_row: int | None,
) -> Finish:
    """The finish from the later part of the training rows and the folds judged before, as far as known by then."""
    if past:
        rows = np.concatenate([fold.test for fold in past])
        raw = joined_raw(raws)
    else:
        rows, raw = late, heads.predict(dataset.values[late])
    if before_row is not None:
        known = len(before(rows, before_row, targets.steps))
        rows, raw = rows[:known], raw.rows(slice(0, known))
    return learn_finish(raw, targets, rows)


def _fold_reports(
    dataset: Dataset,
    folds: list[Fold],
    rounds: list[dict[str, int]],
    said: Distributions,
    came: Outcomes,
    climatology: Distributions,
    steps: int,
) -> tuple[FoldReport, ...]:
    reports, begin = [], 0
    for fold, grown in zip(folds, rounds, strict=True):
        pick = slice(begin, begin + len(fold.test))
        begin += len(fold.test)
        part = Outcomes(log_return=came.log_return[pick], realised=came.realised[pick])
        reports.append(
            FoldReport(
                test_from_ms=int(dataset.frame.open_ms[fold.test[0]]),
                test_to_ms=int(dataset.frame.open_ms[fold.test[-1]]),
                train_rows=len(fold.train),
                test_rows=len(fold.test),
                rounds=grown,
                scores=score(said.rows(pick), part, climatology=climatology.rows(pick), steps=steps),
            )
        )
    return tuple(reports)

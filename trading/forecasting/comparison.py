"""Every model side by side on the same bars: the trained one, the ensemble, and the floor."""

from dataclasses import dataclass

import numpy as np

from trading.forecasting.dataset import Dataset
from trading.forecasting.distribution import Distributions
from trading.forecasting.ensemble import combine
from trading.forecasting.folds import Fold
from trading.forecasting.losses import PairedTest, diebold_mariano, qlike
from trading.forecasting.scores import Outcomes, Score, score
from trading.forecasting.statistical import statistical_baselines
from trading.forecasting.targets import targets_of
from trading.forecasting.training import Advance, Plan, folds_of, labelled_rows, train
from trading.marketdata import IntArray

MEMBERS = ("boosting", "har", "garch", "ewma")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Scores by model over ``judged`` forecasts (ARIMA, ETS and Theta on fewer of the same, against climatology there).

    ``against_ewma`` tests each model's QLIKE against that of EWMA; negative is better.
    """

    judged: int
    scores: dict[str, dict[str, Score]]
    against_ewma: dict[str, PairedTest | None]


def compare(dataset: Dataset, plan: Plan, *, advance: Advance | None = None) -> Comparison:
    """Train as planned and score everything on the same test rows."""
    trained = train(dataset, plan, advance=advance)
    targets = targets_of(dataset.frame, plan.steps)
    folds = folds_of(dataset, labelled_rows(dataset, targets), plan)
    floor = trained.floor
    models: dict[str, Distributions] = {"boosting": trained.said, **floor}
    together = combine({name: models[name] for name in MEMBERS}, trained.came.log_return, steps=plan.steps)
    models = {"boosting": trained.said, "ensemble": together.said, **floor}
    ground = floor["climatology"]
    scores = {
        "boosting": trained.scores,
        "ensemble": score(together.said, trained.came, climatology=ground, steps=plan.steps),
        **trained.baseline_scores,
    }
    ewma = qlike(floor["ewma"].volatility, trained.came.realised)
    tests = {
        name: diebold_mariano(qlike(said.volatility, trained.came.realised), ewma, steps=plan.steps)
        for name, said in models.items()
        if name != "ewma"
    }
    scores |= _statistical(dataset, folds, trained.judged, trained.came, ground, plan)
    return Comparison(judged=len(trained.judged), scores=scores, against_ewma=tests)


def _statistical(
    dataset: Dataset, folds: list[Fold], judged: IntArray, came: Outcomes, ground: Distributions, plan: Plan
) -> dict[str, dict[str, Score]]:
    rows, found = statistical_baselines(dataset.frame, targets_of(dataset.frame, plan.steps), folds)
    at = np.searchsorted(judged, rows)
    part = Outcomes(log_return=came.log_return[at], realised=came.realised[at])
    return {name: score(said, part, climatology=ground.rows(at), steps=1) for name, said in found.items()}

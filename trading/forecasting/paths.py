"""How much a model's scores depend on the path that history took: combinatorial purged cross-validation.

Every choice of some blocks of time is judged once by a model of the others (Lopez de Prado 2018, ch. 12; the folds are
skfolio's). Models also learn from what came after the judged blocks, so this says how much a score wanders from path to
path, not what could have been earned: models are judged walk-forward before they are registered.
"""

import math
from dataclasses import dataclass

import numpy as np

from trading.forecasting.baselines import climatology
from trading.forecasting.boosting import fit_heads, learn_finish
from trading.forecasting.dataset import Dataset
from trading.forecasting.folds import combinatorial
from trading.forecasting.scores import Outcomes, score
from trading.forecasting.targets import targets_of
from trading.forecasting.training import Advance, Plan, labelled_rows
from trading.marketdata import FloatArray

BLOCKS, TESTS = 6, 2
METRICS = ("accuracy", "auc", "brier_skill", "crps_skill", "coverage90", "qlike", "log_volatility_rmse")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathScores:
    """The scores of each split by name, shape (splits,), NaN where one is not known. Intervals are not adapted."""

    blocks: int
    tests: int
    scores: dict[str, FloatArray]

    @property
    def splits(self) -> int:
        """How many choices of blocks were judged."""
        return math.comb(self.blocks, self.tests)


def path_scores(
    dataset: Dataset, plan: Plan, *, blocks: int = BLOCKS, tests: int = TESTS, advance: Advance | None = None
) -> PathScores:
    """Train and judge every choice of ``tests`` out of ``blocks`` blocks. Raises DataError for too little history."""
    targets = targets_of(dataset.frame, plan.steps)
    rows = labelled_rows(dataset, targets)
    total = math.comb(blocks, tests)
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for done, fold in enumerate(combinatorial(rows, blocks=blocks, tests=tests, steps=plan.steps), 1):
        heads, late = fit_heads(dataset.values, targets, fold.train, plan.settings)
        said = learn_finish(heads.predict(dataset.values[late]), targets, late)(
            heads.predict(dataset.values[fold.test])
        )
        came = Outcomes(log_return=targets.log_return[fold.test], realised=targets.realised[fold.test])
        ground = climatology(targets, fold.train, len(fold.test))
        scores = score(said, came, climatology=ground, steps=plan.steps)
        for name in METRICS:
            value = scores[name].value
            found[name].append(math.nan if value is None else value)
        if advance is not None:
            advance(f"split {done}", done, total)
    return PathScores(blocks=blocks, tests=tests, scores={name: np.array(values) for name, values in found.items()})

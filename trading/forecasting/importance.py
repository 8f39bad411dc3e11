"""Which features a model lives on: by what it loses without each one, on times it was not fitted on.

Permutation importance (Breiman 2001; Fisher, Rudin & Dominici 2019) on the test rows of every walk-forward fold, for
several seeds, beside the gain that the trees themselves counted. A feature that matters does so in every fold; how much
folds and seeds agree is told by rank correlations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.features.registry import by_name
from trading.forecasting.boosting import Heads, fit_heads
from trading.forecasting.dataset import Dataset
from trading.forecasting.folds import Fold
from trading.forecasting.losses import PairedTest, diebold_mariano
from trading.forecasting.targets import Targets, targets_of
from trading.forecasting.training import Advance, Plan, folds_of, labelled_rows
from trading.marketdata import FloatArray, IntArray

MAX_JUDGED = 3000
"""Rows of a fold that are permuted: enough for a mean, few enough for a hundred and fifty features."""

TOP = 10
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """Importances by feature, and how far they can be trusted.

    ``permutation`` is the rise of the head's loss when the feature is shuffled, as a share of the loss; its standard
    error is over folds and seeds. ``gain`` is the share of the trees' gain. ``groups`` permutes all features of a group
    together. The stabilities are mean rank correlations of the permutation importances; None where there is one only.
    """

    head: str
    names: tuple[str, ...]
    permutation: FloatArray
    standard_error: FloatArray
    gain: FloatArray
    groups: dict[str, float]
    fold_stability: float | None
    seed_stability: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """What became of the model without the features that never helped: losses of both, pruned less full."""

    dropped: tuple[str, ...]
    kept: tuple[str, ...]
    full_loss: float
    pruned_loss: float
    test: PairedTest | None


def importance(
    dataset: Dataset, plan: Plan, *, head: str, seeds: Sequence[int] = (0, 1), advance: Advance | None = None
) -> Importance:
    """The importances of a head over the plan's folds and ``seeds``."""
    targets = targets_of(dataset.frame, plan.steps)
    folds = folds_of(dataset, labelled_rows(dataset, targets), plan)
    members = _members(dataset.names)
    found, grouped, gains = [], [], []
    for number, seed in enumerate(seeds):
        settings = plan.settings.model_copy(update={"seed": seed})
        for at, fold in enumerate(folds):
            heads, _ = fit_heads(dataset.values, targets, fold.train, settings, heads=(head,))
            rng = np.random.default_rng([seed, at])
            found.append(
                _permuted(heads, dataset, targets, fold, head, [[one] for one in range(len(dataset.names))], rng)
            )
            grouped.append(_permuted(heads, dataset, targets, fold, head, list(members.values()), rng))
            gains.append(_gain(heads, head, len(dataset.names)))
            if advance is not None:
                advance(f"fold {at + 1}, seed {seed}", number * len(folds) + at + 1, len(seeds) * len(folds))
    table = np.array(found).reshape(len(seeds), len(folds), -1)
    flat = table.reshape(-1, table.shape[-1])
    return Importance(
        head=head,
        names=dataset.names,
        permutation=flat.mean(axis=0),
        standard_error=flat.std(axis=0, ddof=1) / np.sqrt(len(flat)),
        gain=np.mean(gains, axis=0),
        groups=dict(zip(members, np.mean(grouped, axis=0).tolist(), strict=True)),
        fold_stability=_agreement(table.mean(axis=0)),
        seed_stability=_agreement(table.mean(axis=1)),
    )


def prune(dataset: Dataset, plan: Plan, found: Importance) -> Pruning:
    """Drop what is not clearly above zero, and measure what that does, walk-forward on the same folds.

    The features were chosen on the same test rows, which flatters the pruned model: an indication, not a proof. The
    paired test is Diebold-Mariano on all test rows.
    """
    worth = found.permutation > found.standard_error
    kept = tuple(name for name, keep in zip(found.names, worth, strict=True) if keep) or found.names
    dropped = tuple(name for name in found.names if name not in kept)
    targets = targets_of(dataset.frame, plan.steps)
    folds = folds_of(dataset, labelled_rows(dataset, targets), plan)
    full, pruned = (_losses(each, targets, folds, plan, found.head) for each in (dataset, dataset.only(kept)))
    return Pruning(
        dropped=dropped,
        kept=kept,
        full_loss=float(full.mean()),
        pruned_loss=float(pruned.mean()),
        test=diebold_mariano(pruned, full, steps=plan.steps),
    )


def report(found: Importance, *, model_type: str, at: str, pruning: Pruning | None = None) -> dict[str, object]:
    """The importances as one document: the best features and groups, and what they recommend."""
    order = np.argsort(-found.permutation)
    groups = sorted(found.groups.items(), key=lambda item: -item[1])
    total = sum(max(0.0, value) for _, value in groups) or 1.0
    document: dict[str, object] = {
        "timestamp": at,
        "analysis_type": "feature_importance",
        "model_type": model_type,
        "target": found.head,
        "feature_count": len(found.names),
        "top_features_permutation": {found.names[one]: float(found.permutation[one]) for one in order[:TOP]},
        "standard_errors": {found.names[one]: float(found.standard_error[one]) for one in order[:TOP]},
        "top_features_gain": {found.names[one]: float(found.gain[one]) for one in np.argsort(-found.gain)[:TOP]},
        "top_categories": {name: max(0.0, value) / total for name, value in groups},
        "stability": {"across_folds": found.fold_stability, "across_seeds": found.seed_stability},
        "recommendations": {
            "features_to_prioritize": [
                found.names[one] for one in order[:SHOWN] if found.permutation[one] > 2 * found.standard_error[one]
            ],
            "features_to_reconsider": [found.names[one] for one in order[::-1][:SHOWN]],
            "categories_to_prioritize": [name for name, value in groups if value / total > 1.0 / len(groups)],
            "categories_to_reconsider": [name for name, value in groups if value <= 0.0],
        },
    }
    if pruning is not None:
        document["pruning"] = {
            "dropped": len(pruning.dropped),
            "kept": list(pruning.kept),
            "loss_full": pruning.full_loss,
            "loss_pruned": pruning.pruned_loss,
            "p_value": None if pruning.test is None else pruning.test.p_value,
        }
    return document


def _members(names: Sequence[str]) -> dict[str, list[int]]:
    known = by_name()
    found: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        found.setdefault(known[name].group.value, []).append(at)
    return found


def _permuted(
    heads: Heads,
    dataset: Dataset,
    targets: Targets,
    fold: Fold,
    head: str,
    sets: Sequence[Sequence[int]],
    rng: np.random.Generator,
) -> FloatArray:
    """The relative rise of the loss on the fold's test rows with each set of columns shuffled, shape (sets,)."""
    rows = fold.test
    if len(rows) > MAX_JUDGED:
        rows = np.sort(rng.choice(rows, MAX_JUDGED, replace=False))
    values = dataset.values[rows]
    base = float(_loss(heads, values, targets, rows, head).mean())
    shuffled = rng.permutation(len(rows))
    rises = []
    for columns in sets:
        moved = values.copy()
        moved[:, columns] = values[shuffled][:, columns]
        rises.append(float(_loss(heads, moved, targets, rows, head).mean()) / base - 1.0)
    return np.array(rises)


def _loss(heads: Heads, values: FloatArray, targets: Targets, rows: IntArray, head: str) -> FloatArray:
    said = np.asarray(heads.boosters[head].inplace_predict(values), np.float64)
    if head == "volatility":
        return np.asarray((said - targets.log_volatility[rows]) ** 2)
    p = np.clip(said, 1e-6, 1.0 - 1e-6)
    up = targets.up[rows]
    return np.asarray(-(up * np.log(p) + (1.0 - up) * np.log(1.0 - p)))


def _losses(dataset: Dataset, targets: Targets, folds: list[Fold], plan: Plan, head: str) -> FloatArray:
    parts = []
    for fold in folds:
        heads, _ = fit_heads(dataset.values, targets, fold.train, plan.settings, heads=(head,))
        parts.append(_loss(heads, dataset.values[fold.test], targets, fold.test, head))
    return np.concatenate(parts)


def _gain(heads: Heads, head: str, count: int) -> FloatArray:
    found = np.zeros(count)
    for name, value in heads.boosters[head].get_score(importance_type="total_gain").items():
        found[int(name[1:])] = float(value)
    return found / max(float(found.sum()), 1e-12)


def _agreement(rows: FloatArray) -> float | None:
    """Mean Spearman correlation between the rows, over their pairs."""
    from scipy.stats import spearmanr

    if len(rows) < 2:
        return None
    pairs = [
        float(spearmanr(rows[first], rows[second]).statistic)
        for first in range(len(rows))
        for second in range(first + 1, len(rows))
    ]
    return float(np.mean(pairs))

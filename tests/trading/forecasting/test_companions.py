"""What stands beside a model: the ensemble, drift, retraining, importance."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.trading.forecasting.markets import garch, random_walk
from tests.trading.forecasting.test_training import OF_VOLATILITY, few, plan
from trading.features.registry import by_name
from trading.forecasting.bundle import Spread
from trading.forecasting.distribution import LEVELS, Distributions
from trading.forecasting.drift import adaptive_window, shifted_features, stability_index
from trading.forecasting.ensemble import combine
from trading.forecasting.importance import importance, prune, report
from trading.forecasting.losses import crps
from trading.forecasting.statistical import NAMES, statistical_baselines
from trading.forecasting.targets import targets_of
from trading.forecasting.training import folds_of, labelled_rows

NORMAL = np.array([-1.6449, *(0.0,) * 17, 1.6449])


def said(deviation: float, count: int) -> Distributions:
    from scipy.stats import norm

    sigma = np.full(count, deviation)
    quantiles = sigma[:, None] * np.asarray(norm.ppf(LEVELS))
    return Distributions(p_up=np.full(count, 0.5), quantiles=quantiles, volatility=sigma, typical=sigma)


def test_the_ensemble_turns_to_who_is_right_and_back_without_looking_ahead() -> None:
    rng = np.random.default_rng(1)
    n = 8000
    outcomes = rng.normal(size=n) * np.where(np.arange(n) < 4000, 1.0, 4.0)
    members = {"narrow": said(1.0, n), "wide": said(4.0, n)}
    found = combine(members, outcomes, steps=24)
    assert found.weights[:24] == pytest.approx(np.full((24, 2), 0.5))
    assert found.weights[3999, 0] > 0.9
    assert found.weights[-1, 1] > 0.9
    alone = [crps(member.quantiles, outcomes).mean() for member in members.values()]
    assert crps(found.said.quantiles, outcomes).mean() < min(alone)
    changed = outcomes.copy()
    changed[5000:] = 99.0
    np.testing.assert_array_equal(combine(members, changed, steps=24).weights[:5024], found.weights[:5024])


def test_stability_index_by_hand_and_on_noise() -> None:
    spread = Spread(edges=(0.0,) * 0 + (-1.0, 0.0, 1.0), unknown=0.0)
    even = np.array([-2.0, -0.5, 0.5, 2.0] * 25)
    assert stability_index(spread, even) == pytest.approx(0.0, abs=2e-3)
    moved = np.array([-2.0, -0.5] * 50)
    by_hand = 2 * (0.5 - 0.25) * np.log(0.5 / 0.25) + 2 * (1e-4 - 0.25) * np.log(1e-4 / 0.25)
    assert stability_index(spread, moved) == pytest.approx(by_hand, rel=1e-2)
    rng = np.random.default_rng(3)
    edges = tuple(np.quantile(rng.normal(size=50_000), np.arange(1, 10) / 10).tolist())
    spreads = {"a": Spread(edges=edges, unknown=0.0), "b": Spread(edges=edges, unknown=0.0)}
    values = np.stack([rng.normal(size=500), rng.normal(1.0, 1, 500)], axis=1)
    assert list(shifted_features(spreads, ("a", "b"), values)) == ["b"]


def test_the_adaptive_window_finds_a_change_and_raises_no_false_alarms() -> None:
    rng = np.random.default_rng(4)
    alarms = sum(adaptive_window(rng.normal(size=800)) is not None for _ in range(100))
    assert alarms <= 2
    stream = np.concatenate([rng.normal(0, 1, 500), rng.normal(1.5, 1, 300)])
    found = adaptive_window(stream)
    assert found is not None
    assert abs(found.at - 500) < 30
    assert found.after > found.before + 1


def test_importance_finds_the_feature_that_matters_and_what_it_can_do_without() -> None:
    frame, _ = garch(5000, seed=5)
    dataset = few(frame, OF_VOLATILITY)
    rng = np.random.default_rng(6)
    values = dataset.values.copy()
    targets = targets_of(frame, 4)
    values[:, 0] = np.nan_to_num(targets.log_volatility) + 0.1 * rng.normal(size=len(frame))  # nearly the answer
    values[:, 1:3] = rng.normal(size=(len(frame), 2))
    dataset = replace(dataset, values=values)
    found = importance(dataset, plan(4), head="volatility", seeds=(0, 1))
    names = OF_VOLATILITY
    assert names[int(np.argmax(found.permutation))] == names[0]
    assert names[int(np.argmax(found.gain))] == names[0]
    assert abs(found.permutation[1]) < 0.01 * found.permutation[0]
    assert max(found.groups, key=lambda group: found.groups[group]) == by_name()[names[0]].group.value
    assert found.seed_stability is not None
    pruned = prune(dataset, plan(4), found)
    assert names[0] in pruned.kept
    document: Any = report(found, model_type="XGBoost", at="2025-01-01T00:00:00Z", pruning=pruned)
    assert next(iter(document["top_features_permutation"])) == names[0]
    assert sum(document["top_categories"].values()) == pytest.approx(1.0)
    assert set(document["recommendations"]) == {
        "features_to_prioritize",
        "features_to_reconsider",
        "categories_to_prioritize",
        "categories_to_reconsider",
    }


def test_classical_models_are_judged_on_test_rows_and_know_no_future() -> None:
    frame = random_walk(6000, seed=7)
    targets = targets_of(frame, 24)
    dataset = few(frame)
    folds = folds_of(dataset, labelled_rows(dataset, targets), plan(24))
    rows, found = statistical_baselines(frame, targets, folds)
    assert set(found) == set(NAMES)
    assert np.isin(rows, np.concatenate([fold.test for fold in folds])).all()
    for name in NAMES:
        inside = (targets.log_return[rows] >= found[name].quantiles[:, 0]) & (
            targets.log_return[rows] <= found[name].quantiles[:, -1]
        )
        assert 0.75 < inside.mean() <= 1.0, name
        assert np.median(found[name].volatility) == pytest.approx(0.005 * np.sqrt(24), rel=0.25)

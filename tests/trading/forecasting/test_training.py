"""Training: it learns where there is something to learn, finds nothing where there is nothing, and names what leaks."""

from dataclasses import replace

import numpy as np
import pytest

from tests.trading.forecasting.markets import HOUR_MS, autoregressive, drifting_regimes, frame_from, garch, random_walk
from trading.domain.errors import DataError, RequestError
from trading.features.frame import FeatureFrame
from trading.features.lookahead import look_ahead
from trading.features.registry import chosen
from trading.features.vector import compute
from trading.forecasting import baselines
from trading.forecasting.boosting import BoostingSettings, fit_heads
from trading.forecasting.dataset import Dataset, frame_sha256, make_dataset
from trading.forecasting.leaks import too_good
from trading.forecasting.losses import qlike
from trading.forecasting.paths import path_scores
from trading.forecasting.scores import Outcomes, score
from trading.forecasting.targets import targets_of
from trading.forecasting.training import Plan, Trained, folds_of, labelled_rows, train
from trading.marketdata import FloatArray
from trading.stats import brier_skill

FEW = ("return_1", "return_3", "return_12", "return_24", "return_72", "return_zscore_72", "ewma_volatility", "range")
OF_VOLATILITY = (*FEW, "volatility_6", "volatility_24", "volatility_72", "true_range_fraction")
QUICK = BoostingSettings(depth=3, rounds=80, leaf_weight=50.0, columns=0.8, rate=0.15, threads=1, patience=10)


def plan(steps: int, folds: int = 2) -> Plan:
    return Plan(horizon_ms=steps * HOUR_MS, steps=steps, folds=folds, settings=QUICK)


def few(frame: FeatureFrame, names: tuple[str, ...] = FEW) -> Dataset:
    return Dataset(frame=frame, names=names, values=vectors(frame, names), data_sha256=frame_sha256(frame))


def vectors(frame: FeatureFrame, names: tuple[str, ...] = FEW) -> np.ndarray:
    return np.ascontiguousarray(compute(frame, chosen(names)).values.T, np.float32)


def trained_on(frame: FeatureFrame, steps: int, names: tuple[str, ...] = FEW) -> tuple[Dataset, Trained]:
    dataset = few(frame, names)
    return dataset, train(dataset, plan(steps))


def skills(said: Trained, oracle: np.ndarray) -> tuple[float, float]:
    up = np.where(said.came.log_return > 0, 1.0, 0.0)
    mine = brier_skill(said.said.p_up, up, reference=0.5)
    best = brier_skill(oracle[said.judged], up, reference=0.5)
    assert mine is not None
    assert best is not None
    return mine, best


@pytest.mark.slow
def test_it_comes_within_a_fifth_of_the_oracle_on_autoregressive_returns() -> None:
    frame, oracle = autoregressive(10_000, seed=0)
    _, found = trained_on(frame, 1)
    mine, best = skills(found, oracle)
    assert best > 0.03
    assert mine > 0.8 * best
    assert abs((found.scores["coverage90"].value or 0) - 0.9) < 0.02


@pytest.mark.slow
def test_it_comes_within_a_fifth_of_the_oracle_on_drifting_regimes() -> None:
    frame, oracle = drifting_regimes(10_000, seed=0)
    mine, best = skills(trained_on(frame, 1)[1], oracle)
    assert best > 0.08
    assert mine > 0.8 * best


@pytest.mark.slow
def test_volatility_comes_within_a_fifth_of_the_oracle_on_garch() -> None:
    frame, following = garch(10_000, seed=1)
    _, found = trained_on(frame, 4, OF_VOLATILITY)
    mean = 0.004**2
    ahead = 4 * mean + (following[found.judged] - mean) * (1 - 0.95**4) / 0.05

    def loss(volatility: np.ndarray) -> float:
        return float(np.nanmean(qlike(volatility, found.came.realised)))

    ground = loss(found.floor["climatology"].volatility)
    best = ground - loss(np.sqrt(ahead))
    assert ground - loss(found.floor["garch"].volatility) > 0.8 * best
    assert ground - loss(found.said.volatility) > 0.8 * best


def area(dataset: Dataset, up: np.ndarray, seed: int = 0) -> float:
    """Area under the ROC curve of the direction head on the last part of the bars."""
    from sklearn.metrics import roc_auc_score

    targets = replace(targets_of(dataset.frame, 1), up=up)
    rows = labelled_rows(dataset, targets)
    fold = folds_of(dataset, rows, plan(1, folds=1))[0]
    settings = QUICK.model_copy(update={"seed": seed, "rounds": 30})
    heads, _ = fit_heads(dataset.values, targets, fold.train, settings, heads=("direction",))
    said = heads.boosters["direction"].inplace_predict(dataset.values[fold.test])
    return float(roc_auc_score(up[fold.test], said))


def test_shuffled_labels_leave_a_coin() -> None:
    frame, _ = autoregressive(6000, seed=2, phi=0.4)
    dataset = few(frame)
    up = targets_of(frame, 1).up
    known = np.isfinite(up)
    rng = np.random.default_rng(3)
    areas = []
    for _ in range(10):
        shuffled = up.copy()
        shuffled[known] = rng.permutation(up[known])
        areas.append(area(dataset, shuffled))
    error = np.std(areas, ddof=1) / np.sqrt(len(areas))
    assert abs(np.mean(areas) - 0.5) < 3 * error + 0.005
    assert area(dataset, up) > 0.6  # the labels as they are can be learnt


@pytest.mark.slow
def test_random_walks_give_no_skill() -> None:
    gains = []
    for seed in range(20):
        frame = random_walk(4000, seed=seed)
        dataset = few(frame)
        gains.append(area(dataset, targets_of(frame, 1).up, seed) - 0.5)
    error = float(np.std(gains, ddof=1) / np.sqrt(len(gains)))
    assert abs(float(np.mean(gains))) < 2.5 * error + 0.003
    assert error < 0.01


def test_a_feature_from_the_future_is_named_and_looks_too_good() -> None:
    frame = random_walk(4000, seed=5)
    dataset = few(frame)

    def honest(part: FeatureFrame) -> dict[str, FloatArray]:
        return compute(part, chosen(FEW)).by_name()

    def leaking(part: FeatureFrame) -> dict[str, FloatArray]:
        known = honest(part)[FEW[1]]
        return {**honest(part), FEW[1]: np.append(known[1:], np.nan)}

    assert look_ahead(honest, frame, samples=8).moved == ()
    assert look_ahead(leaking, frame, samples=8).moved == (FEW[1],)
    up = targets_of(frame, 1).up
    planted = dataset.values.copy()
    planted[:-1, 1] = planted[1:, 1]
    assert area(dataset, up) < 0.55
    assert area(replace(dataset, values=planted), up) > 0.65
    assert list(too_good(planted, up, FEW)) == [FEW[1]]
    assert too_good(dataset.values, up, FEW) == {}


def test_climatology_has_no_skill_against_itself_and_the_floor_is_calibrated() -> None:
    frame, _ = garch(5000, seed=7)
    targets = targets_of(frame, 4)
    dataset = few(frame)
    folds = folds_of(dataset, labelled_rows(dataset, targets), plan(4))
    floor = baselines.quick_baselines(frame, targets, folds)
    rows = np.concatenate([fold.test for fold in folds])
    came = Outcomes(log_return=targets.log_return[rows], realised=targets.realised[rows])
    for name, said in floor.items():
        found = score(said, came, climatology=floor["climatology"], steps=4)
        assert abs((found["coverage90"].value or 0) - 0.9) < 0.04, name
        assert (found["crps_skill"].value == pytest.approx(0.0)) is (name == "climatology")


def test_garch_forecasts_are_the_closed_form() -> None:
    frame, following = garch(3000, seed=8)
    moves = np.diff(np.log(frame.columns["close"]), prepend=np.log(100.0)) / 0.004
    found = baselines.garch_variance(moves, 0.05, 0.1, 0.85, 1)
    assert found[100:] == pytest.approx(following[100:] / 0.004**2, rel=1e-3)
    long = baselines.garch_variance(moves, 0.05, 0.1, 0.85, 10_000)
    assert long / 10_000 == pytest.approx(np.ones(3000), rel=0.01)


def test_what_cannot_be_learnt_from_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="BTC-USDT 1h: 800 bars, a model needs at least 2500"):
        make_dataset(random_walk(800, seed=1))
    with pytest.raises(DataError, match="price stood still in 100%"):
        make_dataset(frame_from(np.zeros(3000)))
    dataset = few(random_walk(2600, seed=1))
    with pytest.raises(RequestError, match="at least 50 a fold"):
        train(dataset, plan(24, folds=40))
    with pytest.raises(DataError, match="to learn from before the first judged one"):
        train(dataset, replace(plan(24), test_from_ms=int(dataset.frame.open_ms[300])))


def test_vectors_are_kept_by_content_and_a_damaged_file_is_made_anew(tmp_path) -> None:
    frame = random_walk(2600, seed=9)
    first = make_dataset(frame, cache_folder=tmp_path)
    (file,) = tmp_path.iterdir()
    again = make_dataset(frame, cache_folder=tmp_path)
    np.testing.assert_array_equal(first.values, again.values)
    whole = file.read_bytes()
    file.write_bytes(whole[:5000] + bytes(500) + whole[5500:])
    np.testing.assert_array_equal(make_dataset(frame, cache_folder=tmp_path).values, first.values)
    assert file.read_bytes() == whole
    other = dict(frame.columns, close=frame.columns["close"] * 1.0001)
    make_dataset(replace(frame, columns=other), cache_folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_paths_find_the_edge_on_every_path_and_none_in_noise() -> None:
    frame, _ = autoregressive(6000, seed=4, phi=0.4)
    found = path_scores(few(frame), plan(1), blocks=4, tests=2)
    assert found.splits == 6
    assert set(found.scores) >= {"auc", "brier_skill", "crps_skill", "coverage90"}
    assert all(values.shape == (6,) for values in found.scores.values())
    assert found.scores["auc"].min() > 0.58
    assert found.scores["coverage90"] == pytest.approx(np.full(6, 0.9), abs=0.04)
    noise = path_scores(few(random_walk(6000, seed=6)), plan(1), blocks=4, tests=2)
    assert abs(noise.scores["auc"].mean() - 0.5) < 0.02
    assert noise.scores["brier_skill"].max() < 0.01

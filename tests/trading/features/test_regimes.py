"""Regimes: planted ones are found, noise has few, names stay, and bar by bar is as over a frame."""

from dataclasses import replace

import numpy as np
import pytest

from tests.trading.features.planted import HOUR_MS, START_MS, frame_of_ticks, noise, planted
from trading.domain.errors import DataError
from trading.features.frame import FeatureFrame
from trading.features.regimes import METHODS, Regime, RegimeSeries, RegimeSettings, RegimeTracker, regime_series
from trading.features.regimes.fit import fit_of
from trading.features.regimes.inputs import regime_inputs
from trading.features.regimes.mixture import posterior
from trading.features.regimes.regime import REGIMES, agreement, reading
from trading.features.regimes.rules import rule_probs
from trading.features.regimes.series import ChangeWatch, latest_regime

SMALL = RegimeSettings(trend=24, volatility=12, baseline=60, fit_bars=150, least_fit=60, refit=48)


@pytest.fixture(scope="module")
def market() -> tuple[FeatureFrame, np.ndarray, np.ndarray]:
    return planted(0, 3500)


@pytest.fixture(scope="module")
def told(market: tuple[FeatureFrame, np.ndarray, np.ndarray]) -> RegimeSeries:
    return regime_series(market[0])


def test_planted_regimes_are_found(market: tuple[FeatureFrame, np.ndarray, np.ndarray], told: RegimeSeries) -> None:
    _, states, oracle = market
    known = ~np.isnan(told.confidence)
    found = told.probs[known].argmax(axis=1)
    right, best = (found == states[known]).mean(), (oracle[known] == states[known]).mean()
    assert right > 0.7 * best
    for regime in range(4):
        assert (found[states[known] == regime] == regime).mean() > 0.35, REGIMES[regime]
    opposite = ((found == 0) & (states[known] == 1)) | ((found == 1) & (states[known] == 0))
    assert opposite.mean() < 0.05
    for row, method in enumerate(METHODS):
        assert (told.methods[row, known].argmax(axis=1) == states[known]).mean() > 0.4, method


def test_those_that_agree_are_right_more_often(
    market: tuple[FeatureFrame, np.ndarray, np.ndarray], told: RegimeSeries
) -> None:
    known = ~np.isnan(told.confidence)
    right = told.probs[known].argmax(axis=1) == market[1][known]
    sure = told.confidence[known] >= 0.6
    assert right[sure].mean() > right[~sure].mean() + 0.1


@pytest.mark.parametrize("heavy", [False, True])
def test_noise_has_few_regimes_that_methods_agree_on(heavy: bool) -> None:
    series = regime_series(noise(3, 3500, heavy=heavy))
    known = ~np.isnan(series.confidence)
    called = series.probs[known].argmax(axis=1) != REGIMES.index(Regime.RANGING)
    sure = called & (series.confidence[known] >= series.settings.sure)
    assert sure.mean() < 0.05
    assert len(series.changes()) < 6 * known.sum() / 1000


def test_the_rule_on_noise_is_as_often_wrong_as_it_says() -> None:
    frame = noise(5, 30_000)
    strength = regime_inputs(frame, RegimeSettings())[:, 0]
    assert strength.std() == pytest.approx(1, abs=0.06)
    assert (np.abs(strength) > 1).mean() == pytest.approx(0.317, abs=0.04)


def test_bar_by_bar_is_as_over_the_frame() -> None:
    frame, _, _ = planted(1, 700)
    frame = _without(frame, slice(300, 305))
    series = regime_series(frame, SMALL)
    tracker = RegimeTracker(frame.step_ms, SMALL)
    columns = [frame.columns[name].tolist() for name in ("high", "low", "close")]
    for row, (open_ms, *prices) in enumerate(zip(frame.open_ms.tolist(), *columns, strict=True)):
        now = tracker.push(open_ms, *prices)
        if now is None:
            assert np.isnan(series.probs[row]).all()
            continue
        np.testing.assert_allclose(list(now.probs.values()), series.probs[row], rtol=1e-9, atol=1e-12)
        assert now.confidence == pytest.approx(series.confidence[row], rel=1e-9) or np.isnan(series.confidence[row])
    assert tracker.changed == series.changes()[-1]


def test_a_reading_follows_from_its_history_alone() -> None:
    frame, _, _ = planted(2, 900)
    whole = regime_series(frame, SMALL)
    for end in (600, 777, 900):
        part = frame.rows(end - SMALL.history_bars - 1, end)
        found = latest_regime(part, SMALL)
        assert found is not None
        np.testing.assert_allclose(list(found.probs.values()), whole.probs[end - 1], rtol=1e-9, atol=1e-12)


def test_names_do_not_depend_on_the_order_of_components() -> None:
    fit = fit_of(regime_inputs(planted(4, 2000)[0], RegimeSettings()), RegimeSettings())
    assert fit is not None
    mixture, points = fit.gaussian_mixture, np.random.default_rng(0).normal(size=(50, 2))
    order = [2, 0, 3, 1]
    other = replace(
        mixture,
        log_weights=mixture.log_weights[order],
        means=mixture.means[order],
        variances=mixture.variances[order],
        names=mixture.names[order],
    )
    np.testing.assert_allclose(mixture.probs(points), other.probs(points), rtol=1e-12)


def test_names_do_not_flip_at_a_refit(told: RegimeSeries) -> None:
    period = (told.open_ms // HOUR_MS + 1) // told.settings.refit
    refits = np.flatnonzero(np.diff(period)) + 1
    refits = refits[~np.isnan(told.confidence[refits - 1])]
    before, after = told.probs[refits - 1].argmax(axis=1), told.probs[refits].argmax(axis=1)
    assert len(refits) > 10
    assert not (((before == 0) & (after == 1)) | ((before == 1) & (after == 0))).any()


def test_the_filter_is_not_the_smoother() -> None:
    """The state after a bar is the same whatever bars come after, and equals Bayes' rule by hand."""
    inputs = regime_inputs(planted(6, 1500)[0], RegimeSettings())
    fit = fit_of(inputs, RegimeSettings())
    assert fit is not None
    model, start = fit.hidden_markov, np.full(4, 0.25)
    states = model.filtered(inputs[:50], start)
    np.testing.assert_array_equal(model.filtered(inputs[:20], start), states[:20])
    x = inputs[0, 2:]
    density = np.exp(-0.5 * ((x - model.means) ** 2 / model.variances).sum(1)) / np.sqrt(model.variances.prod(1))
    expected = (start @ model.transitions) * density
    np.testing.assert_allclose(states[0], expected / expected.sum(), rtol=1e-6, atol=1e-9)


def test_probabilities_are_probabilities(told: RegimeSeries) -> None:
    known = ~np.isnan(told.methods[:, :, 0])
    assert known[0].sum() == len(told) - told.settings.baseline
    np.testing.assert_allclose(told.methods[known].sum(axis=1), 1.0, rtol=1e-9)
    assert told.methods[known].min() >= 0
    assert set(told.columns()) >= {"regime_bull", "regime_confidence", "regime_hidden_markov_volatile"}


def test_the_rule_by_hand() -> None:
    found = rule_probs(np.array([0.0, 1.0, -3.0, 0.0]), np.array([0.0, -1.0, -1.0, 2.0]))
    assert found.sum(axis=1) == pytest.approx(1)
    assert found[1, 0] == pytest.approx(0.5, abs=1e-6)
    assert [REGIMES[at] for at in found.argmax(axis=1)] == [Regime.RANGING, Regime.BULL, Regime.BEAR, Regime.VOLATILE]


def test_agreement_by_hand() -> None:
    same = np.tile([1.0, 0, 0, 0], (4, 1, 1))
    apart = np.eye(4)[:, None, :]
    alone = np.full((4, 1, 4), np.nan)
    alone[0] = 0.25
    assert agreement(same)[0] == 1
    assert agreement(apart)[0] == 0
    assert np.isnan(agreement(alone)[0])
    half = np.array([[[0.5, 0.5, 0, 0]], [[1.0, 0, 0, 0]]])
    assert agreement(half)[0] == pytest.approx(0.5)
    found = reading(0, alone[:, 0])
    assert found.confidence is None
    assert list(found.methods) == ["rule"]


def test_changes_cool_down() -> None:
    watch = ChangeWatch(replace(SMALL, cool_down=5))
    bull, bear = Regime.BULL, Regime.BEAR
    script = [(bull, 0.9), (bear, 0.9), (bear, 0.9), (bear, 0.9), (bear, 0.9), (bear, 0.4), (bear, 0.9), (bull, 0.9)]
    found = [watch.push(row, regime, sure) for row, (regime, sure) in enumerate(script)]
    assert [None if each is None else (each.before, each.now) for each in found] == [
        (None, bull), None, None, None, None, None, (bull, bear), None,
    ]  # fmt: skip


def test_a_market_at_rest_is_ranging_and_nothing_is_fitted() -> None:
    frame = frame_of_ticks(np.zeros((400, 8)))
    found = latest_regime(frame, SMALL)
    assert found is not None
    assert (found.regime, found.confidence) == (Regime.RANGING, None)
    assert list(found.methods) == ["rule"]


def test_too_little_history_is_not_known() -> None:
    frame = noise(1, SMALL.baseline)  # one bar short
    assert latest_regime(frame, SMALL) is None
    assert regime_series(frame, SMALL).last() is None
    assert regime_series(frame.rows(0, 0), SMALL).changes() == []


def test_two_runs_are_one() -> None:
    from trading.features.regimes import fit

    frame, _, _ = planted(7, 500)
    first = regime_series(frame, SMALL)
    fit._fitted.cache_clear()
    np.testing.assert_array_equal(first.methods, regime_series(frame, SMALL).methods)


@pytest.mark.parametrize("bar", [(0.0, 0.0, 0.0), (1.0, 2.0, 1.5), (float("nan"), 1.0, 1.0), (2.0, 1.0, float("inf"))])
def test_a_bar_that_is_none_is_refused_and_nothing_is_kept(bar: tuple[float, float, float]) -> None:
    tracker = RegimeTracker(HOUR_MS, SMALL)
    tracker.push(START_MS, 2, 1, 1.5)
    with pytest.raises(DataError, match="has prices"):
        tracker.push(START_MS + HOUR_MS, *bar)
    with pytest.raises(DataError, match="does not come after"):
        tracker.push(START_MS, 2, 1, 1.5)
    assert tracker.push(START_MS + HOUR_MS, 2, 1, 1.5) is None


@pytest.mark.parametrize("wrong", [{"trend": 1000}, {"refit": 0}, {"least_fit": 5}, {"least_fit": 5000}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        RegimeSettings(**wrong)  # type: ignore[arg-type]


def test_posterior_survives_what_is_far_away() -> None:
    assert posterior(np.array([[-1e4, -1e4 - 1.0]]))[0] == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.e)])


def _without(frame: FeatureFrame, gone: slice) -> FeatureFrame:
    kept = np.ones(len(frame), bool)
    kept[gone] = False
    return replace(
        frame, open_ms=frame.open_ms[kept], columns={name: column[kept] for name, column in frame.columns.items()}
    )

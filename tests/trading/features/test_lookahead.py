"""The check for look-ahead: it names what looks ahead, and nothing here does."""

from collections.abc import Mapping

import numpy as np
import pytest

from tests.trading.features.conftest import MakeFrame
from tests.trading.features.planted import planted
from trading.domain.errors import RequestError
from trading.features.anomalies import AnomalySettings, scan
from trading.features.frame import FeatureFrame
from trading.features.lookahead import (
    anomaly_recipe,
    feature_recipe,
    look_ahead,
    poisoned,
    regime_recipe,
    together,
)
from trading.features.regimes import RegimeSettings
from trading.features.registry import FEATURES
from trading.marketdata import FloatArray

SMALL = RegimeSettings(trend=24, volatility=12, baseline=60, fit_bars=150, least_fit=60, refit=48)


def test_no_feature_looks_ahead(make_frame: MakeFrame) -> None:
    report = look_ahead(feature_recipe, make_frame(700, seed=2, missing=0.001, still=0.05), samples=6)
    assert report.names == tuple(feature.name for feature in FEATURES)
    assert report.movements == ()


def test_no_regime_looks_ahead() -> None:
    report = look_ahead(lambda frame: regime_recipe(frame, SMALL), planted(3, 700)[0], samples=12)
    assert "regime_change" in report.names
    assert report.movements == ()


def test_no_anomaly_looks_ahead(make_frame: MakeFrame) -> None:
    frame = make_frame(1100, seed=4, missing=0.003)
    assert {each.method for each in scan(frame, AnomalySettings()).anomalies} >= {"fault check", "robust deviation"}
    report = look_ahead(anomaly_recipe, frame, samples=4)
    assert {"anomaly_forest", "anomaly_spread", "anomaly_correlation", "anomaly_severity_fault"} <= set(report.names)
    assert report.movements == ()


def honest(frame: FeatureFrame) -> Mapping[str, FloatArray]:
    return {"close": frame.columns["close"]}


def tomorrow(frame: FeatureFrame) -> Mapping[str, FloatArray]:
    close = frame.columns["close"]
    return {"tomorrow": np.append(close[1:], np.nan)}


def standardised(frame: FeatureFrame) -> Mapping[str, FloatArray]:
    """The usual mistake: scaled by a mean and a deviation of the whole recording."""
    close = frame.columns["close"]
    return {"standardised": (close - close.mean()) / close.std()}


def test_what_looks_ahead_is_named_with_its_bar_and_both_values(make_frame: MakeFrame) -> None:
    frame = make_frame(100)
    report = look_ahead(together([honest, tomorrow, standardised]), frame, samples=5)
    assert report.names == ("close", "tomorrow", "standardised")
    assert report.moved == ("tomorrow", "standardised")
    first, second = report.movements
    row = int(np.searchsorted(frame.open_ms, first.open_ms))
    assert first.whole == frame.columns["close"][row + 1]
    assert np.isnan(first.other)
    assert first.future == "truncated"
    assert second.open_ms == frame.open_ms[0]
    assert second.whole != second.other


def test_a_peek_far_ahead_is_seen_by_the_poisoned_future_alone(make_frame: MakeFrame) -> None:
    """Where a recipe fills what is missing at the end, cutting the tape off shows nothing."""

    def peeks(frame: FeatureFrame) -> Mapping[str, FloatArray]:
        close = frame.columns["close"]
        return {"peek": close if len(close) < 100 else np.append(close[1:], close[-1]) * 0 + close[-1]}

    report = look_ahead(peeks, make_frame(100), samples=3)
    assert report.moved == ("peek",)


def test_only_names_that_are_kept_are_checked(make_frame: MakeFrame) -> None:
    keep = together([honest, tomorrow], lambda name: name == "close")
    assert look_ahead(keep, make_frame(50), samples=3).movements == ()


def test_the_poisoned_future_begins_at_the_cut(make_frame: MakeFrame) -> None:
    frame = make_frame(60)
    other = poisoned(frame, 40, np.random.default_rng(0))
    for name, column in frame.columns.items():
        np.testing.assert_array_equal(other.columns[name][:40], column[:40])
    assert (other.columns["close"][40:] != frame.columns["close"][40:]).all()
    assert (other.columns["low"] <= other.columns["high"]).all()


def test_progress_is_told_and_rubbish_is_refused(make_frame: MakeFrame) -> None:
    done: list[int] = []
    assert look_ahead(honest, make_frame(10), samples=50, on_sample=done.append).cuts == 9
    assert done == list(range(1, 10))
    with pytest.raises(RequestError, match="two bars"):
        look_ahead(honest, make_frame(1))
    with pytest.raises(RequestError, match="one a bar"):
        look_ahead(lambda frame: {"short": frame.columns["close"][1:]}, make_frame(10))

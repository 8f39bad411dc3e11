"""Anomalies: charts by their published run lengths, planted faults and moves told apart, few alarms on noise."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.trading.features.planted import HOUR_MS, START_MS, noise
from trading.features.anomalies import Anomaly, AnomalySettings, Kind, Severity, scan
from trading.features.anomalies.charts import cusum_chart, ewma_chart
from trading.features.anomalies.forest import forest_pvalues
from trading.features.anomalies.robust import normal_scores, robust_scores, surprises
from trading.features.frame import FeatureFrame
from trading.marketdata import FloatArray

BARS, AT = 700, 600


def changed(frame: FeatureFrame, **columns: FloatArray) -> FeatureFrame:
    return replace(frame, columns={**frame.columns, **columns})


def at_bar(frame: FeatureFrame, row: int) -> list[Anomaly]:
    return [each for each in scan(frame).anomalies if each.open_ms == int(frame.open_ms[row])]


def faults_of(frame: FeatureFrame) -> list[tuple[str, int]]:
    found = [each for each in scan(frame).anomalies if each.method == "fault check"]
    return [(each.what, int(np.searchsorted(frame.open_ms, each.open_ms))) for each in found]


def scaled_bar(frame: FeatureFrame, row: int, factor: float) -> FeatureFrame:
    """One bar at another price, open as before, and the next bar back at its own."""
    columns = {name: column.copy() for name, column in frame.columns.items()}
    columns["close"][row] *= factor
    columns["open"][row + 1] *= factor
    for each in (row, row + 1):
        body = [columns["open"][each], columns["close"][each]]
        columns["high"][each] = max(columns["high"][each], *body)
        columns["low"][each] = min(columns["low"][each], *body)
    return changed(frame, **columns)


@pytest.mark.parametrize(
    ("chart", "constants", "shift", "run_length"),
    [
        (cusum_chart, {"slack": 0.5, "limit": 5.0}, 0.0, 465.0),
        (cusum_chart, {"slack": 0.5, "limit": 4.0}, 0.0, 168.0),
        (cusum_chart, {"slack": 0.5, "limit": 5.0}, 1.0, 10.4),
        (cusum_chart, {"slack": 0.5, "limit": 4.0}, 1.0, 8.38),
        (ewma_chart, {"weight": 0.1, "limit": 2.814}, 0.0, 500.0),
        (ewma_chart, {"weight": 0.1, "limit": 2.814}, 1.0, 10.3),
    ],
)
def test_run_lengths_are_the_published_ones(
    chart: object, constants: dict[str, float], shift: float, run_length: float
) -> None:
    """Montgomery's tables for the tabular CUSUM and the EWMA chart: mean bars from one alarm to the next."""
    draws = np.random.default_rng(1).normal(shift, 1, 500_000 if shift == 0 else 60_000)
    _, alarms = chart(draws, **constants)  # type: ignore[operator]
    assert len(draws) / alarms.sum() == pytest.approx(run_length, rel=0.09 if shift == 0 else 0.04)


def test_charts_begin_anew_at_a_hole_and_after_an_alarm() -> None:
    values = np.array([2.0, 2.0, np.nan, 2.0, 2.0, 2.0, 2.0, 2.0])
    statistic, alarms = cusum_chart(values, slack=0.5, limit=5.0)
    assert statistic.tolist() == pytest.approx([1.5, 3.0, np.nan, 1.5, 3.0, 4.5, 6.0, 1.5], nan_ok=True)
    assert np.flatnonzero(alarms).tolist() == [6]
    level, _ = ewma_chart(-values, weight=0.1, limit=100.0)
    assert level[3] == level[0] < 0


def test_robust_scores_by_hand_and_against_wild_values() -> None:
    past = np.array([1.0, 2.0, 3.0, 4.0, 1000.0])
    assert robust_scores(np.append(past, 6.0), 5)[-1] == pytest.approx((6 - 3) / 1.4826)
    assert np.isnan(robust_scores(np.ones(10), 5)).all()
    assert np.isnan(robust_scores(past, 5)).all()
    assert surprises(np.array([1.0, 3.0, 5.0]), 2).tolist() == pytest.approx([np.nan, np.nan, 3.0], nan_ok=True)


def test_normal_scores_are_normal_whatever_the_noise() -> None:
    draws = np.random.default_rng(2).standard_t(2, 40_000)
    found = normal_scores(draws, 240)[240:]
    assert found.mean() == pytest.approx(0, abs=0.02)
    assert found.std() == pytest.approx(1, abs=0.02)
    assert np.abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.02
    assert normal_scores(np.ones(300), 240)[-1] == pytest.approx(0, abs=1e-12)


def test_the_forest_alarms_on_noise_as_often_as_it_says_and_on_what_is_odd() -> None:
    rng = np.random.default_rng(3)
    points = rng.standard_t(4, (3000, 3))
    points[2990] = (12, -12, 12)
    open_ms = START_MS + HOUR_MS * np.arange(len(points), dtype=np.int64)
    _, pvalues = forest_pvalues(points, open_ms, step_ms=HOUR_MS, window=240, refit=480, seed=0)
    known = pvalues[~np.isnan(pvalues)]
    assert len(known) > 2000
    assert (known <= 0.05).mean() == pytest.approx(0.05, abs=0.025)
    assert pvalues[2990] == pytest.approx(1 / 241)


@pytest.mark.parametrize("heavy", [False, True])
def test_alarms_on_noise_are_few(heavy: bool) -> None:
    frame = noise(11, 4000, heavy=heavy)
    found = scan(frame, AnomalySettings(forest_refit=1000)).anomalies
    per_thousand = {name: 1000 * count / 3700 for name, count in Counter(each.method for each in found).items()}
    assert per_thousand.get("robust deviation", 0) < 2
    assert per_thousand.get("isolation forest", 0) < 12
    assert per_thousand["cusum"] == pytest.approx(1000 / 465, rel=0.8)
    assert per_thousand["ewma"] == pytest.approx(1000 / 500, rel=0.8)
    assert "fault check" not in per_thousand
    assert max((each.severity for each in found), default=0) <= Severity.WARNING


def test_a_decimal_slip_is_a_fault() -> None:
    frame = scaled_bar(noise(1, BARS), AT, 0.1)
    assert ("decimal slip", AT) in faults_of(frame)
    price = [each for each in at_bar(frame, AT) if each.what == "price"]
    assert [each.kind for each in price] == [Kind.FAULT]


def test_a_bad_tick_is_known_when_it_reverts() -> None:
    frame = scaled_bar(noise(1, BARS), AT, 1.2)
    assert faults_of(frame) == [("bad tick", AT + 1)]
    before = scan(frame.rows(0, AT + 1)).anomalies
    first = [each for each in before if each.open_ms == int(frame.open_ms[AT]) and each.what == "price"]
    assert [each.kind for each in first] == [Kind.UNCONFIRMED]
    found = next(each for each in at_bar(frame, AT + 1) if each.what == "bad tick")
    assert found.severity is Severity.CRITICAL
    assert found.evidence["jump"] == pytest.approx(np.log(1.2), abs=0.05)
    assert found.evidence["bad_open_ms"] == frame.open_ms[AT]


def test_a_jump_on_volume_is_a_market_move() -> None:
    frame = noise(1, BARS)
    columns = {name: column.copy() for name, column in frame.columns.items()}
    for name in ("open", "high", "low", "close"):
        columns[name][AT + 1 :] *= 0.85
    columns["close"][AT] *= 0.85
    columns["low"][AT] = min(columns["low"][AT], columns["close"][AT])
    columns["volume"][AT] *= 30
    frame = changed(frame, **columns)
    (price,) = (each for each in at_bar(frame, AT) if each.what == "price")
    assert (price.kind, price.severity) == (Kind.MARKET, Severity.CRITICAL)
    assert price.score < -10
    (volume,) = (each for each in at_bar(frame, AT) if each.what == "volume" and each.method == "robust deviation")
    assert volume.score > 4.5
    assert faults_of(frame) == []


def test_a_jump_that_the_market_shares_is_a_market_move() -> None:
    frame = noise(1, BARS)
    drop = np.where(np.arange(BARS) >= AT, 0.85, 1.0)
    columns = {name: frame.columns[name] * drop for name in ("open", "high", "low", "close")}
    reference = noise(2, BARS).columns["close"]
    alone = changed(frame, **columns, reference_close=reference)
    shared = changed(frame, **columns, reference_close=reference * drop)
    kinds = [[each.kind for each in at_bar(each_frame, AT) if each.what == "price"] for each_frame in (alone, shared)]
    assert kinds == [[Kind.UNCONFIRMED], [Kind.MARKET]]


def test_a_stuck_price_zero_volume_and_a_duplicate_are_faults() -> None:
    frame = noise(1, BARS)
    columns = {name: column.copy() for name, column in frame.columns.items()}
    for name in ("open", "high", "low", "close"):
        columns[name][AT : AT + 20] = columns["close"][AT - 1]
    columns["volume"][AT : AT + 20] = 0.0
    for name in ("open", "high", "low", "close", "volume"):
        columns[name][500] = columns[name][499]
    found = faults_of(changed(frame, **columns))
    assert ("duplicated bar", 500) in found
    stuck = [row for what, row in found if what == "stuck price"]
    empty = [row for what, row in found if what == "zero volume"]
    assert (len(stuck), len(empty)) == (2, 2)
    assert AT + 1 < stuck[0] < AT + 5


def test_a_market_that_often_rests_is_not_stuck() -> None:
    frame = noise(1, BARS)
    rng = np.random.default_rng(4)
    volume = np.where(rng.random(BARS) < 0.5, 0.0, frame.columns["volume"])
    assert [row for what, row in faults_of(changed(frame, volume=volume)) if what == "zero volume" and row > 100] == []


def test_a_gap_is_a_fault_at_the_bar_after_it() -> None:
    frame = noise(1, BARS)
    kept = np.ones(BARS, bool)
    kept[AT : AT + 30] = False
    frame = replace(
        frame, open_ms=frame.open_ms[kept], columns={name: column[kept] for name, column in frame.columns.items()}
    )
    (gap,) = (each for each in scan(frame).anomalies if each.what == "gap")
    assert (gap.open_ms, gap.score, gap.severity) == (int(frame.open_ms[AT]), 30, Severity.CRITICAL)


def test_a_wick_without_volume_is_a_fault() -> None:
    frame = noise(1, BARS)
    high = frame.columns["high"].copy()
    high[AT] *= 1.5
    assert faults_of(changed(frame, high=high)) == [("wick", AT)]
    volume = frame.columns["volume"].copy()
    volume[AT] *= 30
    assert faults_of(changed(frame, high=high, volume=volume)) == []


def test_a_spread_that_widens_is_told() -> None:
    frame = noise(1, BARS)
    half = 1e-4 * np.exp(0.1 * np.random.default_rng(0).normal(size=BARS))
    half[AT] *= 10
    close = frame.columns["close"]
    frame = changed(frame, bid=close * (1 - half), ask=close * (1 + half))
    (spread,) = (each for each in at_bar(frame, AT) if each.what == "spread" and each.method == "robust deviation")
    assert spread.score > 10
    assert spread.severity is Severity.CRITICAL


def test_a_correlation_that_breaks_is_told_once_and_noise_is_not() -> None:
    rng = np.random.default_rng(8)
    own = rng.normal(size=1500)
    other = 0.9 * own + np.sqrt(1 - 0.81) * rng.normal(size=1500)
    broken = np.where(np.arange(1500) < 1300, other, rng.normal(size=1500))
    frame = noise(1, 1500)
    close = 100 * np.exp(0.005 * np.cumsum(own))
    found = {}
    for name, moves in (("whole", other), ("broken", broken)):
        both = changed(
            frame,
            **dict.fromkeys(("open", "high", "low", "close"), close),
            reference_close=100 * np.exp(0.005 * np.cumsum(moves)),
        )
        found[name] = [each for each in scan(both).anomalies if each.what == "correlation"]
    assert found["whole"] == []
    assert 1 <= len(found["broken"]) <= 4
    assert found["broken"][0].score < -4.5
    assert found["broken"][0].open_ms >= frame.open_ms[1300]


def test_an_empty_and_a_short_frame_say_nothing() -> None:
    frame = noise(1, 50)
    assert scan(frame.rows(0, 0)).severity() is None
    short = scan(frame)
    assert short.anomalies == ()
    assert np.isnan(short.scores["price"]).all()


@pytest.mark.parametrize("wrong", [{"window": 10}, {"recent": 500}, {"levels": (6.0, 4.0, 10.0)}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|needs"):
        AnomalySettings(**wrong)  # type: ignore[arg-type]

"""The vector over a frame and bar by bar: the same numbers, blind to the future, and never made up."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.domain.errors import DataError
from trading.features.feature import COLUMNS, Feature, Group, Input
from trading.features.frame import FeatureFrame
from trading.features.registry import FEATURES, by_name, chosen, history_bars
from trading.features.stream import FeatureStream, latest
from trading.features.vector import FeatureTable, compute
from trading.marketdata import FloatArray

SHORT = tuple(feature for feature in FEATURES if feature.warmup <= 300)
LONGEST = history_bars()
YEAR = 8760


def assert_same(found: FloatArray, expected: FloatArray, features: tuple[Feature, ...], scale: FloatArray) -> None:
    """Equal to 1e-9 of each value, or of the feature's usual size where the value is near 0."""
    apart = np.abs(found - expected)
    allowed = 1e-9 * np.maximum(np.abs(expected), scale.reshape(-1, *[1] * (expected.ndim - 1)))
    wrong = (np.isnan(found) != np.isnan(expected)) | (apart > allowed)
    assert [feature.name for feature, row in zip(features, wrong, strict=True) if np.any(row)] == []


def usual_size(table: FeatureTable) -> FloatArray:
    known = ~np.isnan(table.values)
    return np.where(known, np.abs(table.values), 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def bar(frame: FeatureFrame, row: int) -> tuple[int, dict[str, float]]:
    return int(frame.open_ms[row]), {name: float(column[row]) for name, column in frame.columns.items()}


def test_bar_by_bar_gives_the_numbers_of_the_whole_frame(make_frame) -> None:
    frame = make_frame(LONGEST + 400, seed=1)
    table = compute(frame)
    begin = LONGEST + 200
    stream = FeatureStream(frame.step_ms)
    stream.extend(frame.rows(0, begin))
    found = np.stack([stream.push(*bar(frame, row)) for row in range(begin, len(frame))], axis=1)
    assert_same(found, table.values[:, begin:], FEATURES, usual_size(table))
    assert not np.isnan(found[:, -1]).any()


def test_at_instants_of_a_whole_year(make_frame) -> None:
    frame = make_frame(YEAR, seed=10)
    table = compute(frame)
    stream = FeatureStream(frame.step_ms)
    ends = np.unique(np.random.default_rng(10).integers(1, YEAR, 250))
    found = []
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        stream.extend(frame.rows(begin, end))
        found.append(stream.values())
    assert_same(np.stack(found, axis=1), table.values[:, ends - 1], FEATURES, usual_size(table))


def test_bar_by_bar_from_the_first_bar_on(make_frame) -> None:
    frame = make_frame(500, seed=2, missing=0.002, still=0.1)
    table = compute(frame)
    stream = FeatureStream(frame.step_ms)
    found = np.stack([stream.push(*bar(frame, row)) for row in range(len(frame))], axis=1)
    assert_same(found, table.values, FEATURES, usual_size(table))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    still=st.sampled_from([0.0, 0.3, 0.9]),
    missing=st.sampled_from([0.0, 0.003]),
    digits=st.sampled_from([1, 6]),
    cut=st.integers(1, 619),
    factor=st.floats(0.2, 5),
)
def test_the_future_changes_nothing(make_frame, seed, still, missing, digits, cut, factor) -> None:
    frame = make_frame(640, seed=seed, still=still, missing=missing, digits=digits)
    cut = min(cut, len(frame) - 1)
    table = compute(frame, SHORT)
    later = {name: np.concatenate([column[:cut], column[cut:] * factor]) for name, column in frame.columns.items()}
    changed = compute(replace(frame, columns=later), SHORT)
    ended = compute(frame.rows(0, cut), SHORT)
    scale = usual_size(table)
    assert_same(changed.values[:, :cut], table.values[:, :cut], SHORT, scale)
    assert_same(ended.values, table.values[:, :cut], SHORT, scale)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), still=st.sampled_from([0.0, 0.3, 0.9]), digits=st.sampled_from([1, 6]))
def test_only_the_bars_of_the_warm_up_count(make_frame, seed, still, digits) -> None:
    frame = make_frame(700, seed=seed, still=still, digits=digits)
    table = compute(frame, SHORT)
    stream = FeatureStream(frame.step_ms, SHORT)
    stream.extend(frame.rows(len(frame) - 330, len(frame)))
    assert_same(stream.values(), table.values[:, -1], SHORT, usual_size(table))


def test_slow_chaos_is_blind_to_the_future_as_well(make_frame) -> None:
    frame = make_frame(LONGEST + 60, seed=3)
    slow = tuple(feature for feature in FEATURES if feature.warmup > 300)
    table = compute(frame, slow)
    scale = usual_size(table)
    for cut in (LONGEST - 30, LONGEST + 1, LONGEST + 31):
        assert_same(compute(frame.rows(0, cut), slow).values, table.values[:, :cut], slow, scale)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_the_first_value_comes_with_the_last_bar_of_the_warm_up(make_frame, feature: Feature) -> None:
    frame = make_frame(feature.warmup + 2 * feature.cadence, seed=4)
    known = ~np.isnan(compute(frame, (feature,)).values[0])
    first = next(row for row in range(feature.warmup - 1, len(frame)) if (row + 1) % feature.cadence == 0)
    assert not known[:first].any()
    assert known[first:].all()


@pytest.mark.parametrize("source", [source for source in Input if source is not Input.CLOCK])
def test_an_input_that_is_not_there_leaves_its_features_unknown(make_frame, source: Input) -> None:
    frame = make_frame(320, seed=5)
    without = {name: column for name, column in frame.columns.items() if name not in COLUMNS[source]}
    last = compute(replace(frame, columns=without), SHORT).values[:, -1]
    assert [
        each.name for each, value in zip(SHORT, last, strict=True) if np.isnan(value) == (source not in each.inputs)
    ] == []


@pytest.mark.parametrize("rubbish", [np.nan, np.inf])
def test_a_hole_starts_the_warm_up_anew(make_frame, rubbish: float) -> None:
    frame = make_frame(400, seed=6)
    frame.columns["close"][200] = rubbish
    table = compute(frame, chosen(("sma_20_distance", "return_1", "hour_sin", "spread_bps")))
    assert np.flatnonzero(np.isnan(table["sma_20_distance"])).tolist() == [*range(19), *range(200, 220)]
    assert np.flatnonzero(np.isnan(table["return_1"])).tolist() == [0, 200, 201]
    assert not np.isnan(table["hour_sin"]).any()
    assert not np.isnan(table["spread_bps"]).any()


def test_a_missing_bar_is_a_hole_too(make_frame) -> None:
    frame = make_frame(60, seed=7)
    kept = np.arange(60) != 30
    gapped = FeatureFrame(
        instrument="X-USDT",
        step_ms=frame.step_ms,
        open_ms=frame.open_ms[kept],
        columns={name: column[kept] for name, column in frame.columns.items()},
    )
    found = compute(gapped, chosen(("return_3",)))["return_3"]
    assert np.flatnonzero(np.isnan(found)).tolist() == [0, 1, 2, 30, 31, 32]


@pytest.mark.parametrize("bars", [0, 1, 2])
def test_few_bars_give_few_values(make_frame, bars: int) -> None:
    frame = make_frame(bars)
    table = compute(frame)
    assert table.values.shape == (len(FEATURES), bars)
    assert np.isnan(FeatureStream(frame.step_ms).values()).all()


def test_a_market_that_stands_still_has_no_ratios_to_nothing(make_frame) -> None:
    table = compute(make_frame(400, seed=8, still=1.0))
    assert table["volatility_24"][-1] == 0.0
    for name in ("rsi_14", "cci_20", "return_zscore_72", "bollinger_position_20", "efficiency_24", "hurst_dfa_1x256"):
        assert np.isnan(table[name][-1]), name


def test_the_latest_by_name(make_frame) -> None:
    frame = make_frame(LONGEST, seed=9)
    found = latest(frame)
    assert list(found) == list(by_name())
    assert None not in found.values()
    assert latest(frame.rows(0, 30))["sma_50_distance"] is None


def test_bars_out_of_order_are_refused(make_frame) -> None:
    frame = make_frame(3)
    stream = FeatureStream(frame.step_ms)
    stream.push(*bar(frame, 1))
    for row in (0, 1):
        with pytest.raises(DataError, match="came after that of"):
            stream.push(*bar(frame, row))


def test_a_formula_that_breaks_its_promise_is_named(make_frame) -> None:
    broken = Feature(
        name="broken",
        group=Group.TREND,
        inputs=(Input.BARS,),
        warmup=2,
        unit="",
        description="",
        formula=lambda x: x["close"][5:],
    )
    with pytest.raises(DataError, match="broken gave 5 values where its warm-up promises 9"):
        compute(make_frame(10), (broken,))


@pytest.mark.parametrize("seed", range(4))
def test_a_stream_that_begins_with_a_frame_is_one_that_was_fed_bar_by_bar(make_frame, seed: int) -> None:
    whole = make_frame(400, seed=seed, missing=0.02)
    rng = np.random.default_rng(seed)
    columns = {name: column.copy() for name, column in whole.columns.items()}
    for name in ("bid", "sentiment_score", "funding_rate", "close"):
        columns[name][rng.integers(0, len(whole), 2)] = np.nan
    del columns["open_interest"]
    frame = FeatureFrame(instrument="X", step_ms=whole.step_ms, open_ms=whole.open_ms, columns=columns)
    for end in (1, 150, len(frame)):
        begun, fed = FeatureStream(frame.step_ms, SHORT), FeatureStream(frame.step_ms, SHORT)
        begun.extend(frame.rows(0, end))
        for row in range(end):
            fed._append(*bar(frame, row))
        np.testing.assert_array_equal(begun.values(), fed.values())
        if end < len(frame):
            np.testing.assert_array_equal(begun.push(*bar(frame, end)), fed.push(*bar(frame, end)))

import math
from collections.abc import Callable

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap
from arch.bootstrap import optimal_block_length as arch_block_length

from trading.stats import (
    FloatArray,
    interval,
    optimal_block_length,
    paired_difference,
    percentile_interval,
    resampled,
    resampled_sums,
    sharpe_of_sums,
    sharpe_ratios,
    stationary_indices,
)


def mean(values: FloatArray) -> FloatArray:
    return np.asarray(values.mean(axis=-1))


def total(values: FloatArray) -> FloatArray:
    return np.asarray(values.sum(axis=-1))


def autoregression(rng: np.random.Generator, length: int, phi: float) -> FloatArray:
    series = rng.normal(size=length)
    for at in range(1, length):
        series[at] += phi * series[at - 1]
    return series


def test_indices_run_on_and_jump_at_the_stated_rate() -> None:
    indices = stationary_indices(50, 4000, block_length=5.0, rng=np.random.default_rng(1))
    assert indices.shape == (4000, 50)
    assert indices.min() == 0
    assert indices.max() == 49
    runs_on = np.mean(np.diff(indices, axis=1) % 50 == 1)
    assert runs_on == pytest.approx(0.8 + 0.2 / 50, abs=0.005)
    uniform = np.bincount(indices.ravel(), minlength=50) / indices.size
    np.testing.assert_allclose(uniform, 1 / 50, rtol=0.05)


def test_spread_of_the_mean_agrees_with_the_reference_implementation() -> None:
    series = autoregression(np.random.default_rng(2), 300, 0.5)
    ours = resampled(series[np.newaxis], mean, resamples=4000, block_length=8.0, rng=np.random.default_rng(3))
    theirs = StationaryBootstrap(8.0, series, seed=4).apply(np.mean, 4000)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.06)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.02)


def test_sums_are_those_of_the_resampled_series() -> None:
    rows = np.random.default_rng(12).normal(0.01, 1.0, size=(3, 150))
    rows[2] = 0.0
    once = {"resamples": 50, "block_length": 4.0}
    slow = resampled(rows[:1], total, rng=np.random.default_rng(1), **once)
    sums = resampled_sums(np.vstack([rows, rows**2]), rng=np.random.default_rng(1), **once)
    np.testing.assert_allclose(sums[:, :1], slow, atol=1e-9)
    ratios = sharpe_of_sums(sums[:, :3], sums[:, 3:], 150)
    drawn = rows[0][stationary_indices(150, 50, block_length=4.0, rng=np.random.default_rng(1))]
    np.testing.assert_allclose(ratios[:, 0], sharpe_ratios(drawn), rtol=1e-9)
    assert np.isnan(ratios[:, 2]).all()
    assert np.isnan(sharpe_of_sums(np.array([15.0]), np.array([1.5]), 150)).all()


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_block_length_agrees_with_the_reference_implementation(phi: float) -> None:
    rng = np.random.default_rng(5)
    ours, theirs = [], []
    for _ in range(15):
        series = autoregression(rng, 500, phi)
        ours.append(optimal_block_length(series))
        theirs.append(max(1.0, float(arch_block_length(series)["stationary"].iloc[0])))
    assert np.median(ours) == pytest.approx(np.median(theirs), rel=0.25)


@pytest.mark.parametrize("values", [[], [1.0], [2.0] * 50])
def test_block_length_of_rubbish_is_one(values: list[float]) -> None:
    assert optimal_block_length(np.array(values)) == 1.0


def test_same_seed_same_interval_and_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    series = np.random.default_rng(6).normal(size=200)
    first = interval(series, mean, rng=np.random.default_rng(7))
    assert first == interval(series, mean, rng=np.random.default_rng(7))
    monkeypatch.setattr("trading.stats.bootstrap._CHUNK_VALUES", 20_000)
    second = interval(series, mean, rng=np.random.default_rng(7))
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(first, second, atol=0.03)


@pytest.mark.parametrize(
    "values",
    [np.array([]), np.arange(19.0), np.ones(100), np.append(np.arange(50.0), np.nan)],
    ids=["empty", "too few", "constant", "NaN"],
)
def test_rubbish_has_no_interval(values: FloatArray) -> None:
    assert interval(values, mean, rng=np.random.default_rng(1)) is None


def test_interval_is_refused_when_many_resamples_have_no_value() -> None:
    draws = np.array([1.0] * 90 + [math.nan] * 10)
    assert percentile_interval(draws) is None
    assert percentile_interval(np.array([])) is None
    once = np.zeros(200)
    once[50] = 0.01
    assert interval(once, sharpe_ratios, rng=np.random.default_rng(1)) is None


@pytest.mark.parametrize("phi", [0.0, 0.3])
def test_interval_of_the_mean_covers_at_its_rate(phi: float) -> None:
    rng = np.random.default_rng(8)
    runs = 200
    covered = 0
    for _ in range(runs):
        bounds = interval(autoregression(rng, 400, phi), mean, resamples=400, rng=rng)
        assert bounds is not None
        covered += bounds[0] <= 0.0 <= bounds[1]
    assert 0.89 <= covered / runs <= 0.985


@pytest.mark.parametrize("statistic", [mean, sharpe_ratios])
def test_difference_of_equals_is_found_at_the_nominal_rate(statistic: Callable[[FloatArray], FloatArray]) -> None:
    rng = np.random.default_rng(9)
    runs, found, covered = 250, 0, 0
    for _ in range(runs):
        common = rng.standard_t(4, size=200)
        pair = paired_difference(
            common + rng.standard_t(4, size=200),
            common + rng.standard_t(4, size=200),
            statistic,
            resamples=300,
            rng=rng,
        )
        assert pair is not None
        found += pair.p_value <= 0.05
        covered += pair.ci95[0] <= 0.0 <= pair.ci95[1]
    assert found / runs <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / runs)
    assert covered / runs >= 0.95 - 2.5 * math.sqrt(0.05 * 0.95 / runs)


def test_pairing_finds_what_separate_intervals_cannot() -> None:
    rng = np.random.default_rng(10)
    common = rng.normal(size=400)
    first, second = common + 0.02 + 0.05 * rng.normal(size=400), common + 0.05 * rng.normal(size=400)
    pair = paired_difference(first, second, mean, rng=rng)
    apart = [interval(series, mean, rng=rng) for series in (first, second)]
    assert pair is not None
    assert pair.p_value < 0.01
    assert pair.ci95[0] > 0
    assert apart[0] is not None
    assert apart[1] is not None
    assert apart[0][0] < apart[1][1]


def test_a_series_does_not_differ_from_itself() -> None:
    series = np.random.default_rng(11).normal(size=100)
    pair = paired_difference(series, series, mean, rng=np.random.default_rng(1))
    assert pair is not None
    assert (pair.difference, pair.p_value) == (0.0, 1.0)


def test_a_difference_needs_aligned_series_with_data() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="not aligned"):
        paired_difference(np.zeros(30), np.zeros(31), mean, rng=rng)
    assert paired_difference(np.arange(10.0), np.arange(10.0), mean, rng=rng) is None
    assert paired_difference(np.append(np.arange(29.0), np.nan), np.arange(30.0), mean, rng=rng) is None
    assert paired_difference(np.zeros(30), np.arange(30.0), sharpe_ratios, rng=rng) is None

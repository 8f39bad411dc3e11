"""Chaos measures against series whose exponent is known, and against noise."""

import math

import numpy as np
import pytest

from trading.features.chaos import higuchi, hurst_dfa, hurst_rs, lyapunov, sample_entropy
from trading.marketdata import FloatArray


def fractional_brownian_motion(count: int, hurst: float, rng: np.random.Generator) -> FloatArray:
    """An exact path by the circulant method (Davies and Harte 1987)."""
    lag = np.arange(count, dtype=float)
    power = 2 * hurst
    covariance = 0.5 * (np.abs(lag + 1) ** power - 2 * lag**power + np.abs(lag - 1) ** power)
    spectrum = np.fft.fft(np.concatenate([covariance, [0.0], covariance[1:][::-1]])).real.clip(0)
    noise = rng.normal(size=2 * count) + 1j * rng.normal(size=2 * count)
    return np.cumsum(np.fft.fft(np.sqrt(spectrum / (2 * count)) * noise).real[:count])


def logistic_map(count: int, start: float) -> FloatArray:
    values = [start]
    while len(values) < count:
        values.append(4 * values[-1] * (1 - values[-1]))
    return np.array(values)


def weierstrass(count: int, hurst: float, base: float) -> FloatArray:
    at = np.arange(count) / count
    return sum(base ** (-hurst * k) * np.cos(2 * np.pi * base**k * at) for k in range(60) if base**k < 1e15)


@pytest.mark.parametrize(
    "measure", [hurst_dfa, hurst_rs, lambda paths: 2 - higuchi(paths)], ids=["dfa", "rs", "higuchi"]
)
@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7])
def test_hurst_of_fractional_brownian_motion(measure, hurst: float) -> None:
    rng = np.random.default_rng(1)
    paths = np.stack([fractional_brownian_motion(4096, hurst, rng) for _ in range(16)])
    assert measure(paths).mean() == pytest.approx(hurst, abs=0.05)


@pytest.mark.parametrize("measure", [hurst_dfa, hurst_rs], ids=["dfa", "rs"])
def test_a_short_random_walk_shows_no_memory(measure) -> None:
    paths = np.cumsum(np.random.default_rng(2).standard_t(4, (200, 256)), axis=1)
    found = measure(paths)
    assert found.mean() == pytest.approx(0.5, abs=0.03)
    assert found.std() < 0.12


@pytest.mark.parametrize("count", [255, 1000])
def test_lyapunov_of_the_logistic_map(count: int) -> None:
    series = np.stack([logistic_map(count, start) for start in (0.1, 0.37, 0.81)])
    assert lyapunov(series) == pytest.approx(math.log(2), rel=0.1)


def test_lyapunov_of_a_cycle_is_nothing() -> None:
    at = np.arange(400)
    series = (np.sin(2 * np.pi * at / 50.3) + 0.0)[None, :]
    assert abs(lyapunov(series)[0]) < 0.05


@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("base", [1.5, 2.0, 5.0])
def test_dimension_of_the_weierstrass_function(hurst: float, base: float) -> None:
    assert higuchi(weierstrass(4096, hurst, base)[None, :])[0] == pytest.approx(2 - hurst, abs=0.05)


def test_dimension_of_a_line_and_of_noise() -> None:
    assert higuchi(np.arange(300.0)[None, :])[0] == pytest.approx(1.0, abs=1e-9)
    assert higuchi(np.random.default_rng(3).normal(size=(20, 2000))).mean() == pytest.approx(2.0, abs=0.03)


def test_sample_entropy_is_that_of_its_definition() -> None:
    series = np.random.default_rng(4).normal(size=60)
    limit = 0.2 * series.std()
    alike = {
        length: sum(
            bool(np.max(np.abs(series[i : i + length] - series[j : j + length])) <= limit)
            for i in range(58)
            for j in range(58)
            if i != j
        )
        for length in (2, 3)
    }
    assert sample_entropy(series[None, :])[0] == pytest.approx(-math.log(alike[3] / alike[2]), rel=1e-12)


def test_sample_entropy_of_normal_noise() -> None:
    """Two draws agree within 0.2 deviations with probability erf(0.1), whatever went before."""
    series = np.random.default_rng(5).normal(size=(10, 1000))
    assert sample_entropy(series).mean() == pytest.approx(-math.log(math.erf(0.1)), abs=0.05)


@pytest.mark.parametrize("measure", [hurst_dfa, hurst_rs, higuchi, lyapunov, sample_entropy])
def test_rows_are_measured_one_by_one(measure) -> None:
    paths = np.cumsum(np.random.default_rng(6).normal(size=(40, 256)), axis=1)
    together = measure(paths)
    assert together.shape == (40,)
    assert [measure(paths[row : row + 1])[0] for row in (0, 17, 39)] == pytest.approx(together[[0, 17, 39]], rel=1e-9)
    assert measure(paths[:0]).shape == (0,)


@pytest.mark.parametrize("measure", [hurst_dfa, hurst_rs, higuchi, lyapunov, sample_entropy])
def test_a_constant_has_nothing_to_measure(measure) -> None:
    assert np.isnan(measure(np.full((1, 256), 3.0))[0])

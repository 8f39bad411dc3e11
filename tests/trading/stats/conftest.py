"""Noise that looks like a market: correlated, fat-tailed, with volatility that clusters, and nothing to predict."""

from collections.abc import Callable

import numpy as np
import pytest

from trading.stats import FloatArray

NoiseMarket = Callable[..., FloatArray]


@pytest.fixture
def noise_market() -> NoiseMarket:
    def make(rng: np.random.Generator, *, intervals: int = 200, instruments: int = 3, drift: float = 0.0) -> FloatArray:
        common = np.linalg.cholesky(0.3 * np.eye(instruments) + 0.7)
        shocks = rng.standard_t(5, size=(intervals, instruments)) @ common.T / np.sqrt(5 / 3)
        sizes = np.empty(intervals)
        variance = 1.0
        for at in range(intervals):
            sizes[at] = np.sqrt(variance)
            variance = 0.04 + 0.08 * variance * float(np.mean(shocks[at] ** 2)) + 0.88 * variance
        moves = drift + 0.008 * shocks * sizes[:, np.newaxis] * np.linspace(0.7, 1.4, instruments)
        return 100.0 * np.vstack([np.ones(instruments), np.cumprod(1.0 + moves, axis=0)]).T

    return make

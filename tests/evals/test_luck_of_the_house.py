"""The rules of ``house/random`` over 200 simulated seasons are as lucky as luck is; with an edge they are not."""

import numpy as np
import pytest
from scipy.stats import binom, kstest

from bench.luck import percentile_of_season

SEASONS = 200
ABOVE = 0.95


@pytest.mark.slow
def test_random_stays_in_the_luck_band_at_its_stated_rate() -> None:
    found = np.array([percentile_of_season(seed) for seed in range(SEASONS)])
    outside = int((found > ABOVE).sum()), int((found < 1 - ABOVE).sum())
    low, high = binom.ppf([0.005, 0.995], SEASONS, 1 - ABOVE)
    assert all(low <= count <= high for count in outside), outside
    assert kstest(found, "uniform").pvalue > 0.01


@pytest.mark.slow
def test_a_planted_edge_leaves_the_band() -> None:
    found = np.array([percentile_of_season(seed, foresight=1.0) for seed in range(40)])
    assert np.mean(found > ABOVE) >= 0.8
    slight = np.array([percentile_of_season(seed, foresight=0.1) for seed in range(40)])
    assert np.median(slight) > 0.6

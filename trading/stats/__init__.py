"""Statistics of returns and forecasts: what was measured, how far it can be trusted, and what luck would have given.

Pure functions on float64 arrays; randomness is a generator handed in. What cannot be estimated is None. No knowledge of
desks, journals or files: turning records into these arrays is the caller's work.
"""

from trading.stats.bootstrap import (
    PairedDifference,
    interval,
    optimal_block_length,
    paired_difference,
    percentile_interval,
    resampled,
    resampled_sums,
    stationary_indices,
)
from trading.stats.drawdown import max_drawdown
from trading.stats.luck import Holdings, holdings, luck_percentile
from trading.stats.luck_band import ReturnBand, luck_band
from trading.stats.proper_scores import BrierParts, brier, brier_parts, brier_skill, calibration_error, pinball
from trading.stats.ranking import Place, holm, places, resamples_needed
from trading.stats.returns import log_growth, price_moves, simple_returns
from trading.stats.sample import MIN_OBSERVATIONS, BoolArray, FloatArray, IntArray, why_unscored
from trading.stats.sharpe import (
    annualised,
    deflated_sharpe,
    expected_maximum_sharpe,
    moments,
    periods_per_year,
    probabilistic_sharpe,
    sharpe_of_sums,
    sharpe_ratio,
    sharpe_ratios,
    standard_error,
)

__all__ = [
    "MIN_OBSERVATIONS",
    "BoolArray",
    "BrierParts",
    "FloatArray",
    "Holdings",
    "IntArray",
    "PairedDifference",
    "Place",
    "ReturnBand",
    "annualised",
    "brier",
    "brier_parts",
    "brier_skill",
    "calibration_error",
    "deflated_sharpe",
    "expected_maximum_sharpe",
    "holdings",
    "holm",
    "interval",
    "log_growth",
    "luck_band",
    "luck_percentile",
    "max_drawdown",
    "moments",
    "optimal_block_length",
    "paired_difference",
    "percentile_interval",
    "periods_per_year",
    "pinball",
    "places",
    "price_moves",
    "probabilistic_sharpe",
    "resampled",
    "resampled_sums",
    "resamples_needed",
    "sharpe_of_sums",
    "sharpe_ratio",
    "sharpe_ratios",
    "simple_returns",
    "standard_error",
    "stationary_indices",
    "why_unscored",
]

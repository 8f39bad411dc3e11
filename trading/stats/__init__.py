"""Statistics of returns and forecasts: what was measured, how far it can be trusted, and what luck would have given.

Pure functions on float64 arrays; randomness is a generator handed in. What cannot be estimated is None. No knowledge of
desks, journals or files: turning records into these arrays is the caller's work.
"""

from trading.stats.bootstrap import (
    PairedDifference,
    interval,
    optimal_block_length,
    p_values,
    paired_difference,
    percentile_interval,
    resampled,
    resampled_sums,
    stationary_indices,
)
from trading.stats.bradley_terry import Strength, strengths
from trading.stats.drawdown import max_drawdown
from trading.stats.luck import Holdings, holdings, luck_percentile
from trading.stats.luck_band import ReturnBand, luck_band
from trading.stats.overfitting import Overfitting, backtest_overfitting
from trading.stats.paired import (
    ClusteredDifference,
    clustered_difference,
    detectable_difference,
    observations_for_sharpe,
    power_of,
)
from trading.stats.proper_scores import BrierParts, brier, brier_parts, brier_skill, calibration_error, pinball
from trading.stats.proportions import Discordance, mcnemar, pass_hat_k, wilson_interval
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
from trading.stats.superiority import ConfidenceSet, Superiority, model_confidence_set, superior_to

__all__ = [
    "MIN_OBSERVATIONS",
    "BoolArray",
    "BrierParts",
    "ClusteredDifference",
    "ConfidenceSet",
    "Discordance",
    "FloatArray",
    "Holdings",
    "IntArray",
    "Overfitting",
    "PairedDifference",
    "Place",
    "ReturnBand",
    "Strength",
    "Superiority",
    "annualised",
    "backtest_overfitting",
    "brier",
    "brier_parts",
    "brier_skill",
    "calibration_error",
    "clustered_difference",
    "deflated_sharpe",
    "detectable_difference",
    "expected_maximum_sharpe",
    "holdings",
    "holm",
    "interval",
    "log_growth",
    "luck_band",
    "luck_percentile",
    "max_drawdown",
    "mcnemar",
    "model_confidence_set",
    "moments",
    "observations_for_sharpe",
    "optimal_block_length",
    "p_values",
    "paired_difference",
    "pass_hat_k",
    "percentile_interval",
    "periods_per_year",
    "pinball",
    "places",
    "power_of",
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
    "strengths",
    "superior_to",
    "why_unscored",
    "wilson_interval",
]

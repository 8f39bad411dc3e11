"""Measures of what a set of positions can lose, as pure functions on arrays of returns, and their back-tests.

No limits and no rulings: those stand beside this folder. Paths that have not happened are drawn in ``simulation``.
"""

from trading.risk.measures.attribution import Attribution, attribute_var
from trading.risk.measures.book import (
    Concentration,
    annual_volatility,
    beta,
    concentration,
    drawdowns,
)
from trading.risk.measures.correlation import Shrunk, effective_bets, shrunk_correlation, shrunk_covariance
from trading.risk.measures.drawdown import DrawdownRisk, drawdown_risk
from trading.risk.measures.exceedances import (
    Backtest,
    Light,
    RatioTest,
    backtest,
    backtest_hits,
    christoffersen,
    kupiec,
    traffic_light,
)
from trading.risk.measures.exposure import (
    HorizonReturns,
    aligned_returns,
    horizon_returns,
    position_weights,
    returns_of_positions,
)
from trading.risk.measures.filtered import (
    filtered_returns,
    filtered_tail,
)
from trading.risk.measures.garch import Garch, fit_garch
from trading.risk.measures.historical import (
    TailRisk,
    expected_shortfall,
    historical_tail_risk,
    lookback_bars,
    returns_needed,
    value_at_risk,
)
from trading.risk.measures.liquidation import MarginUse, margin_use
from trading.risk.measures.liquidity import days_to_close, square_root_impact
from trading.risk.measures.options import (
    Greeks,
    Option,
    OptionKind,
    added_greeks,
    black_76,
    implied_volatility,
    inverse_option,
    parse_option,
)
from trading.risk.measures.parametric import (
    Moments,
    cornish_fisher_cvar,
    cornish_fisher_quantile,
    cornish_fisher_var,
    is_cornish_fisher_valid,
    normal_cvar,
    normal_var,
    return_moments,
)
from trading.risk.measures.rolling import books_var, rolling_filtered_var, rolling_historical_var, rolling_normal_var
from trading.risk.measures.volatility import RISKMETRICS_DECAY, ewma_variance, long_memory_variance

__all__ = [
    "RISKMETRICS_DECAY",
    "Attribution",
    "Backtest",
    "Concentration",
    "DrawdownRisk",
    "Garch",
    "Greeks",
    "HorizonReturns",
    "Light",
    "MarginUse",
    "Moments",
    "Option",
    "OptionKind",
    "RatioTest",
    "Shrunk",
    "TailRisk",
    "added_greeks",
    "aligned_returns",
    "annual_volatility",
    "attribute_var",
    "backtest",
    "backtest_hits",
    "beta",
    "black_76",
    "books_var",
    "christoffersen",
    "concentration",
    "cornish_fisher_cvar",
    "cornish_fisher_quantile",
    "cornish_fisher_var",
    "days_to_close",
    "drawdown_risk",
    "drawdowns",
    "effective_bets",
    "ewma_variance",
    "expected_shortfall",
    "filtered_returns",
    "filtered_tail",
    "fit_garch",
    "historical_tail_risk",
    "horizon_returns",
    "implied_volatility",
    "inverse_option",
    "is_cornish_fisher_valid",
    "kupiec",
    "long_memory_variance",
    "lookback_bars",
    "margin_use",
    "normal_cvar",
    "normal_var",
    "parse_option",
    "position_weights",
    "return_moments",
    "returns_needed",
    "returns_of_positions",
    "rolling_filtered_var",
    "rolling_historical_var",
    "rolling_normal_var",
    "shrunk_correlation",
    "shrunk_covariance",
    "square_root_impact",
    "traffic_light",
    "value_at_risk",
]

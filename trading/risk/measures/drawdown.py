"""How far a book falls from its peak, over stretches that did not happen but could have: a block bootstrap."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.book import drawdowns
from trading.risk.measures.series import checked_series
from trading.stats import optimal_block_length

QUANTILES = (0.5, 0.75, 0.95, 0.99)
_MOST_DRAWS = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawdownRisk:
    """The deepest fall within ``window`` returns, over ``resamples`` resamples in blocks of ``block`` returns.

    ``quantiles`` by level, ``tail_mean`` the mean of the deepest 5 % (conditional drawdown at risk), ``mean`` of all;
    positive fractions of the peak.
    """

    window: int
    block: int
    resamples: int
    mean: float
    tail_mean: float
    quantiles: Mapping[float, float]


def drawdown_risk(returns: FloatArray, window: int, *, rng: np.random.Generator, resamples: int = 2000) -> DrawdownRisk:
    """The distribution of the deepest fall in ``window`` future steps, by resampling ``returns`` (n,) as they came.

    Circular blocks (Politis and Romano 1992) as long as the squares remember (Politis and White 2004), so that calm and
    storm stay together. Conditional drawdown: Chekhlov, Uryasev and Zabarankin (2005). Draws are bounded to four
    million: long windows get fewer resamples, 200 at least.
    """
    series = checked_series(returns)
    if window < 1 or resamples < 1:
        raise ValueError(f"window {window}, resamples {resamples}: expected 1 or more")
    block = min(len(series), max(1, round(optimal_block_length(series**2))))
    count = max(min(resamples, _MOST_DRAWS // window), 200)
    starts = rng.integers(0, len(series), size=(count, -(-window // block), 1))
    rows = (starts + np.arange(block)).reshape(count, -1)[:, :window] % len(series)
    wealth = np.ones((count, window + 1))
    np.cumprod(1.0 + series[rows], axis=1, out=wealth[:, 1:])
    falls = drawdowns(wealth)
    worst = np.sort(falls)[-max(1, round(0.05 * count)) :]
    return DrawdownRisk(
        window=window,
        block=block,
        resamples=count,
        mean=float(falls.mean()),
        tail_mean=float(worst.mean()),
        quantiles={level: float(np.quantile(falls, level)) for level in QUANTILES},
    )

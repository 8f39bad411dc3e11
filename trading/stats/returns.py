"""Returns of accounts and of prices. An account that lost everything stays lost: what comes after ruin is no return."""

import numpy as np

from trading.stats.sample import FloatArray

RUIN = -0.999
"""A return is not taken below this before its logarithm, so that a ruined account stays a number."""


def simple_returns(equity: FloatArray) -> FloatArray:
    """Change between marks over the equity at the earlier mark, shape (n - 1,).

    From the first mark at or below zero on the account is ruined: that return is -1, later ones are 0. NaN stays NaN.
    """
    before, after = equity[:-1], equity[1:]
    ruined = np.logical_or.accumulate(equity <= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = after / before - 1.0
    return np.where(ruined[:-1], 0.0, np.where(ruined[1:], -1.0, moved))


def log_growth(returns: FloatArray) -> FloatArray:
    """``log(1 + return)``, whose sum is the growth of the whole; a ruinous return counts as -99.9 %."""
    return np.log1p(np.maximum(returns, RUIN))


def price_moves(closes: FloatArray) -> FloatArray:
    """Simple returns of instruments (instruments, marks) as (intervals, instruments); 0 where a price is not known."""
    with np.errstate(invalid="ignore", divide="ignore"):
        moves = closes[:, 1:] / closes[:, :-1] - 1.0
    return np.where(np.isfinite(moves), moves, 0.0).T.copy()

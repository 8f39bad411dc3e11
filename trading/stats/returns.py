"""Returns of an equity series. An account that lost everything stays lost: what comes after ruin is no return."""

import numpy as np

from trading.stats.sample import FloatArray

_RUIN = -0.999
"""A return is not taken below this before its logarithm, so that a ruined account stays a number."""


def simple_returns(equity: FloatArray) -> FloatArray:
    """Change between marks over the equity at the earlier mark, shape (n - 1,).

    From the first mark at or below zero on, the account is ruined: that return is -1 and later ones are 0. NaN stays NaN.
    """
    before, after = equity[:-1], equity[1:]
    ruined = np.logical_or.accumulate(equity <= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = after / before - 1.0
    return np.where(ruined[:-1], 0.0, np.where(ruined[1:], -1.0, moved))


def log_growth(returns: FloatArray) -> FloatArray:
    """``log(1 + return)``, whose sum is the growth of the whole; a ruinous return counts as -99.9 %."""
    return np.log1p(np.maximum(returns, _RUIN))


def total_return(growth: FloatArray) -> FloatArray:
    """The return that the log growths along the last axis add up to."""
    total: FloatArray = np.expm1(growth.sum(axis=-1))
    return total

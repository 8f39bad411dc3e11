"""Forecast distributions of many rows at once: quantiles of the log return on one grid of levels."""

from dataclasses import dataclass, replace

import numpy as np

from trading.marketdata import FloatArray, IntArray
from trading.stats import BoolArray

LEVELS: FloatArray = np.arange(1, 20) / 20.0
"""0.05, 0.10 ... 0.95."""

LOW, MIDDLE, HIGH = 0, 9, 18
P_BOUND = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Distributions:
    """Forecasts of n rows. ``p_up`` and ``volatility`` have shape (n,), ``quantiles`` (n, levels), rising.

    ``volatility`` is the standard deviation of the log return over the horizon: the root of its expected variance.
    ``typical`` is the volatility that is as likely to be exceeded as not, which is lower.
    """

    p_up: FloatArray
    quantiles: FloatArray
    volatility: FloatArray
    typical: FloatArray

    def __len__(self) -> int:
        return len(self.p_up)

    def rows(self, pick: slice | IntArray | BoolArray) -> "Distributions":
        """The forecasts of some of the rows."""
        return replace(
            self,
            p_up=self.p_up[pick],
            quantiles=self.quantiles[pick],
            volatility=self.volatility[pick],
            typical=self.typical[pick],
        )


def joined(parts: list[Distributions]) -> Distributions:
    """Forecasts of consecutive stretches as one."""
    return Distributions(
        p_up=np.concatenate([part.p_up for part in parts]),
        quantiles=np.concatenate([part.quantiles for part in parts]),
        volatility=np.concatenate([part.volatility for part in parts]),
        typical=np.concatenate([part.typical for part in parts]),
    )


def scaled(volatility: FloatArray, shape: FloatArray, p_up: FloatArray, *, typical: FloatArray) -> Distributions:
    """The shape (levels,) or (n, levels), in units of volatility, moved so that exactly ``p_up`` of it lies above zero.

    Quantiles and probability then speak of one distribution.
    """
    p_up = np.clip(p_up, P_BOUND, 1.0 - P_BOUND)
    grid = np.maximum.accumulate(np.broadcast_to(shape, (len(volatility), len(LEVELS))), axis=1)
    centred = grid - _at_level(grid, 1.0 - p_up)[:, np.newaxis]
    return Distributions(
        p_up=p_up, quantiles=centred * volatility[:, np.newaxis], volatility=volatility, typical=typical
    )


def standard_quantiles(standardised: FloatArray) -> FloatArray:
    """Quantiles on the grid of returns in units of their forecast volatility, shape (levels,)."""
    return np.quantile(standardised, LEVELS)


def level_of(quantiles: FloatArray, outcomes: FloatArray) -> FloatArray:
    """Where each outcome fell in its forecast: the probability integral transform, shape (n,), uniform when calibrated.

    Below the lowest quantile it is half of the lowest level, above the highest as far from 1.
    """
    below = (quantiles < outcomes[:, np.newaxis]).sum(axis=1)
    at = np.clip(below, 1, len(LEVELS) - 1)
    row = np.arange(len(outcomes))
    left, right = quantiles[row, at - 1], quantiles[row, at]
    width = np.where(right > left, right - left, 1.0)
    inside = LEVELS[at - 1] + (LEVELS[at] - LEVELS[at - 1]) * np.clip((outcomes - left) / width, 0.0, 1.0)
    found = np.where(below == 0, LEVELS[0] / 2, np.where(below == len(LEVELS), (1 + LEVELS[-1]) / 2, inside))
    return np.asarray(found, np.float64)


def _at_level(grid: FloatArray, level: FloatArray) -> FloatArray:
    """The quantile of each row at its own level, linear between the levels of the grid and beyond its ends."""
    at = np.clip(np.searchsorted(LEVELS, level), 1, len(LEVELS) - 1)
    row = np.arange(len(level))
    left, right = grid[row, at - 1], grid[row, at]
    return left + (right - left) * (level - LEVELS[at - 1]) / (LEVELS[at] - LEVELS[at - 1])

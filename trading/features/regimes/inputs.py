"""What regimes are told by: the strength of the trend, volatility against its baseline, and the moves of one bar."""

import numpy as np

from trading.features.frame import FeatureFrame, step_returns
from trading.features.regimes.regime import RegimeSettings
from trading.features.rolling import total
from trading.marketdata import FloatArray

STRENGTH, VOLATILITY, MOVE, RANGE = range(4)

_STILL = 1e-12
_RATIO_FLOOR = 1e-2
"""Volatility and range below this share of the baseline count as this share: a market at rest."""


def regime_inputs(frame: FeatureFrame, settings: RegimeSettings) -> FloatArray:
    """One row for each bar from ``baseline`` on, shape (bars - baseline, 4), each from ``baseline + 1`` bars alone.

    ``STRENGTH`` is the self-normalised sum of the last ``trend`` returns, about normal(0, 1) without a trend (Logan,
    Mallows, Rice and Shepp 1973). ``VOLATILITY`` is the log ratio of the root mean square return over ``volatility``
    bars to that over the baseline, ``MOVE`` the return and ``RANGE`` the log of the high-low range in units of it.
    """
    if len(frame) <= settings.baseline:
        return np.empty((0, 4))
    moves = step_returns(frame)
    squares = moves**2
    count = len(moves) - settings.baseline + 1

    def newest(values: FloatArray) -> FloatArray:
        return values[len(values) - count :]

    scale = np.sqrt(np.maximum(newest(total(squares, settings.baseline)), 0) / settings.baseline)
    usual = np.maximum(scale, _STILL)
    path = np.sqrt(np.maximum(newest(total(squares, settings.trend)), 0))
    strength = np.where(path > _STILL, newest(total(moves, settings.trend)) / np.maximum(path, _STILL), 0.0)
    recent = np.sqrt(np.maximum(newest(total(squares, settings.volatility)), 0) / settings.volatility)
    reach = newest(np.log(frame.columns["high"] / frame.columns["low"]))
    moving = scale > _STILL
    return np.column_stack(
        [
            strength,
            np.where(moving, np.log(np.maximum(recent / usual, _RATIO_FLOOR)), 0.0),
            np.where(moving, newest(moves) / usual, 0.0),
            np.where(moving, np.log(np.maximum(reach / usual, _RATIO_FLOOR)), 0.0),
        ]
    )

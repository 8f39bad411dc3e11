"""Forecasts from the past as it was: how returns over the horizon were spread in the window, and nothing else.

The floor that whoever claims to know more has to beat. Overlapping returns are used, which wastes nothing and biases
nothing; quantiles are empirical, and the probability of a rise is shrunk towards one half by one observation of each.
"""

import math

import numpy as np

from trading.domain import duration_text
from trading.domain.errors import BadArguments, Unavailable
from trading.forecasting.forecaster import ReturnForecast
from trading.marketdata import Bars

FEWEST_WINDOWS = 3
"""Horizons that must fit into the window side by side."""


class Climatology:
    """The spread of past returns over the same horizon."""

    name = "climatology"
    window = 720
    min_bars = 100

    def forecast(self, bars: Bars, horizon_ms: int) -> ReturnForecast:
        """The distribution of the return over ``horizon_ms``, as it was in the last 720 bars.

        Raises Unavailable with too little history or a price that never moved, BadArguments for a horizon that is not a
        whole number of bars or longer than a third of the window.
        """
        steps, rest = divmod(horizon_ms, bars.step_ms)
        if rest or not 1 <= steps <= self.window // FEWEST_WINDOWS:
            raise BadArguments(
                f"horizon of {horizon_ms / 1000:g} s: expected a whole number of bars of "
                f"{duration_text(bars.step_ms)}, at most {self.window // FEWEST_WINDOWS}"
            )
        needed = max(self.min_bars, FEWEST_WINDOWS * steps + 1)
        if len(bars) < needed:
            raise Unavailable(f"{bars.instrument}: climatology needs {needed} closed bars, there are {len(bars)}")
        logs = np.log(bars.close[-self.window :])
        returns = logs[steps:] - logs[:-steps]
        volatility = math.sqrt(float(np.mean(returns**2)))
        if volatility == 0:
            raise Unavailable(f"{bars.instrument}: no price change in {len(logs)} bars, its volatility is unknown")
        independent = len(returns) / steps
        q05, q50, q95 = np.quantile(returns, (0.05, 0.5, 0.95)).tolist()
        return ReturnForecast(
            p_up=(float(np.mean(returns > 0)) * independent + 1.0) / (independent + 2.0),
            q05=math.expm1(q05),
            q50=math.expm1(q50),
            q95=math.expm1(q95),
            volatility=volatility,
        )


FORECASTER = Climatology()

"""Probabilistic forecasts of returns: what a forecaster is, and the models that are one, one file each in ``models``.

Forecasts only: what to trade on them is decided elsewhere.
"""

from trading.forecasting.forecaster import Forecaster, ReturnForecast
from trading.forecasting.shelf import discover, forecaster

__all__ = ["Forecaster", "ReturnForecast", "discover", "forecaster"]

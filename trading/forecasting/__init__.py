"""Probabilistic forecasts of returns: what a forecaster is, and the models that are one, one file each in ``models``.

Around them: training (``targets``, ``folds``, ``dataset``, ``boosting``, ``training``), what they are compared with
(``baselines``), how they are scored (``losses``, ``scores``, ``record``), and which one speaks (``bundle``,
``registry``, ``serving``). These need scientific libraries, so they are imported from their modules.

Forecasts only: what to trade on them is decided elsewhere.
"""

from trading.forecasting.forecaster import Forecaster, ReturnForecast, ServedForecast
from trading.forecasting.shelf import discover, forecaster

__all__ = ["Forecaster", "ReturnForecast", "ServedForecast", "discover", "forecaster"]

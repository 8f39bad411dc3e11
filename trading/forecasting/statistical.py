"""ARIMA, ETS and Theta as forecasters of the return, judged walk-forward: what classical time series can say of it.

The series is the logarithm of every ``steps``-th close, so that one step ahead is the horizon. Models come from
statsforecast (Hyndman & Khandakar 2008 for the automatic choice of ARIMA and ETS; Assimakopoulos & Nikolopoulos 2000
for Theta). They are chosen and fitted on what was known before each fold's first
judged bar and then rolled forward; their variance does not change.
"""

import warnings
from typing import Any

import numpy as np

from trading.features.frame import FeatureFrame
from trading.forecasting.distribution import LEVELS, Distributions, joined
from trading.forecasting.folds import Fold
from trading.forecasting.targets import Targets
from trading.marketdata import FloatArray, IntArray

NAMES = ("arima", "ets", "theta")
FITTED_ON = 1500
"""Points that the models are fitted on."""

MAX_JUDGED = 800

_ONE_DEVIATION = 68.2689492
"""Level of the interval that reaches one standard deviation to either side."""


def statistical_baselines(
    frame: FeatureFrame, targets: Targets, folds: list[Fold]
) -> tuple[IntArray, dict[str, Distributions]]:
    """Forecasts of the three models, and the rows they are for: every ``steps``-th test row, at most 800 in all."""
    steps = targets.steps
    tests = np.concatenate([fold.test for fold in folds])
    spacing = max(steps, -(-len(tests) // MAX_JUDGED) // steps * steps or steps)
    parts: dict[str, list[Distributions]] = {name: [] for name in NAMES}
    rows: list[IntArray] = []
    logs = np.log(frame.columns["close"])
    for fold in folds:
        first, last = int(fold.test[0]), int(fold.test[-1])
        grid = np.arange(first % steps, last + 1, steps)
        known = grid[grid < first][-FITTED_ON:]
        ahead = grid[(grid >= first) & np.isin(grid, fold.test)]
        ahead = ahead[:: max(1, spacing // steps)]
        rows.append(ahead)
        said = _rolled(logs[grid], np.searchsorted(grid, known), np.searchsorted(grid, ahead))
        for name, (mean, deviation) in said.items():
            parts[name].append(_normal(mean - logs[ahead], deviation))
    return np.concatenate(rows), {name: joined(found) for name, found in parts.items()}


def _rolled(series: FloatArray, known: IntArray, ahead: IntArray) -> dict[str, tuple[FloatArray, FloatArray]]:
    """One-step means and deviations at positions ``ahead`` of ``series``, by models fitted at positions ``known``."""
    from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

    models: dict[str, Any] = {
        "arima": AutoARIMA(season_length=1, d=1, max_p=3, max_q=3),
        "ets": AutoETS(season_length=1, model="AZN"),
        "theta": AutoTheta(season_length=1),
    }
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that stops early still forecasts, and the score tells its worth
        for name, model in models.items():
            model.fit(y=series[known])
            said = model.predict(h=1, level=[_ONE_DEVIATION])
            deviation = (said[f"hi-{_ONE_DEVIATION}"][0] - said[f"lo-{_ONE_DEVIATION}"][0]) / 2.0
            windows = (series[max(0, at + 1 - len(known)) : at + 1] for at in ahead.tolist())
            means = np.array([model.forward(y=window, h=1)["mean"][0] for window in windows])
            found[name] = (means, np.full(len(ahead), max(float(deviation), 1e-9)))
    return found


def _normal(mean: FloatArray, deviation: FloatArray) -> Distributions:
    from scipy.stats import norm

    return Distributions(
        p_up=np.clip(np.asarray(norm.cdf(mean / deviation), np.float64), 1e-6, 1.0 - 1e-6),
        quantiles=mean[:, np.newaxis] + deviation[:, np.newaxis] * np.asarray(norm.ppf(LEVELS), np.float64),
        volatility=deviation,
        typical=deviation,
    )

"""From a model's margin to a probability that means what it says, learnt on times the model had not seen."""

from dataclasses import dataclass

import numpy as np

from trading.marketdata import FloatArray

MIN_ISOTONIC = 3000
"""Fewer past forecasts than this cannot carry an isotonic curve."""

WORTH_IT = 1e-4
"""A curve must gain this much log score over the sigmoid to be taken."""

SLOPE_SPREAD, INTERCEPT_SPREAD = 0.5, 0.05
"""Prior standard deviations of the sigmoid's slope and intercept around zero: direction is a coin until
shown otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrator:
    """A rising map from margin to probability: linear between ``margins``, constant beyond them; or Platt's sigmoid."""

    kind: str
    margins: tuple[float, ...]
    probabilities: tuple[float, ...]
    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, margin: FloatArray) -> FloatArray:
        """The probability of each margin, shape (n,)."""
        if self.kind == "isotonic":
            return np.interp(margin, self.margins, self.probabilities)
        return _sigmoid(self.slope * margin + self.intercept)


def calibrate(margin: FloatArray, up: FloatArray, *, steps: int) -> Calibrator:
    """Platt's sigmoid (1999) or the isotonic curve (Zadrozny & Elkan 2002), whichever was better on the later half.

    Both are fitted on the earlier half and judged on the later one by log score; the winner is fitted again on all.
    Forecasts that look ``steps`` bars
    ahead share their outcomes, so only every so manyth counts. The sigmoid
    cannot turn the model upside down, and what the evidence does not carry is shrunk to one half.
    """
    half = len(margin) // 2
    if half // steps >= MIN_ISOTONIC:
        sigmoid = _platt(margin[:half], up[:half], half / steps)(margin[half:])
        curve = _isotonic(margin[:half], up[:half])(margin[half:])
        if _log_loss(curve, up[half:]) < _log_loss(sigmoid, up[half:]) - WORTH_IT:
            return _isotonic(margin, up)
    return _platt(margin, up, max(1.0, len(up) / steps))


def _platt(margin: FloatArray, up: FloatArray, effective: float) -> Calibrator:
    """The most likely sigmoid under the prior, on as much evidence as ``effective`` independent outcomes carry."""
    from scipy.optimize import minimize

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        p = _sigmoid(at[0] * margin + at[1])
        gap = (p - up) / len(up)
        prior = np.array([at[0] / SLOPE_SPREAD**2, at[1] / INTERCEPT_SPREAD**2]) / effective
        value = _log_loss(p, up) + 0.5 * float(prior @ at)
        return value, np.array([float(gap @ margin), float(gap.sum())]) + prior

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, 3.0), (-3.0, 3.0)])
    return Calibrator(kind="platt", margins=(), probabilities=(), slope=float(found.x[0]), intercept=float(found.x[1]))


def _isotonic(margin: FloatArray, up: FloatArray) -> Calibrator:
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(y_min=0.02, y_max=0.98, out_of_bounds="clip").fit(margin, up)
    return Calibrator(
        kind="isotonic",
        margins=tuple(map(float, curve.X_thresholds_)),
        probabilities=tuple(map(float, curve.y_thresholds_)),
    )


def _sigmoid(values: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0))))


def _log_loss(p: FloatArray, up: FloatArray) -> float:
    p = np.clip(p, 1e-9, 1.0 - 1e-9)
    return float(-np.mean(up * np.log(p) + (1.0 - up) * np.log(1.0 - p)))

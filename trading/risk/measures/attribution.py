"""Whose risk it is: VaR split over positions so that the parts add up, and what a little more of each would add."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_level

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Parametric VaR of positions and its parts, as fractions of equity. Arrays have shape (assets,).

    ``marginal`` is the VaR that a unit more of weight adds, ``component`` = weight * marginal. Components add up to
    ``var``; one below 0 hedges the rest.
    """

    var: float
    marginal: FloatArray
    component: FloatArray

    @property
    def share(self) -> FloatArray:
        """Each component as a fraction of the VaR; zeros where there is no VaR to share."""
        return self.component / self.var if self.var else np.zeros_like(self.component)


def attribute_var(weights: FloatArray, mean: FloatArray, covariance: FloatArray, level: float) -> Attribution:
    """Euler's split of the normal VaR of ``weights`` (assets,), signed position values as fractions of equity.

    marginal_i = z * (covariance @ weights)_i / deviation - mean_i. Garman (1996); Tasche (1999). A book without
    deviation has no marginal risk but its mean.
    """
    held = np.asarray(weights, dtype=np.float64)
    if held.ndim != 1 or np.shape(mean) != held.shape or np.shape(covariance) != (len(held), len(held)):
        raise ValueError(
            f"weights {held.shape}, mean {np.shape(mean)}, covariance {np.shape(covariance)}: "
            "expected (n,), (n,), (n, n)"
        )
    z = _NORMAL.inv_cdf(checked_level(level))
    drag = covariance @ held
    variance = float(held @ drag)
    slope = z * drag / np.sqrt(variance) if variance > 0 else np.zeros_like(held)
    marginal = slope - mean
    component = held * marginal
    return Attribution(var=float(component.sum()), marginal=marginal, component=component)

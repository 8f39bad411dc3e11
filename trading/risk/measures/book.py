"""The shape of a book of positions: volatility, beta, concentration, and how far it fell and falls."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_series

_YEAR_MS = 365 * 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """``herfindahl`` is the sum of squared shares of gross exposure, ``effective`` its inverse: positions as if equal.

    ``largest`` is the greatest share and ``instrument`` whose it is; a flat book has None throughout.
    """

    herfindahl: float | None
    effective: float | None
    largest: float | None
    instrument: str | None


def annual_volatility(returns: FloatArray, step_ms: int) -> float:
    """Standard deviation of ``returns`` (n,), one every ``step_ms``, over a year of 365 days."""
    return float(checked_series(returns).std(ddof=1)) * math.sqrt(_YEAR_MS / step_ms)


def beta(returns: FloatArray, benchmark: FloatArray) -> float | None:
    """Slope of ``returns`` on ``benchmark``, both (n,) and aligned; None where the benchmark never moved."""
    ours, theirs = checked_series(returns), checked_series(benchmark)
    if ours.shape != theirs.shape:
        raise ValueError(f"series of {len(ours)} and {len(theirs)} returns are not aligned")
    centred = theirs - theirs.mean()
    variance = float(centred @ centred)
    return float(centred @ (ours - ours.mean())) / variance if variance > 0 else None


def concentration(weights: Mapping[str, float]) -> Concentration:
    """How much of the gross exposure hangs on few positions. Herfindahl and Hirschman."""
    gross = sum(map(abs, weights.values()))
    if gross <= 0:
        return Concentration(herfindahl=None, effective=None, largest=None, instrument=None)
    shares = {symbol: abs(weight) / gross for symbol, weight in weights.items()}
    most = max(shares, key=lambda symbol: shares[symbol])
    index = sum(share * share for share in shares.values())
    return Concentration(herfindahl=index, effective=1.0 / index, largest=shares[most], instrument=most)


def drawdowns(wealth: FloatArray) -> FloatArray:
    """The deepest fall from an earlier peak of every path, as a positive fraction of that peak. Shape (paths,).

    ``wealth`` has shape (paths, steps) and starts above 0; a fall below 0 counts as more than 1.
    """
    if wealth.ndim != 2 or not wealth.shape[1] or not np.isfinite(wealth).all() or (wealth[:, 0] <= 0).any():
        raise ValueError(f"wealth of shape {wealth.shape}: expected finite (paths, steps) that start above 0")
    peak = wealth[:, 0].copy()
    deepest = np.zeros(len(wealth))
    for step in range(1, wealth.shape[1]):
        now = wealth[:, step]
        np.maximum(peak, now, out=peak)
        np.maximum(deepest, 1.0 - now / peak, out=deepest)
    return deepest

"""Whether the world has moved away from what a model learnt: in what it sees, and in how well it does."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trading.forecasting.bundle import Spread
from trading.marketdata import FloatArray

SHIFTED = 0.25
"""A population stability index above this is a shift by the usual reading (0.1 to 0.25 is a small one)."""

_SMALLEST_SHARE = 1e-4


def stability_index(spread: Spread, values: FloatArray) -> float | None:
    """Population stability index of recent ``values`` (n,) of one feature against its training spread.

    The sum over ten equal shares of (now - then) * ln(now / then), the unknown being a share of its own (Siddiqi 2006).
    None where there is nothing to compare. About 9 / n for no shift at all.
    """
    if not len(values) or len(spread.edges) < 2:
        return None
    known = values[~np.isnan(values)]
    then = np.append(np.full(len(spread.edges) + 1, (1.0 - spread.unknown) / (len(spread.edges) + 1)), spread.unknown)
    counts = np.bincount(np.searchsorted(spread.edges, known, side="left"), minlength=len(spread.edges) + 1)
    now = np.append(counts, len(values) - len(known)) / len(values)
    then, now = np.maximum(then, _SMALLEST_SHARE), np.maximum(now, _SMALLEST_SHARE)
    return float(np.sum((now - then) * np.log(now / then)))


def shifted_features(spreads: Mapping[str, Spread], names: tuple[str, ...], values: FloatArray) -> dict[str, float]:
    """The features whose recent ``values`` (n, features) have shifted, by their index, the largest first."""
    found = {}
    for at, name in enumerate(names):
        index = stability_index(spreads[name], values[:, at]) if name in spreads else None
        if index is not None and index > SHIFTED:
            found[name] = index
    return dict(sorted(found.items(), key=lambda item: -item[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a stream's mean: after which observation, and the means before and after."""

    at: int
    before: float
    after: float


def adaptive_window(losses: FloatArray, *, confidence: float = 0.002, smallest: int = 50) -> Change | None:
    """The latest change of the mean of a stream of losses (n,), None where it is steady.

    ADWIN (Bifet & Gavalda 2007): the window is cut wherever two parts of it differ by more than chance, and
    forgets what lies before the cut. ``confidence`` bounds false alarms of the whole window. Overlapping horizons make
    it over-confident, so thin the losses to one a horizon before.
    """
    window, start, change = losses[np.isfinite(losses)], 0, None
    while True:
        cut = _cut(window[start:], confidence, smallest)
        if cut is None:
            return change
        part = window[start:]
        change = Change(at=start + cut, before=float(part[:cut].mean()), after=float(part[cut:].mean()))
        start += cut


def _cut(window: FloatArray, confidence: float, smallest: int) -> int | None:
    """Where the window's parts differ most beyond their bound."""
    n = len(window)
    if n < 2 * smallest:
        return None
    sizes = np.arange(smallest, n - smallest + 1)
    sums = np.cumsum(window)
    left, right = sums[sizes - 1] / sizes, (sums[-1] - sums[sizes - 1]) / (n - sizes)
    harmonic = 1.0 / (1.0 / sizes + 1.0 / (n - sizes))
    strength = math.log(2.0 * n / confidence)
    scale = float(np.ptp(window)) or 1.0
    variance = float(window.var())
    bound = np.sqrt(2.0 / harmonic * variance * strength) + 2.0 * scale / (3.0 * harmonic) * strength
    excess = np.abs(left - right) - bound
    best = int(np.argmax(excess))
    return int(sizes[best]) if excess[best] > 0 else None

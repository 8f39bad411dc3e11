"""The isolation forest: bars whose move, range and volume do not go together as they used to."""

from functools import lru_cache
from typing import Any

import numpy as np

from trading.features.schedule import fit_stretches
from trading.marketdata import FloatArray, IntArray

_TREES = 100
_KEPT_FITS = 128


def forest_pvalues(
    points: FloatArray, open_ms: IntArray, *, step_ms: int, window: int, refit: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Scores (Liu, Ting and Zhou 2008: 0 to 1, above 0.5 is easy to isolate) and their p-values, each of shape (n,).

    A forest is fitted when the clock completes ``refit`` bars, on the 2 * ``window`` bars that lie before the last
    ``window`` ones; those it has not seen, and a p-value is the rank of a score among theirs (split conformal), so that
    of exchangeable bars a share p has a p-value of at most p. NaN where a point is not known or the past too short.
    """
    scores, pvalues = np.full(len(points), np.nan), np.full(len(points), np.nan)
    whole = np.flatnonzero(~np.isnan(points).any(axis=1))
    known = points[whole]
    for start, end in fit_stretches(open_ms[whole], step_ms, refit):
        if start < 3 * window:
            continue
        past = np.ascontiguousarray(known[start - 3 * window : start])
        model, usual = _fitted(past.tobytes(), window, seed)
        found = -model.score_samples(known[start:end])
        rank = window - np.searchsorted(usual, found, side="left")
        scores[whole[start:end]] = found
        pvalues[whole[start:end]] = (1 + rank) / (window + 1)
    return scores, pvalues


@lru_cache(maxsize=_KEPT_FITS)
def _fitted(data: bytes, window: int, seed: int) -> tuple[Any, FloatArray]:
    """The forest and the sorted scores of the bars kept back, by what they follow from."""
    from sklearn.ensemble import IsolationForest

    past = np.frombuffer(data).reshape(3 * window, -1)
    model = IsolationForest(n_estimators=_TREES, random_state=seed).fit(past[: 2 * window])
    usual: FloatArray = np.sort(-model.score_samples(past[2 * window :]))
    return model, usual

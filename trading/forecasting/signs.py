"""What the bars since a model was made say of it: whether its world has moved away, and how it has done in it."""

import numpy as np

from trading.features.frame import FeatureFrame
from trading.features.regimes.inputs import STRENGTH, VOLATILITY, regime_inputs
from trading.features.regimes.regime import REGIMES, RegimeSettings
from trading.features.regimes.rules import rule_probs
from trading.features.registry import chosen, history_bars
from trading.features.vector import compute
from trading.forecasting.bundle import Bundle
from trading.forecasting.losses import qlike
from trading.forecasting.retraining import Signs
from trading.forecasting.targets import targets_of
from trading.marketdata import FloatArray

RECENT_BARS = 2160
"""Bars that features are compared over. Over fewer, the slow ones always look shifted: they hardly move."""

REGIME_BARS = 168
"""The regime of a time is what most of this many bars were called."""


def signs_of(bundle: Bundle, frame: FeatureFrame) -> Signs:
    """The signs at the last close of ``frame``, which holds the model's instrument with what the model reads.

    Losses are QLIKE, which a wilder market alone does not raise: those of the walk-forward first, then of every bar
    since, each forecast from what was known at it.
    """
    card = bundle.card
    closed = frame.open_ms + frame.step_ms
    since = int(np.searchsorted(closed, card.trained_to_ms, side="right"))
    now_ms = int(closed[-1])
    if since >= len(frame):
        return Signs(now_ms=now_ms)
    features = chosen(card.features)
    begin = max(0, min(since, len(frame) - RECENT_BARS) - history_bars(features))
    part = frame.rows(begin, len(frame))
    values = compute(part, features).values.T
    steps = card.horizon_ms // card.step_ms
    learnt = _thinned(bundle.judged.qlike, steps)
    fresh = _thinned(_losses(bundle, part, values, since - begin, steps), steps)
    regimes = [_regime(frame, row) for row in (len(frame), since)]
    return Signs(
        now_ms=now_ms,
        values=values[-RECENT_BARS:] if len(values) - history_bars(features) >= RECENT_BARS else None,
        losses=np.concatenate([learnt, fresh]),
        losses_learnt=len(learnt),
        regime=regimes[0],
        trained_regime=regimes[1],
    )


def _losses(bundle: Bundle, frame: FeatureFrame, values: FloatArray, begin: int, steps: int) -> FloatArray:
    """QLIKE of the model's forecasts at the rows from ``begin`` on, NaN while their horizon is open."""
    said = bundle.predict(values[begin:])
    return qlike(said.volatility, targets_of(frame, steps).realised[begin:])


def _thinned(losses: FloatArray, steps: int) -> FloatArray:
    found = losses[::steps]
    return np.asarray(found[np.isfinite(found)])


def _regime(frame: FeatureFrame, end: int) -> str | None:
    """What the rule of regimes called most of the last week of bars before row ``end``; None where it is not known."""
    settings = RegimeSettings()
    begin = max(0, end - REGIME_BARS - settings.baseline - 1)
    inputs = regime_inputs(frame.rows(begin, end), settings)
    probs = rule_probs(inputs[:, STRENGTH], inputs[:, VOLATILITY])[-REGIME_BARS:]
    probs = probs[~np.isnan(probs).any(axis=1)]
    if not len(probs):
        return None
    return REGIMES[int(np.argmax(np.bincount(np.argmax(probs, axis=1), minlength=len(REGIMES))))].value

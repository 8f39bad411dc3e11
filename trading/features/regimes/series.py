"""The regime of every bar of a frame, and the bars at which it changed."""

from dataclasses import dataclass

import numpy as np

from trading.features.frame import FeatureFrame
from trading.features.regimes.fit import fit_of, opinions
from trading.features.regimes.inputs import regime_inputs
from trading.features.regimes.regime import (
    METHODS,
    REGIMES,
    Regime,
    RegimeReading,
    RegimeSettings,
    agreement,
    reading,
)
from trading.features.schedule import fit_stretches
from trading.marketdata import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeChange:
    """From the bar that opens at ``open_ms``, known at its close, the market counts as ``now``."""

    open_ms: int
    before: Regime | None
    now: Regime
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeSeries:
    """``methods`` has shape (methods, bars, regimes) in the order of METHODS and Regime; NaN is not known."""

    open_ms: IntArray
    methods: FloatArray
    settings: RegimeSettings

    def __len__(self) -> int:
        return len(self.open_ms)

    @property
    def probs(self) -> FloatArray:
        """Mean over the known methods, shape (bars, regimes); NaN before the first reading."""
        known = ~np.isnan(self.methods[:, :, :1])
        count = known.sum(axis=0)
        found: FloatArray = np.where(known, self.methods, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan)
        return found

    @property
    def confidence(self) -> FloatArray:
        """Agreement of the methods, shape (bars,); NaN before the first fit."""
        return agreement(self.methods)

    def last(self) -> RegimeReading | None:
        """The reading at the last bar; None where there is too little history."""
        if not len(self) or np.isnan(self.methods[0, -1, 0]):
            return None
        return reading(int(self.open_ms[-1]), self.methods[:, -1])

    def changes(self) -> list[RegimeChange]:
        """Changes of regime that the methods agreed on, never two within the cool-down."""
        watch = ChangeWatch(self.settings)
        probs, confidence = self.probs, self.confidence
        found = []
        for row in np.flatnonzero(~np.isnan(confidence)).tolist():
            regime = REGIMES[int(np.argmax(probs[row]))]
            change = watch.push(int(self.open_ms[row]), regime, float(confidence[row]))
            if change is not None:
                found.append(change)
        return found

    def columns(self) -> dict[str, FloatArray]:
        """Every number a bar by name, such as ``regime_hidden_markov_bull``."""
        named = {f"regime_{regime}": self.probs[:, at] for at, regime in enumerate(REGIMES)}
        named["regime_confidence"] = self.confidence
        for method, values in zip(METHODS, self.methods, strict=True):
            named |= {f"regime_{method}_{regime}": values[:, at] for at, regime in enumerate(REGIMES)}
        return named


class ChangeWatch:
    """Holds the regime that counts, and changes it only when methods agree and the last change is long enough ago."""

    def __init__(self, settings: RegimeSettings) -> None:
        self._settings = settings
        self._regime: Regime | None = None
        self._bars_since = settings.cool_down

    def push(self, open_ms: int, regime: Regime, confidence: float | None) -> RegimeChange | None:
        """Takes the reading of one bar."""
        self._bars_since += 1
        if confidence is None or confidence < self._settings.sure or regime is self._regime:
            return None
        if self._bars_since < self._settings.cool_down:
            return None
        change = RegimeChange(open_ms=open_ms, before=self._regime, now=regime, confidence=confidence)
        self._regime, self._bars_since = regime, 0
        return change


def regime_series(frame: FeatureFrame, settings: RegimeSettings | None = None) -> RegimeSeries:
    """The regime at each bar of ``frame``, from the bars up to it: nothing is fitted on what comes after."""
    settings = settings or RegimeSettings()
    inputs = regime_inputs(frame, settings)
    first = len(frame) - len(inputs)
    found = np.full((len(METHODS), len(frame), len(REGIMES)), np.nan)
    for start, end in fit_stretches(frame.open_ms[first:], frame.step_ms, settings.refit):
        found[:, first + start : first + end], _ = opinions(fit_of(inputs[:start], settings), inputs[start:end], None)
    return RegimeSeries(open_ms=frame.open_ms, methods=found, settings=settings)


def latest_regime(frame: FeatureFrame, settings: RegimeSettings | None = None) -> RegimeReading | None:
    """The reading at the last bar alone, with one fit; None where there is too little history."""
    settings = settings or RegimeSettings()
    inputs = regime_inputs(frame, settings)
    if not len(inputs):
        return None
    start, _ = fit_stretches(frame.open_ms[len(frame) - len(inputs) :], frame.step_ms, settings.refit)[-1]
    found, _ = opinions(fit_of(inputs[:start], settings), inputs[start:], None)
    return reading(int(frame.open_ms[-1]), found[:, -1])

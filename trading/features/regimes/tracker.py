"""The regime bar by bar: the same readings as over a frame, with one cheap step a bar and a fit on schedule."""

import math

import numpy as np

from trading.domain.errors import DataError
from trading.domain.instants import from_ms
from trading.features.frame import FeatureFrame
from trading.features.regimes.fit import Fit, fit_of, opinions
from trading.features.regimes.inputs import regime_inputs
from trading.features.regimes.regime import RegimeReading, RegimeSettings, reading
from trading.features.regimes.series import ChangeWatch, RegimeChange
from trading.features.schedule import fit_periods
from trading.marketdata import FloatArray

_COLUMNS = ("high", "low", "close")


class RegimeTracker:
    """Takes one closed bar at a time and keeps no more than the next fit needs. ``changed`` is the last change."""

    def __init__(self, step_ms: int, settings: RegimeSettings | None = None) -> None:
        self.settings = settings or RegimeSettings()
        self.changed: RegimeChange | None = None
        self._step_ms = step_ms
        self._open_ms: list[int] = []
        self._bars: list[tuple[float, ...]] = []
        self._past: list[FloatArray] = []
        self._watch = ChangeWatch(self.settings)
        self._period = -1
        self._fit: Fit | None = None
        self._state: FloatArray | None = None

    def push(self, open_ms: int, high: float, low: float, close: float) -> RegimeReading | None:
        """The reading at the bar that has just closed; None before there is enough history.

        Raises DataError for a bar that does not lie after the last one or whose prices are no prices; nothing is kept
        of it.
        """
        if not (0 < low <= high < math.inf and 0 < close < math.inf):
            raise DataError(
                f"the bar of {from_ms(open_ms).isoformat()} has prices {high}, {low}, {close}; expected > 0"
            )
        if self._open_ms and open_ms < self._open_ms[-1] + self._step_ms:
            raise DataError(f"the bar of {from_ms(open_ms).isoformat()} does not come after the last one")
        self._open_ms.append(open_ms)
        self._bars.append((high, low, close))
        needed = self.settings.baseline + 1
        if len(self._bars) < needed:
            return None
        del self._open_ms[:-needed], self._bars[:-needed]
        inputs = self._inputs()
        self._refit_when_due(open_ms)
        found, self._state = opinions(self._fit, inputs, self._state)
        self._past.append(inputs[0])
        del self._past[: -self.settings.fit_bars]
        now = reading(open_ms, found[:, 0])
        self.changed = self._watch.push(open_ms, now.regime, now.confidence) or self.changed
        return now

    def _inputs(self) -> FloatArray:
        columns = np.array(self._bars).T
        frame = FeatureFrame(
            instrument="",
            step_ms=self._step_ms,
            open_ms=np.array(self._open_ms, np.int64),
            columns=dict(zip(_COLUMNS, columns, strict=True)),
        )
        return regime_inputs(frame, self.settings)

    def _refit_when_due(self, open_ms: int) -> None:
        period = int(fit_periods(np.array([open_ms]), self._step_ms, self.settings.refit)[0])
        if period == self._period:
            return
        self._period, self._state = period, None
        self._fit = fit_of(np.array(self._past), self.settings) if self._past else None

"""What kind of market it is: bull, bear, ranging or volatile, with probabilities, from closed bars alone.

Four methods give their opinion; their agreement is the confidence. No forecasts: a regime describes the last bars.
"""

from trading.features.regimes.regime import METHODS, Regime, RegimeReading, RegimeSettings
from trading.features.regimes.series import RegimeChange, RegimeSeries, regime_series
from trading.features.regimes.tracker import RegimeTracker

__all__ = [
    "METHODS",
    "Regime",
    "RegimeChange",
    "RegimeReading",
    "RegimeSeries",
    "RegimeSettings",
    "RegimeTracker",
    "regime_series",
]

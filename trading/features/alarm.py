"""How the market stands, for those who guard an account: what is out of the ordinary, and how wild it is."""

from dataclasses import dataclass

from trading.features.anomalies import Anomaly, AnomalyScan, AnomalySettings, Severity, scan
from trading.features.frame import FeatureFrame, frame_of
from trading.features.regimes import Regime, RegimeReading, RegimeSettings
from trading.features.regimes.series import latest_regime
from trading.marketdata import MarketView


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketAlarm:
    """State of one instrument at the instant of the view; None is not known, or for ``severity`` nothing.

    ``severity`` is the gravest of ``anomalies``, those known since the last ``bars`` bars. ``volatile_probability`` is
    the mean of the methods' probability that the market is volatile.
    """

    instrument: str
    as_of_ms: int
    severity: Severity | None
    anomalies: tuple[Anomaly, ...]
    regime: Regime | None
    volatile_probability: float | None
    confidence: float | None


def watch_frame(view: MarketView, symbol: str) -> FeatureFrame:
    """As many bars of ``symbol`` as both the regime and the anomalies of the last bar follow from."""
    return frame_of(view, symbol, bars=RegimeSettings().history_bars)


def recent_scan(frame: FeatureFrame, bars: int = 1) -> AnomalyScan:
    """The anomalies of the last ``bars`` bars, judged with the history that they need and no more."""
    history = AnomalySettings().history_bars + bars
    return scan(frame.rows(max(0, len(frame) - history), len(frame)), newest=bars)


def market_alarm(view: MarketView, symbol: str, *, bars: int = 1) -> MarketAlarm:
    """How ``symbol`` stands at the instant of ``view``. Raises Unavailable for an instrument that is not traded there.

    It follows from the view alone: compute it once a round for all who ask.
    """
    frame = watch_frame(view, symbol)
    reading: RegimeReading | None = latest_regime(frame)
    found = recent_scan(frame, bars)
    return MarketAlarm(
        instrument=symbol,
        as_of_ms=view.as_of_ms,
        severity=found.severity(bars),
        anomalies=found.anomalies,
        regime=reading.regime if reading else None,
        volatile_probability=reading.probs[Regime.VOLATILE] if reading else None,
        confidence=reading.confidence if reading else None,
    )

"""The market as pages read it: what is known of an instrument at the season's instant, measured once a round.

It is measured beside the season, in one thread of its own, only of what somebody looks at.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillBusy
from dataclasses import dataclass

import numpy as np

from trading.domain.errors import RequestError
from trading.features.alarm import recent_scan, watch_frame
from trading.features.anomalies import Anomaly
from trading.features.correlation import common_returns, shrunk_correlation
from trading.features.frame import FeatureFrame
from trading.features.regimes import Regime, RegimeReading, regime_series
from trading.features.regimes.regime import REGIMES
from trading.marketdata import Bars, FundingRates, MarketView

ANOMALY_BARS = 240
"""How far back anomalies are looked for when an instrument is first looked at."""

CORRELATED_BARS = 168
MOST_CORRELATED = 16
FUNDING_RATES = 30
CHART_BARS = 3200
PATIENCE_S = 5.0
"""How long a page waits for the first measurement; later ones are shown a round late where they take longer."""

KEPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeSpan:
    """A stretch of bars of one regime: from the open of its first to the close of its last."""

    begin_ms: int
    end_ms: int
    regime: Regime


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Correlations of one-bar returns: ``matrix`` has shape (instruments, instruments), of so many ``returns``."""

    instruments: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    returns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketReading:
    """An instrument at ``as_of_ms``: nothing here was known later. ``bars`` are closed, oldest first.

    ``regime`` is None with too little history; ``anomalies`` are oldest first; ``together`` is None where there is one
    instrument or too few returns.
    """

    instrument: str
    instruments: tuple[str, ...]
    as_of_ms: int
    source: str
    bars: Bars
    funding: FundingRates
    regimes: tuple[RegimeSpan, ...]
    regime: RegimeReading | None
    anomalies: tuple[Anomaly, ...]
    together: Together | None


class Markets:
    """Readings of the newest view that ``view`` gives. Any thread may ask; each instrument is measured once a round."""

    def __init__(self, view: Callable[[], MarketView | None]) -> None:
        self._view = view
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="markets")
        self._readings: dict[str, MarketReading] = {}
        self._under_way: dict[tuple[str, int], Future[MarketReading]] = {}
        self._waited_for: dict[str, int] = {}

    def of(self, instrument: str | None) -> MarketReading | None:
        """The reading of an instrument, of the first for None or one that is not traded; None before the first round.

        Waits for the round's own, a while, and gives the last round's where that is not enough.
        """
        view = self._view()
        if view is None or not view.symbols:
            return None
        symbol = instrument if instrument in view.symbols else view.symbols[0]
        with self._lock:
            known = self._readings.get(symbol)
            if known is not None and known.as_of_ms == view.as_of_ms:
                return known
            if known is not None and known.as_of_ms > view.as_of_ms:  # another season has begun
                known = None
            key = symbol, view.as_of_ms
            if key not in self._under_way:
                self._under_way[key] = self._worker.submit(self._measure, view, symbol, known)
            measuring = self._under_way[key]
            if self._waited_for.get(symbol) == view.as_of_ms:  # it takes long: the other panels need not wait as well
                return known
        try:
            return measuring.result(PATIENCE_S if known is None else PATIENCE_S / 10)
        except StillBusy:
            self._waited_for[symbol] = view.as_of_ms
            return known

    def close(self) -> None:
        """End the thread."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _measure(self, view: MarketView, symbol: str, before: MarketReading | None) -> MarketReading:
        try:
            found = read_market(view, symbol, before)
            with self._lock:
                self._readings[symbol] = found
            return found
        finally:
            with self._lock:
                self._under_way.pop((symbol, view.as_of_ms), None)


def read_market(view: MarketView, symbol: str, before: MarketReading | None = None) -> MarketReading:
    """The reading of ``symbol`` at the instant of ``view``.

    With the reading of an earlier round only what came since is searched for anomalies. Raises Unavailable for an
    instrument that is not traded there.
    """
    frame = watch_frame(view, symbol)
    spans, regime = _regimes(frame)
    return MarketReading(
        instrument=symbol,
        instruments=tuple(view.symbols),
        as_of_ms=view.as_of_ms,
        source=view.source,
        bars=view.bars(symbol, CHART_BARS),
        funding=view.funding(symbol, FUNDING_RATES),
        regimes=spans,
        regime=regime,
        anomalies=_anomalies(frame, before),
        together=_together(view),
    )


def _regimes(frame: FeatureFrame) -> tuple[tuple[RegimeSpan, ...], RegimeReading | None]:
    if not len(frame):
        return (), None
    series = regime_series(frame)
    probs = series.probs
    known = np.flatnonzero(~np.isnan(probs[:, 0]))
    if not len(known):
        return (), None
    named = np.argmax(probs[known], axis=1)
    opened = series.open_ms[known]
    starts = np.flatnonzero(np.diff(named, prepend=-1) | (np.diff(opened, prepend=opened[0]) > frame.step_ms))
    ends = np.append(starts[1:], len(known)) - 1
    spans = tuple(
        RegimeSpan(
            begin_ms=int(opened[start]), end_ms=int(opened[end]) + frame.step_ms, regime=REGIMES[int(named[start])]
        )
        for start, end in zip(starts, ends, strict=True)
    )
    return spans, series.last()


def _anomalies(frame: FeatureFrame, before: MarketReading | None) -> tuple[Anomaly, ...]:
    """Those of the bars since ``before``, added to its own; a bar is judged again while the next may speak of it."""
    if not len(frame):
        return ()
    if before is None or not len(before.bars):
        return recent_scan(frame, min(ANOMALY_BARS, len(frame))).anomalies[-KEPT:]
    since_ms = int(before.bars.open_ms[-1])
    fresh = int((frame.open_ms >= since_ms).sum())
    found = recent_scan(frame, max(1, fresh)).anomalies
    kept = [each for each in before.anomalies if each.open_ms < since_ms]
    return (*kept, *(each for each in found if each.open_ms >= since_ms))[-KEPT:]


def _together(view: MarketView) -> Together | None:
    symbols = tuple(view.symbols)[:MOST_CORRELATED]
    try:
        found = common_returns({symbol: view.bars(symbol, CORRELATED_BARS + 1) for symbol in symbols})
        matrix, _ = shrunk_correlation(found.values)
    except RequestError:
        return None
    return Together(instruments=symbols, matrix=tuple(map(tuple, matrix.tolist())), returns=len(found.values))

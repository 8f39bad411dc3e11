"""What the events of a live feed say bar by bar of one instrument, and the funding that it paid."""

from collections.abc import Mapping

import numpy as np

from trading.marketdata.exchange.events import (
    BookTop,
    Freshness,
    FundingRate,
    LiveEvent,
    OpenInterest,
    SettledFunding,
    StreamKind,
    TradePrint,
)
from trading.marketdata.tape import FloatArray, FundingRates, IntArray
from trading.marketdata.ticks.kinds import TickKind
from trading.marketdata.ticks.running import RunningTicks

_KINDS = {StreamKind.TRADES: TickKind.TRADES, StreamKind.BOOK: TickKind.BBO}
_ASK_AGAIN_MS = 3_600_000
"""No venue settles more often than hourly; where the next settlement is not told, rates are asked for so often."""


class LiveTicks:
    """Takes the events of one instrument."""

    def __init__(self, step_ms: int) -> None:
        self._running = RunningTicks(step_ms)
        self._settled: dict[int, float] = {}
        self._due_ms = 0
        self._next_ms: int | None = None

    def take(self, event: LiveEvent, venue_ms: int) -> bool:
        """Note what the event says; one without an instant is of ``venue_ms``. False for funding that is known."""
        at = event.ts_ms if event.ts_ms is not None else venue_ms
        match event:
            case TradePrint(quantity=quantity, sign=sign):
                self._running.trade(at, quantity, sign)
            case BookTop(top=top):
                self._running.top(at, top)
            case OpenInterest(base=float(base)):
                self._running.interest(at, base)
            case FundingRate(next_ms=upcoming):
                if upcoming is not None and upcoming != self._next_ms:
                    self._next_ms, self._due_ms = upcoming, min(self._due_ms, venue_ms)
            case SettledFunding(rate=rate):
                self._due_ms = venue_ms // _ASK_AGAIN_MS * _ASK_AGAIN_MS + _ASK_AGAIN_MS
                if at in self._settled:
                    return False
                self._settled[at] = rate
            case Freshness(stream=stream, stale_since_ms=int()) if stream in _KINDS:
                self._running.broke(_KINDS[stream])
        return True

    def settled_due(self, venue_ms: int) -> bool:
        """Whether a settlement may have passed since the last one that is known."""
        return venue_ms >= self._due_ms

    def settled_rates(self) -> FundingRates:
        """The settled rates in order of time."""
        told = sorted(self._settled.items())
        return FundingRates(
            ts_ms=np.array([at for at, _ in told], np.int64), rate=np.array([rate for _, rate in told], np.float64)
        )

    def columns(self, open_ms: IntArray, until_ms: int) -> Mapping[str, FloatArray]:
        """See :meth:`trading.marketdata.ticks.running.RunningTicks.columns`."""
        return self._running.columns(open_ms, until_ms)

"""Looking at every market once a round: how strange its last bar is, how wild it has become, whether it still speaks.

It costs a scan for anomalies, some milliseconds an instrument and round, and follows from the view alone.
"""

from collections.abc import Iterator

import numpy as np

from trading.domain.errors import Unavailable
from trading.features.alarm import recent_scan
from trading.features.anomalies import AnomalySettings, Severity
from trading.features.frame import frame_of
from trading.marketdata import Bars, MarketView
from trading.risk.market_condition import MarketCondition

STALE_BARS = 3
"""A market that printed nothing for so many bars is taken for lost."""

RANK_BARS = 1500
"""How far back the volatility is ranked."""

_SPAN = 24
_FEWEST = 10 * _SPAN
_SEVERITY = {None: 0.0, Severity.INFO: 0.3, Severity.WARNING: 0.7, Severity.CRITICAL: 1.0}


class MarketWatch:
    """The condition of every instrument at the instant of a view."""

    def conditions(self, view: MarketView) -> Iterator[MarketCondition]:
        """One for each instrument that has a price."""
        for symbol in view.symbols:
            try:
                quote = view.quote(symbol)
            except Unavailable:
                continue
            frame = frame_of(view, symbol, bars=AnomalySettings().history_bars + 1)
            yield MarketCondition(
                instrument=symbol,
                anomaly=_SEVERITY[recent_scan(frame).severity(1)],
                volatility_rank=volatility_rank(view.bars(symbol, RANK_BARS)),
                feed_lost=view.as_of_ms - quote.ts_ms > STALE_BARS * view.step_ms,
            )


def volatility_rank(bars: Bars) -> float | None:
    """The share of the past at which the volatility of 24 bars was no higher than it is now, in [0, 1].

    None where less than ten times as many bars are known, or the market has never moved.
    """
    if len(bars) < _FEWEST:
        return None
    squared = np.diff(np.log(bars.close)) ** 2
    total = np.concatenate(([0.0], np.cumsum(squared)))
    variance = total[_SPAN:] - total[:-_SPAN]
    if not variance.max() > 0:
        return None
    # One of the values is the present one: the highest ever has the rank 1 only against many.
    return float((variance[:-1] <= variance[-1]).sum() / len(variance))

"""What an order is measured against besides the last price: where prices have been, and how much is traded a day."""

import math

import numpy as np

from trading.marketdata.view import MarketView

WINDOW_BARS = 24
"""Bars over whose mean close the collar over a window is laid."""

VOLUME_DAYS = 7
_DAY_MS = 86_400_000


class MarketReference:
    """Past prices and volumes as of one market view, looked up when asked for and kept. Base units, quote prices."""

    def __init__(self, view: MarketView) -> None:
        self._view = view
        self._means: dict[str, float | None] = {}
        self._volumes: dict[str, float | None] = {}

    def window_mean(self, symbol: str) -> float | None:
        """Mean close of the last 24 bars, of fewer where fewer are known; None where one of them is no price."""
        if symbol not in self._means:
            closes = self._view.bars(symbol, WINDOW_BARS).close
            sound = len(closes) > 0 and bool(np.all(np.isfinite(closes) & (closes > 0)))
            self._means[symbol] = float(closes.mean()) if sound else None
        return self._means[symbol]

    def daily_volume(self, symbol: str) -> float | None:
        """Average volume a day over the last seven; of a shorter past, its average; None where none is known."""
        if symbol not in self._volumes:
            bars_a_day = _DAY_MS / self._view.step_ms
            volumes = self._view.bars(symbol, max(1, round(VOLUME_DAYS * bars_a_day))).volume
            daily = float(volumes.mean()) * bars_a_day if len(volumes) else math.nan
            self._volumes[symbol] = daily if math.isfinite(daily) and daily > 0 else None
        return self._volumes[symbol]

"""Ticks: trades, best bid and ask, book levels, settled funding and open interest, a Parquet file a day.

``store`` keeps them, ``recorded`` reads the recordings of others, ``recorder`` writes down a live feed, ``bars`` says
what they were bar by bar, ``running`` the same for the bar that forms now. No candles: those have their own store.
"""

from trading.marketdata.ticks.bars import StoredTicks, bars_of_trades, order_flow
from trading.marketdata.ticks.catalogue import TickRow, is_tick_name
from trading.marketdata.ticks.kinds import TickKind, Ticks, ticks_of
from trading.marketdata.ticks.recorded import RecordedTicks, is_recorded_name, read_recorded
from trading.marketdata.ticks.store import KnownTicks, TakenTicks, TickKey, TickStore

__all__ = [
    "KnownTicks",
    "RecordedTicks",
    "StoredTicks",
    "TakenTicks",
    "TickKey",
    "TickKind",
    "TickRow",
    "TickStore",
    "Ticks",
    "bars_of_trades",
    "is_recorded_name",
    "is_tick_name",
    "order_flow",
    "read_recorded",
    "ticks_of",
]

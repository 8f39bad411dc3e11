"""The candle store: one Parquet file a venue, instrument and timeframe, which grows and never loses a bar.

``store`` keeps the files, ``merge`` joins new bars to old ones, ``catalogue`` says what is there, ``spans`` which times
have been asked for, ``fetching`` fills it from whoever gives pages, ``foreign`` reads the candle files of others.
"""

from trading.marketdata.store.catalogue import CatalogueRow, Origin
from trading.marketdata.store.fetching import Fetched, fetch
from trading.marketdata.store.foreign import ForeignFile, is_exchange, is_foreign_name, read_foreign
from trading.marketdata.store.merge import Conflict, Merged, merge
from trading.marketdata.store.spans import Span, joined, without
from trading.marketdata.store.store import CandleStore, SeriesKey, Stored

__all__ = [
    "CandleStore",
    "CatalogueRow",
    "Conflict",
    "Fetched",
    "ForeignFile",
    "Merged",
    "Origin",
    "SeriesKey",
    "Span",
    "Stored",
    "fetch",
    "is_exchange",
    "is_foreign_name",
    "joined",
    "merge",
    "read_foreign",
    "without",
]

"""Live public data of exchanges through ccxt: REST and websocket, typed, checked, and stale when it is stale.

No orders and no keys: a venue trades, a source only listens.
"""

from trading.marketdata.exchange.calls import Backoff, Caller
from trading.marketdata.exchange.candles import CandlePage, CandleSource, open_candles
from trading.marketdata.exchange.connection import Endpoints, ExchangeSpec, market_symbol, open_exchange
from trading.marketdata.exchange.events import (
    BookTop,
    ClosedBar,
    Freshness,
    FundingRate,
    LiveEvent,
    MarkPrice,
    OpenInterest,
    SettledFunding,
    StreamKind,
    Ticker,
    TradePrint,
)
from trading.marketdata.exchange.facts import ExchangeFacts, exchange_facts
from trading.marketdata.exchange.feed import FeedSpec, LiveFeed, open_feed
from trading.marketdata.exchange.health import FeedHealth, StalenessLimits, StreamHealth, StreamState
from trading.marketdata.exchange.heard_books import HeardBooks
from trading.marketdata.exchange.live_view import LiveView
from trading.marketdata.exchange.recorder import Recorded, record
from trading.marketdata.exchange.skew import ClockSkew, measure_skew
from trading.marketdata.exchange.symbols import from_ccxt, to_ccxt

__all__ = [
    "Backoff",
    "BookTop",
    "Caller",
    "CandlePage",
    "CandleSource",
    "ClockSkew",
    "ClosedBar",
    "Endpoints",
    "ExchangeFacts",
    "ExchangeSpec",
    "FeedHealth",
    "FeedSpec",
    "Freshness",
    "FundingRate",
    "HeardBooks",
    "LiveEvent",
    "LiveFeed",
    "LiveView",
    "MarkPrice",
    "OpenInterest",
    "Recorded",
    "SettledFunding",
    "StalenessLimits",
    "StreamHealth",
    "StreamKind",
    "StreamState",
    "Ticker",
    "TradePrint",
    "exchange_facts",
    "from_ccxt",
    "market_symbol",
    "measure_skew",
    "open_candles",
    "open_exchange",
    "open_feed",
    "record",
    "to_ccxt",
]

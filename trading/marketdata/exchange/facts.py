"""What ccxt does not say of an exchange, or says otherwise: one row an exchange, and a plain row for all others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from trading.marketdata.books import BookRule


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFacts:
    """What is known of one exchange.

    ``candle_page`` is how many candles one request may bring. ``recent_candles`` is how far back its candles reach,
    in bars; None where the whole history is served. ``book_rule`` None means that ccxt keeps the book and checks it.
    ``book_depth`` is the number of levels a side of a snapshot. ``clock_step_ms`` is the grain of the
    clock that it tells over REST. ``mark_polled`` says that ccxt mixes its streams of mark prices and tickers, so that
    the one is asked for instead. ``options`` are handed to ccxt.
    """

    candle_page: int = 500
    recent_candles: int | None = None
    book_rule: BookRule | None = None
    book_depth: int | None = None
    clock_step_ms: int = 1
    mark_polled: bool = False
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


_BINANCE = {
    "fetchCurrencies": False,
    "fetchMargins": False,
    "watchTicker": {"name": "ticker"},  # the default stream has no best levels
    "watchTickers": {"name": "ticker"},
}

_FACTS = MappingProxyType(
    {
        "binance": ExchangeFacts(
            candle_page=1000,
            book_rule=BookRule.BINANCE_SPOT,
            book_depth=1000,
            options={**_BINANCE, "defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
        ),
        "binanceusdm": ExchangeFacts(
            candle_page=1500,
            book_rule=BookRule.BINANCE_FUTURES,
            book_depth=1000,
            options={**_BINANCE, "defaultType": "swap", "fetchMarkets": {"types": ["linear"]}},
        ),
        "coinbase": ExchangeFacts(
            candle_page=300,
            book_rule=BookRule.COINBASE,
            clock_step_ms=1000,
            options={"fetchBalance": "v3PrivateGetBrokerageAccounts"},
        ),
        "kraken": ExchangeFacts(
            candle_page=720, recent_candles=720, book_rule=BookRule.KRAKEN, book_depth=10, clock_step_ms=1000
        ),
        "hyperliquid": ExchangeFacts(
            candle_page=500,
            recent_candles=5000,
            book_rule=BookRule.SNAPSHOTS,
            options={"fetchMarkets": {"types": ["swap"]}},
        ),
        "aster": ExchangeFacts(candle_page=1000, book_rule=BookRule.SNAPSHOTS, book_depth=20, mark_polled=True),
    }
)


def exchange_facts(exchange_id: str) -> ExchangeFacts:
    """What is known of the exchange; the plain row where it has none of its own."""
    return _FACTS.get(exchange_id, ExchangeFacts())

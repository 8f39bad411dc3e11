"""A loopback exchange of each kind by the id that ccxt gives it, with two instruments of a grid the venue allows."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

from tests.exchanges.aster import Aster
from tests.exchanges.binance import Binance
from tests.exchanges.coinbase import Coinbase
from tests.exchanges.hyperliquid import Hyperliquid
from tests.exchanges.kraken import Kraken
from tests.exchanges.market import Listing, Market, markets_of
from tests.exchanges.server import Dialect, Venue, serve
from trading.marketdata.books import BookRecording

_STARTS = (("BTC", "60000"), ("ETH", "3000"))


def _listings(suffix: str, tick: str = "0.1", lot: str = "0.001") -> list[Listing]:
    return [
        Listing(instrument=f"{base}-{suffix}", tick=Decimal(tick), lot=Decimal(lot), start=Decimal(start))
        for base, start in _STARTS
    ]


_LISTED: dict[str, tuple[list[Listing], Callable[[list[Listing]], Dialect]]] = {
    "binance": (_listings("USDT"), lambda listings: Binance(listings, futures=False)),
    "binanceusdm": (_listings("USDT-PERP"), lambda listings: Binance(listings, futures=True)),
    "coinbase": (_listings("USD"), Coinbase),
    "kraken": (_listings("USD"), Kraken),
    "aster": (_listings("USDT-PERP"), Aster),
    "hyperliquid": (_listings("USDC-PERP", lot="0.0001"), Hyperliquid),
}

EXCHANGES = tuple(_LISTED)


@asynccontextmanager
async def serve_exchange(
    exchange_id: str, *, seed: int = 1, step_s: float = 0.05, recording: BookRecording | None = None
) -> AsyncIterator[Venue]:
    """The exchange with simulated markets that opened now; of ``recording`` its first instrument is one market."""
    usual, speak = _LISTED[exchange_id]
    listings = [replace(listing) for listing in usual]  # its own, so that an exchange may change its grid
    opened_ms = time.time_ns() // 1_000_000
    if recording is None:
        markets = markets_of(listings, seed=seed, opened_ms=opened_ms)
    else:
        listings = [replace(listings[0], tick=Decimal("0.01"), lot=Decimal("0.00001"))]
        markets = {listings[0].instrument: Market(listings[0], recording, opened_ms=opened_ms)}
    async with serve(speak(listings), markets, step_s=step_s) as venue:
        yield venue

"""The ccxt venue behind loopback exchanges that live in a thread of their own, for tests that are not asynchronous.

One server and one ccxt exchange of a kind serve every test; each test brings its own account.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from tests.exchanges.binance import Binance
from tests.exchanges.binance_account import KEY, SECRET, BinanceAccount
from tests.exchanges.market import Listing, markets_of
from tests.exchanges.scripted import ScriptedAccount
from tests.exchanges.server import Venue, serve
from trading.execution.paper import PaperVenue
from trading.marketdata.exchange import ExchangeSpec
from trading.venues.ccxt_venue import CcxtVenue, Keys, VenueSpec, open_venue


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


def wait_for(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that runs in the thread of the exchanges."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result(timeout=30)


class ElsewhereVenue:
    """A venue that lives in the other thread; its calls can be awaited from any loop."""

    def __init__(self, venue: CcxtVenue) -> None:
        self.name = venue.name
        self._venue = venue

    async def cash_since(self, ts_ms: int) -> Any:
        """Named here, so that it is seen to be there."""
        return await self.__getattr__("cash_since")(ts_ms)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._venue, name)

        async def call(*args: Any) -> Any:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(method(*args), _loop()))

        return call


@dataclass(frozen=True)
class MarketClock:
    """The time of the market that a test plays."""

    exchange: PaperVenue

    def now_ms(self) -> int:
        return self.exchange.now_ms


@dataclass
class Loopback:
    """A server with the ccxt exchange that is connected to it."""

    server: Venue
    venue: CcxtVenue
    futures: bool

    def open(self, exchange: PaperVenue) -> Any:
        """A venue over the account that ``exchange`` matches."""
        account = ScriptedAccount(exchange)
        dialect = self.server.dialect
        assert isinstance(dialect, Binance)
        dialect.private = BinanceAccount(account, dialect.listings, futures=self.futures, venue=self.server)
        opened = self.venue
        fresh = CcxtVenue(opened.exchange, opened.instruments, opened.facts, clock=MarketClock(exchange))
        return ElsewhereVenue(fresh)


@cache
def loopback(exchange_id: str, *symbols: str) -> Loopback:
    """The server of the kind with these markets; it ends with the process."""
    return wait_for(_open(exchange_id, symbols))


async def _open(exchange_id: str, symbols: tuple[str, ...]) -> Loopback:
    futures = exchange_id == "binanceusdm"
    stack = AsyncExitStack()
    grid = {"tick": Decimal("0.01"), "lot": Decimal("0.001"), "start": Decimal(100)}
    listings = [Listing(instrument=symbol, **grid) for symbol in symbols]
    dialect = Binance(listings, futures=futures)
    server = await stack.enter_async_context(serve(dialect, markets_of(listings, seed=1, opened_ms=0), step_s=3600))
    dialect.private = BinanceAccount(_Nobody(), dialect.listings, futures=futures, venue=server)  # type: ignore[arg-type]
    spec = VenueSpec(
        exchange=ExchangeSpec(exchange_id=exchange_id, endpoints=server.endpoints, pace=False),
        keys=Keys(api_key=KEY, secret=SECRET),
        instruments=symbols,
    )
    venue = await stack.enter_async_context(open_venue(spec))
    _KEPT.append(stack)
    return Loopback(server=server, venue=venue, futures=futures)


_KEPT: list[AsyncExitStack] = []


class _Nobody:
    """No account yet: only what is public and the key's permissions can be asked for."""

    def __init__(self) -> None:
        self.listeners: list[Any] = []

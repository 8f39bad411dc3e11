"""Paper trading: which exchange is followed and what it lists, and the market that a run follows it by."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from arena.autonomous.bar_source import open_exchange_bars
from arena.autonomous.paced_market import OnLook, PacedMarket, Pacing
from arena.autonomous.timer import Timer, WallTimer
from arena.seasons.rules import Market, SeasonRules
from arena.settings import Settings
from trading.domain.errors import ConfigError
from trading.domain.instants import iso
from trading.domain.instrument import Instrument, InstrumentKind, parse_symbol
from trading.engine import Engine
from trading.marketdata.exchange import Endpoints, ExchangeSpec, FeedSpec, exchange_facts
from trading.marketdata.exchange.listing import list_exchange
from trading.marketdata.growing import GrowingTape
from trading.marketdata.growing_book import GrowingBook
from trading.storage.journal import Journal

_FUTURES_OF = {"binance": "binanceusdm"}
"""Exchanges that ccxt splits: their perpetuals stand under another name."""

OpenMarket = Callable[[Engine, Journal], AbstractAsyncContextManager[PacedMarket]]
"""Opens the market that an engine is to follow."""


def exchange_of(market: Market, settings: Settings) -> ExchangeSpec:
    """The exchange of a followed market; ``TRADEFLOOR_EXCHANGE_URL`` puts another address in the place of its own."""
    assert market.venue is not None, "a followed market names its venue"
    kinds = {parse_symbol(symbol)[2] for symbol in market.instruments}
    exchange_id = market.venue
    if exchange_id in _FUTURES_OF:
        if len(kinds) > 1:
            raise ConfigError(
                f"market.instruments mixes spot and perpetuals, which are two exchanges at {exchange_id}; choose one"
            )
        exchange_id = _FUTURES_OF[exchange_id] if InstrumentKind.PERP in kinds else exchange_id
    url = settings.exchange_url
    if url is None:
        return ExchangeSpec(exchange_id=exchange_id)
    return ExchangeSpec(
        exchange_id=exchange_id, endpoints=Endpoints(rest=url, ws=url.replace("http", "ws", 1)), pace=False
    )


def paper_tape(market: Market) -> GrowingTape:
    """The tape of a followed market before its first bar."""
    step_ms = market.step_ms
    assert step_ms is not None, "a followed market has a step"
    return GrowingTape.empty(market.instruments, step_ms, source=market.kind)


def paper_books(market: Market) -> dict[str, GrowingBook] | None:
    """The books that orders of a followed market meet, before anything was heard; None where no order fills here."""
    return {symbol: GrowingBook(symbol) for symbol in market.instruments} if market.kind == "paper" else None


def paper_instruments(rules: SeasonRules, settings: Settings, facts: Mapping[str, Any]) -> dict[str, Instrument]:
    """What the exchange lists, with the margin of the simulated venue, where the fills come from.

    Raises ConfigError for a season that is over, and what :func:`list_exchange` raises.
    """
    if rules.season.end_ms <= WallTimer().now_ms():
        raise ConfigError(
            f"season.end = {iso(rules.season.end_ms)} has passed: a {rules.market.kind} market is traded as it happens"
        )
    spec = exchange_of(rules.market, settings)
    perp = facts.get("perp", {})
    margin = {name: Decimal(str(perp[name])) for name in ("max_leverage", "maintenance_margin") if name in perp}

    async def ask() -> dict[str, Instrument]:
        return await list_exchange(spec, rules.market.instruments, timeframe=rules.market.bar or "1m", margin=margin)

    with ThreadPoolExecutor(max_workers=1) as thread:  # whoever calls may have a loop of his own that runs
        return thread.submit(asyncio.run, ask()).result()


def exchange_market(
    rules: SeasonRules,
    settings: Settings,
    *,
    timer: Timer | None = None,
    pacing: Pacing | None = None,
    feed: FeedSpec | None = None,
    on_look: OnLook | None = None,
) -> OpenMarket:
    """The market of a season over its exchange, to be opened for an engine."""
    spec = exchange_of(rules.market, settings)
    timer = timer or WallTimer()
    found = pacing or Pacing(grace_ms=max(20_000, min(300_000, rules.season.every_ms // 4)))
    reach = exchange_facts(spec.exchange_id).recent_candles
    if reach is not None:
        found = replace(found, history_bars=min(found.history_bars, reach - 20))

    @asynccontextmanager
    async def opened(engine: Engine, journal: Journal) -> AsyncIterator[PacedMarket]:
        symbols, bar = rules.market.instruments, rules.market.bar or "1m"
        here = rules.market.kind == "paper"  # elsewhere the exchange fills orders and settles funding
        async with open_exchange_bars(spec, symbols, bar, clock=timer, spec=feed, funding=here) as source:
            if here:
                source.books.follow(engine.orders.all)
            yield PacedMarket(
                engine,
                journal,
                source,
                timer=timer,
                pacing=found,
                thinking_is_declared="thinking_ms" in rules.season.model_fields_set,
                on_look=on_look,
                beside=source,
            )

    return opened

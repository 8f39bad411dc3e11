"""What desks are told of a live market that has gone silent: since when, and never an old price as a new one."""

import asyncio
import json
from typing import Any

import pytest

from tests.exchanges import Venue, serve_exchange
from tests.tools.conftest import MakeContext
from tools.context import ToolContext
from tools.registry import discover, run_tool
from trading.marketdata.exchange import ExchangeSpec, FeedSpec, LiveFeed, StalenessLimits, StreamKind, open_feed

MARKET_TOOLS = ("get_quote", "get_candles", "get_indicators", "get_features", "get_market_snapshot", "get_regime")


def spec_of(venue: Venue) -> FeedSpec:
    return FeedSpec(
        exchange=ExchangeSpec(exchange_id=venue.dialect.exchange_id, endpoints=venue.endpoints, pace=False),
        instruments=tuple(venue.markets),
        streams=frozenset({StreamKind.BOOK, StreamKind.CANDLES}),
        limits=StalenessLimits(book=700),
        look_s=0.1,
        history=50,
    )


def ask(context: ToolContext, name: str, **arguments: object) -> dict[str, Any]:
    outcome = run_tool(name, json.dumps(arguments), context, frozenset(discover()))
    assert outcome.outcome == "ok", outcome.content
    body: dict[str, Any] = json.loads(outcome.content)
    return body


async def until(feed: LiveFeed, *names: str, stale: bool) -> None:
    """Wait until all of ``names`` are stale, or none is."""
    for _ in range(400):
        if all(bool(feed.view().staleness(name)) is stale for name in names):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{names} did not become {'stale' if stale else 'fresh'}")


@pytest.mark.asyncio
async def test_an_instrument_that_falls_silent_is_told_to_every_desk(make_context: MakeContext) -> None:
    async with serve_exchange("kraken") as venue, open_feed(spec_of(venue)) as feed:
        btc, eth = venue.markets
        await until(feed, btc, eth, stale=False)
        fresh = make_context(view=feed.view())
        assert all("stale" not in row for row in ask(fresh, "get_quote")["quotes"])
        assert "note" not in ask(fresh, "get_quote")
        venue.weather.silent.add(btc)
        await until(feed, btc, stale=True)
        await asyncio.sleep(1.0)
        context = make_context(view=feed.view())
        silent, other = ask(context, "get_quote")["quotes"]
        assert (silent["instrument"], other["instrument"]) == (btc, eth)
        assert silent["age_s"] > 1.0  # the price keeps its own instant
        assert f"{btc} book: stale since " in silent["stale"]
        assert "stale" not in other
        for name in MARKET_TOOLS:
            asked = {"instrument": btc} if name in {"get_candles", "get_features"} else {"instruments": [btc]}
            assert "stale since " in ask(context, name, **asked)["note"], name
            asked = {"instrument": eth} if "instrument" in asked else {"instruments": [eth]}
            assert "note" not in ask(context, name, **asked), name
        venue.weather.silent.discard(btc)
        await until(feed, btc, stale=False)
        assert "stale" not in ask(make_context(view=feed.view()), "get_quote")["quotes"][0]

"""A live feed of a loopback exchange written down, and what the live view says bar by bar of the same ticks."""

import asyncio

import numpy as np
import pytest

from tests.exchanges import serve_exchange
from tests.exchanges.faults import Fault
from trading.domain.clock import SystemClock
from trading.features.frame import frame_of
from trading.marketdata.exchange import Backoff, ExchangeSpec, FeedSpec, StreamKind, open_feed, record
from trading.marketdata.store import CandleStore
from trading.marketdata.store.spans import Span
from trading.marketdata.ticks import StoredTicks, TickKey, TickKind, TickStore

ALL_TIME = Span(0, 1 << 60)


def spec_of(venue) -> FeedSpec:
    kinds = {StreamKind.BOOK, StreamKind.TRADES, StreamKind.CANDLES, StreamKind.FUNDING, StreamKind.OPEN_INTEREST}
    return FeedSpec(
        exchange=ExchangeSpec(exchange_id=venue.dialect.exchange_id, endpoints=venue.endpoints, pace=False),
        instruments=tuple(venue.markets),
        streams=frozenset(kinds),
        timeframe="1s",
        backoff=Backoff(first_s=0.05, cap_s=0.2),
        poll_s=0.5,
        history=3,
    )


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange_id", ["binanceusdm", "hyperliquid"])
async def test_what_the_exchange_did_is_what_is_stored_and_seen(exchange_id, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("trading.marketdata.exchange.recorder.WRITE_EVERY_S", 0.7)
    ticks, candles = TickStore(tmp_path / "ticks"), CandleStore(tmp_path / "data")
    async with serve_exchange(exchange_id) as venue:
        name, market = next(iter(venue.markets.items()))
        async with open_feed(spec_of(venue), clock=SystemClock()) as feed:
            asyncio.get_running_loop().call_later(1.5, venue.drop)
            recorded = await record(feed, ticks, candles, clock=SystemClock(), seconds=5.0)
            view = feed.view()
            frame = frame_of(view, name, bars=10)
        assert recorded.breaks >= 1
        known = ticks.read(TickKey(venue=exchange_id, symbol=name, kind=TickKind.TRADES), ALL_TIME)
        assert len(known.covered) >= 2  # the break is no time in which nothing was missed
        truth = {str(trade.trade_id): trade for trade in market.trades}
        stored = known.ticks
        assert len(stored) > 5
        for row, trade_id in enumerate(stored["trade_id"].tolist()):
            trade = truth[trade_id]
            assert stored["price"][row] == float(market.listing.price(trade.price))
            assert stored["sign"][row] == (1 if trade.buyer_took else -1)
        for span in known.covered:
            inside = {key for key, trade in truth.items() if span.begin_ms < trade.at_ms < span.end_ms}
            assert inside <= set(stored["trade_id"].tolist())
        best = ticks.read(TickKey(venue=exchange_id, symbol=name, kind=TickKind.BBO), ALL_TIME).ticks
        for row, at in enumerate(best.ts_ms.tolist()):
            if at in market.truth:
                quote = tuple(float(best[column][row]) for column in ("bid", "bid_size", "ask", "ask_size"))
                assert quote == market.truth[at]
        assert np.isfinite(best["ask_size_20"]).all()
        interest = ticks.read(TickKey(venue=exchange_id, symbol=name, kind=TickKind.OPEN_INTEREST), ALL_TIME).ticks
        assert len(interest)
        settled = ticks.read(TickKey(venue=exchange_id, symbol=name, kind=TickKind.FUNDING), ALL_TIME).ticks
        assert len(settled) == len(view.funding(name, 1000).rate) > 20
    assert frame.columns["funding_rate"][-1] == settled["rate"][-1]
    beside = StoredTicks(ticks, exchange_id, name).columns(frame.open_ms, 1000)
    for column in ("bid", "ask_size_10", "order_flow", "buy_volume", "trade_count"):
        both = np.isfinite(frame.columns[column]) & np.isfinite(beside[column])
        np.testing.assert_allclose(frame.columns[column][both], beside[column][both], rtol=1e-9, atol=1e-9)
    assert np.isfinite(frame.columns["bid"]).any()
    assert np.isnan(frame.columns["bid"]).any()  # in the bar of the break it is not known


@pytest.mark.asyncio
async def test_rows_that_are_no_rows_do_not_end_a_recording(tmp_path) -> None:
    ticks, candles = TickStore(tmp_path / "ticks"), CandleStore(tmp_path / "data")
    async with serve_exchange("kraken") as venue, open_feed(spec_of(venue), clock=SystemClock()) as feed:
        venue.weather.arm(Fault.BAD_ROW, 3)
        recorded = await record(feed, ticks, candles, clock=SystemClock(), seconds=2.0)
        assert sum(stream.refused for stream in feed.health().streams.values()) > 0
    assert {kind for _, kind in recorded.rows} >= {"trades", "bbo"}

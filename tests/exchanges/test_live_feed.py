"""Real ccxt classes against loopback exchanges: public data as it is, and the fault plan in short."""

import asyncio

import pytest

from tests.exchanges import EXCHANGES, serve_exchange
from tests.exchanges.faults import Fault
from tests.exchanges.soak import soak_all
from trading.domain.errors import RequestError
from trading.marketdata.books import OrderBook, read_recording
from trading.marketdata.exchange import (
    Backoff,
    BookTop,
    ExchangeSpec,
    FeedSpec,
    FundingRate,
    MarkPrice,
    OpenInterest,
    SettledFunding,
    StreamKind,
    Ticker,
    TradePrint,
    open_candles,
    open_feed,
)

MINUTE = 60_000
PERP_ONLY = {
    "binanceusdm": {FundingRate, SettledFunding, MarkPrice, OpenInterest},
    "hyperliquid": {FundingRate, SettledFunding, MarkPrice, OpenInterest},
    "aster": {FundingRate, SettledFunding, MarkPrice},  # it tells no open interest
}


def spec_of(venue) -> ExchangeSpec:
    return ExchangeSpec(exchange_id=venue.dialect.exchange_id, endpoints=venue.endpoints, pace=False)


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange_id", EXCHANGES)
async def test_candles_page_by_page(exchange_id):
    async with serve_exchange(exchange_id) as venue:
        name, market = next(iter(venue.markets.items()))
        end = market.opened_ms // MINUTE * MINUTE
        begin = end - 700 * MINUTE
        venue.weather.arm(Fault.HTML)
        async with open_candles(spec_of(venue), backoff=Backoff(first_s=0.01)) as source:
            venue.weather.arm(Fault.HTML)
            pages = [page async for page in source.candles(name, "1m", begin, end)]
            with pytest.raises(RequestError, match="lists no"):
                await anext(source.candles("XRP-EUR", "1m", begin))
            with pytest.raises(RequestError, match="has no 7m"):
                await anext(source.candles(name, "7m", begin))
        found = [at for page in pages for at in page.series.open_ms.tolist()]
        assert found == list(range(begin, end, MINUTE))
        said = {at: market.listing.price(close) for at, _, _, _, close, _ in market.candles(MINUTE, begin, end)}
        closes = [close for page in pages for close in page.series.close.tolist()]
        assert closes == [float(said[at]) for at in found]


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange_id", EXCHANGES)
async def test_every_stream_that_the_venue_has_comes_through(exchange_id):
    async with serve_exchange(exchange_id) as venue:
        wanted = {BookTop, TradePrint, Ticker} | PERP_ONLY.get(exchange_id, set())
        feed_spec = FeedSpec(
            exchange=spec_of(venue),
            instruments=tuple(venue.markets),
            streams=frozenset(StreamKind),
            poll_s=0.5,
            history=3,
        )
        async with open_feed(feed_spec) as feed, asyncio.timeout(30):
            missing = {(kind, name) for kind in wanted for name in venue.markets}
            async for event in feed:
                missing.discard((type(event), event.instrument))
                if isinstance(event, BookTop) and event.ts_ms in venue.markets[event.instrument].truth:
                    top = event.top
                    truth = venue.markets[event.instrument].truth[event.ts_ms]
                    assert (top.bid, top.bid_size, top.ask, top.ask_size) == truth
                if not missing:
                    break
            view = feed.view()
            for name in venue.markets:
                assert view.book(name).bid < view.book(name).ask
                assert len(view.bars(name, 2)) == 2
        assert not venue.unknown


@pytest.mark.asyncio
async def test_a_recorded_book_comes_through_the_exchange_as_it_was_recorded(recordings):
    recording = read_recording(recordings / "orderbook/binance-spot/BTC-USDT-20240808-l2.parquet")
    tops = OrderBook().replay(recording.side, recording.price, recording.size, recording.ends)
    recorded = set(zip(*(getattr(tops, name).tolist() for name in ("bid", "bid_size", "ask", "ask_size")), strict=True))
    async with serve_exchange("binance", step_s=0.005, recording=recording) as venue:
        (name,) = venue.markets
        feed_spec = FeedSpec(
            exchange=spec_of(venue), instruments=(name,), streams=frozenset({StreamKind.BOOK}), history=1
        )
        seen = 0
        async with open_feed(feed_spec) as feed, asyncio.timeout(30):
            async for event in feed:
                if isinstance(event, BookTop):
                    top = event.top
                    assert (top.bid, top.bid_size, top.ask, top.ask_size) in recorded
                    if event.ts_ms in venue.markets[name].truth:
                        assert venue.markets[name].truth[event.ts_ms] == (top.bid, top.bid_size, top.ask, top.ask_size)
                    seen += 1
                if seen >= 300:
                    break
            assert feed.health().streams[name, StreamKind.BOOK].gaps == 0


@pytest.mark.slow
@pytest.mark.asyncio
async def test_the_fault_plan_costs_no_book_and_each_silence_is_told():
    outcomes = await soak_all(12, every_s=0.25)
    for outcome in outcomes:
        assert outcome.held, outcome.line()
        assert len(outcome.faults) >= 6
    assert sum(outcome.silences for outcome in outcomes) > 5

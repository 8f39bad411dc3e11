"""The parts of a live feed that need no exchange: symbols, addresses, patience, candles, staleness, wire formats."""

from types import MappingProxyType

import ccxt
import numpy as np
import pytest

from trading.domain.clock import ManualClock
from trading.domain.errors import ConfigError, DataError, RequestError, SourceUnavailable, Unavailable
from trading.marketdata.books import BookRule
from trading.marketdata.exchange import (
    Backoff,
    Caller,
    Endpoints,
    ExchangeSpec,
    StalenessLimits,
    StreamKind,
    StreamState,
    from_ccxt,
    measure_skew,
    open_exchange,
    to_ccxt,
)
from trading.marketdata.exchange.candles import read_page
from trading.marketdata.exchange.closing import ClosingBars
from trading.marketdata.exchange.live_view import LiveMarket, LiveView
from trading.marketdata.exchange.parsing import read_funding, read_ticker, read_trade
from trading.marketdata.exchange.watch import StreamWatch
from trading.marketdata.exchange.wire import read_frame, snapshot_message

MINUTE = 60_000


@pytest.mark.parametrize(("ours", "theirs"), [("BTC-USDT", "BTC/USDT"), ("BTC-USDC-PERP", "BTC/USDC:USDC")])
def test_symbols_there_and_back(ours, theirs):
    assert (to_ccxt(ours), from_ccxt(theirs)) == (theirs, ours)


@pytest.mark.parametrize("text", ["BTC", "BTC/USD:BTC", "BTC/USDT:USDT-260327", "kPEPE/USDC:USDC", ""])
def test_symbols_that_we_have_no_name_for(text):
    with pytest.raises(RequestError):
        from_ccxt(text)


@pytest.mark.parametrize(("rest", "ws"), [("127.0.0.1:1", "ws://h"), ("http://", "ws://h"), ("http://h", "http://h")])
def test_addresses_that_are_none(rest, ws):
    with pytest.raises(ConfigError, match="address"):
        Endpoints(rest=rest, ws=ws)


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange_id", ["binance", "binanceusdm", "coinbase", "kraken", "hyperliquid", "aster"])
async def test_no_address_of_a_redirected_exchange_leads_elsewhere(exchange_id):
    endpoints = Endpoints(rest="http://127.0.0.1:1", ws="ws://127.0.0.1:1")
    async with open_exchange(ExchangeSpec(exchange_id=exchange_id, endpoints=endpoints)) as exchange:
        found = list(_leaves(exchange.urls["api"]))
    assert found
    assert all(url.startswith(("http://127.0.0.1:1", "ws://127.0.0.1:1")) for url in found)


@pytest.mark.asyncio
async def test_an_exchange_that_ccxt_does_not_know():
    with pytest.raises(RequestError, match="krakenfutures"):
        async with open_exchange(ExchangeSpec(exchange_id="krakn")):
            pass


class Moody:
    """Answers as told, one after the other; stands for the exchange's side of a call."""

    id = "moody"
    last_response_headers = MappingProxyType({"Retry-After": "7"})

    def __init__(self, *answers):
        self.answers = list(answers)

    async def ask(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answers", "waits"),
    [
        ([ccxt.NetworkError("x"), None, TypeError("x"), 5], (0, 0, 0)),
        ([ccxt.RateLimitExceeded("429"), ccxt.DDoSProtection("418"), 5], (7, 7)),
    ],
)
async def test_asked_again_with_patience(answers, waits):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    moody = Moody(*answers)
    caller = Caller(exchange=moody, backoff=Backoff(first_s=0.1), rng=np.random.default_rng(1), sleep=sleep)
    assert await caller.ask("it", moody.ask) == 5
    assert [int(seconds) for seconds in slept] == list(waits)
    assert len(set(slept)) == len(slept)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "error"),
    [(ccxt.NetworkError("down"), SourceUnavailable), (ccxt.BadSymbol("x"), RequestError), (None, SourceUnavailable)],
)
async def test_given_up_with_a_name(answer, error):
    async def sleep(_):
        pass

    moody = Moody(*[answer] * 3)
    caller = Caller(exchange=moody, backoff=Backoff(tries=3), sleep=sleep)
    with pytest.raises(error, match="moody"):
        await caller.ask("it", moody.ask)


@pytest.mark.asyncio
async def test_skew_is_the_median_and_half_a_grain():
    told = iter([1_090, 1_091, 9_999_999, 1_090, 1_089])

    async def server_ms():
        return next(told)

    assert (await measure_skew(server_ms, ManualClock(1_000))).skew_ms == 90

    async def seconds():
        return 1_000

    assert (await measure_skew(seconds, ManualClock(1_500), grain_ms=1_000)).skew_ms == 0


def row(at, opened=10.0, high=12.0, low=9.0, close=11.0, volume=1.0):
    return [at, opened, high, low, close, volume]


def test_bad_candles_are_refused_and_counted():
    rows = [
        row(MINUTE),
        row(MINUTE),
        row(2 * MINUTE + 1),
        row(3 * MINUTE, high=10.5),
        row(3 * MINUTE, low=float("nan")),
        row(3 * MINUTE, low=0.0, close=0.0),
        row(3 * MINUTE, volume=-1.0),
        [1, 2],
        "html",
        None,
        row(9 * MINUTE),
    ]
    page = read_page(rows, "BTC-USDT", MINUTE, 0, 5 * MINUTE)
    assert page.series.open_ms.tolist() == [MINUTE]
    assert page.refused == 8
    assert len(read_page("<html>", "BTC-USDT", MINUTE, 0, 1).series) == 0


def test_bars_close_once_in_order_and_a_gap_is_filled_by_asking():
    bars = ClosingBars("BTC-USDT", MINUTE)
    assert bars.offer([row(MINUTE)]) == []
    assert [bar.open_ms for bar in bars.offer([row(MINUTE, close=10.0), row(2 * MINUTE)])] == [MINUTE]
    assert bars.bars[-1].close == 10.0
    assert bars.offer([row(MINUTE)]) == []
    bars.offer([row(4 * MINUTE)])
    assert bars.offer([row(5 * MINUTE)]) == []  # 3 is missing, so 4 waits
    assert bars.gap(5 * MINUTE) == 3 * MINUTE
    found = bars.settle([row(at * MINUTE) for at in (1, 2, 3, 4, 5)], 5 * MINUTE)
    assert [bar.open_ms // MINUTE for bar in found] == [3, 4]
    assert bars.gap(5 * MINUTE) is None


def test_a_stream_goes_stale_alone_and_says_so_once_each_way():
    clock, said = ManualClock(1_000), []
    watch = StreamWatch(clock, StalenessLimits(book=500), MINUTE, said.append)
    keys = [("BTC-USDT", StreamKind.BOOK), ("ETH-USDT", StreamKind.BOOK)]
    for name, kind in keys:
        watch.add(name, kind, supported=True)
        watch.heard((name, kind), 1_000)
    clock.set_ms(1_400)
    watch.heard(keys[1], 1_400)
    clock.set_ms(1_600)
    assert watch.look() == [keys[0]]
    assert watch.look() == [keys[0]]
    assert [(event.instrument, event.stale_since_ms) for event in said] == [("BTC-USDT", 1_000)]
    assert watch.records[keys[1]].state is StreamState.LIVE
    assert watch.records[keys[0]].snapshot(None).words() == "BTC-USDT book: stale since 1970-01-01T00:00:01Z (silent)"
    watch.heard(keys[0], 1_600)
    assert [event.stale_since_ms for event in said] == [1_000, None]


@pytest.mark.asyncio
async def test_an_event_whose_time_is_not_now_is_not_fresh():
    clock = ManualClock(100_000)
    watch = StreamWatch(clock, StalenessLimits(book=500), MINUTE, lambda _: None)
    key = ("BTC-USDT", StreamKind.BOOK)
    watch.add(*key, supported=True)

    async def server_ms():
        return 100_000

    watch.skew = await measure_skew(server_ms, clock)
    assert watch.heard(key, 99_900)
    assert not watch.heard(key, 190_000)
    assert not watch.heard(key, 90_000)
    assert watch.records[key].state is StreamState.STALE


def test_a_view_without_a_good_book_says_why():
    stale = LiveMarket(bars=(), price=5.0, quote_ms=1_000, top=None, stale=("BTC-USDT book: stale since then",))
    view = LiveView(source="binance", as_of_ms=9_000, step_ms=MINUTE, markets={"BTC-USDT": stale})
    quote = view.quote("BTC-USDT")
    assert (quote.age_ms, quote.bid) == (8_000, None)
    assert view.staleness("BTC-USDT") == stale.stale
    with pytest.raises(Unavailable, match="stale since then"):
        view.book("BTC-USDT")
    with pytest.raises(Unavailable, match="not followed"):
        view.quote("ETH-USDT")


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (read_trade, {"price": "n/a", "amount": 1}),
        (read_trade, {"price": 1, "amount": 0}),
        (read_trade, {"price": 1, "amount": 1, "timestamp": 1e18}),
        (read_trade, "<html>"),
        (read_ticker, {"bid": 2, "ask": 1}),
        (read_ticker, {"bid": 2}),
        (read_ticker, {"last": float("inf")}),
        (read_funding, {"fundingRate": None}),
        (read_funding, None),
    ],
)
def test_rows_that_are_no_rows(read, body):
    with pytest.raises(DataError):
        read(body, "BTC-USDT", 1)


@pytest.mark.parametrize("rule", list(BookRule))
@pytest.mark.parametrize("frame", [{}, [], "x", 7, None, {"data": [7]}, {"events": [{}], "timestamp": "no"}])
def test_frames_that_are_no_books(rule, frame):
    with pytest.raises(DataError):
        read_frame(rule, frame)


@pytest.mark.parametrize("book", [None, "x", {}, {"bids": [[1]], "asks": []}])
def test_snapshots_that_are_none(book):
    with pytest.raises(DataError):
        snapshot_message(book)


def _leaves(node):
    if isinstance(node, dict):
        for value in node.values():
            yield from _leaves(value)
    else:
        yield node

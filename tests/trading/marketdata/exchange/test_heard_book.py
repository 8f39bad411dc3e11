"""What is kept of a live book, and what of it is told: samples in force, levels of resting orders, breaks, trades."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from trading.domain import OrderType, Side
from trading.domain.order import Order
from trading.marketdata.books import ASK, BID, OrderBook
from trading.marketdata.exchange import BookTop, Freshness, StreamKind, TradePrint
from trading.marketdata.exchange.heard_book import DENSE_MS, HeardBook
from trading.marketdata.growing_book import KEPT_LEVELS, GrowingBook

BTC = "BTC-USDT-PERP"
MINUTE = 60_000


def order(arrives_ms=10_000, **facts):
    told = {
        "order_id": "o-1", "client_order_id": "c-1", "intent_id": "i-1", "desk": "alpha", "instrument": BTC,
        "side": Side.BUY, "order_type": OrderType.MARKET, "quantity": Decimal(1), "sent_ms": arrives_ms,
        "arrives_ms": arrives_ms, **facts,
    }  # fmt: skip
    return Order(**told)


class Feed:
    """A book that is changed by hand and told to what listens."""

    def __init__(self, *orders):
        self.orders = list(orders)
        self.heard = HeardBook(BTC, MINUTE, lambda: self.orders)
        self.book = OrderBook()
        self.level(BID, *((100.0 - n, 1.0 + n) for n in range(80)))
        self.level(ASK, *((101.0 + n, 1.0 + n) for n in range(80)))

    def level(self, side, *levels):
        prices, sizes = (np.array(column) for column in zip(*levels, strict=True))
        self.book.apply(np.full(len(prices), side, np.int8), prices, sizes)

    def top(self, at_ms, *, trusted=True):
        event = BookTop(instrument=BTC, ts_ms=at_ms, received_ms=at_ms, top=self.book.top())
        self.heard.take(event, self.book if trusted else None, at_ms)

    def trade(self, at_ms, price, quantity, sign=1):
        event = TradePrint(
            instrument=BTC, ts_ms=at_ms, received_ms=at_ms, trade_id=None, price=price, quantity=quantity, sign=sign
        )
        self.heard.take(event, None, at_ms)

    def stale(self, stream, at_ms):
        event = Freshness(
            instrument=BTC, ts_ms=at_ms, received_ms=at_ms, stream=stream, stale_since_ms=at_ms, reason="silent"
        )
        self.heard.take(event, None, at_ms)

    def grown(self, since_ms=0, until_ms=MINUTE):
        event = self.heard.grown(since_ms, until_ms)
        book = GrowingBook(BTC)
        book.apply(event)
        return event.payload, book


def test_the_book_that_was_in_force_when_an_order_arrived_is_told():
    feed = Feed(order(10_300))
    for at_ms, size in ((0, 1.0), (10_100, 2.0), (10_400, 3.0), (59_000, 4.0)):
        feed.level(ASK, (101.0, size))
        feed.top(at_ms)
    payload, book = feed.grown()
    assert book.depth_at(10_300).ask_sizes[0] == 2.0
    assert [row[0] for row in payload["levels"]] == [0, 10_100, 10_400], "the last is in force at no instant wanted"
    assert payload["levels"][1][1:] == [[], [101.0, 2.0]], "after the first, changes alone"
    assert len(book.depth_at(0).bid_prices) == KEPT_LEVELS


def test_the_level_of_a_resting_order_is_told_however_deep_it_lies():
    resting = order(order_type=OrderType.LIMIT, limit_price=Decimal(25))
    feed = Feed(resting)
    feed.top(0)
    book = feed.grown()[1]
    assert book.depth_at(0).bid_prices.tolist()[-1] == 25.0
    assert book.joined_ms(BID, 25.0, 5) == 5
    feed.orders = [replace(resting, limit_price=Decimal(15))]
    feed.top(300)
    assert 15.0 not in feed.grown()[1].depth_at(300).bid_prices, "the venue shows no such level"
    other = Feed(order(instrument="ETH-USDT-PERP", order_type=OrderType.LIMIT, limit_price=Decimal(25)))
    other.top(0)
    assert other.heard.grown(0, MINUTE) is None


def test_where_the_stream_broke_the_book_is_not_known():
    feed = Feed(order())
    feed.top(0)
    feed.top(20_000)
    feed.stale(StreamKind.BOOK, 26_000)
    feed.top(30_000, trusted=False)
    feed.top(40_000)
    payload, book = feed.grown()
    assert payload["known"] == [[0, 20_000], [40_000, 60_000]]
    assert not book.reaches(0, 25_000, MINUTE, waits=False)
    assert feed.heard.seen(30_000) is None
    assert feed.heard.seen(MINUTE).payload["ts_ms"] == 40_000
    feed.heard.broke()
    assert feed.heard.grown(45_000, MINUTE) is None


def test_trades_are_known_from_the_first_on_and_told_together_where_they_are_alike():
    feed = Feed(order())
    feed.top(0)
    feed.trade(1_000, 101.0, 0.1)
    feed.trade(1_400, 101.0, 0.2)
    feed.trade(1_500, 100.0, 0.4, sign=-1)
    feed.trade(1_600, 100.0, 0.4, sign=None)
    feed.trade(2_600, 100.0, 0.5, sign=-1)
    payload, _ = feed.grown()
    assert payload["trades"] == [[1_000, 101.0, 0.3, 0], [1_500, 100.0, 0.4, 1], [2_600, 100.0, 0.5, 1]]
    assert payload["printed"] == [[1_000, 60_000]]
    feed.stale(StreamKind.TRADES, 40_000)
    assert feed.grown()[0]["printed"] == [[1_000, 2_600]]


@pytest.mark.parametrize(
    ("waiting", "trades"),
    [
        ({"order_type": OrderType.STOP, "trigger_price": Decimal(104)}, [(31_000, 103.0), (32_000, 104.0)]),
        ({"order_type": OrderType.TAKE_PROFIT, "trigger_price": Decimal(96)}, [(31_000, 97.0), (32_000, 95.0)]),
    ],
)
def test_the_book_at_which_a_trigger_was_met_is_told(waiting, trades):
    feed = Feed(order(0, **waiting))
    feed.top(0)
    feed.level(ASK, (101.0, 7.0))
    feed.top(31_900)
    feed.level(ASK, (101.0, 8.0))
    feed.top(32_200)
    for at_ms, price in trades:
        feed.trade(at_ms, price, 1.0)
    assert feed.grown()[1].depth_at(32_000).ask_sizes[0] == 7.0


def test_what_is_old_is_thinned_and_what_was_told_is_forgotten():
    feed = Feed(order(1_300))
    for at_ms in range(0, 3 * DENSE_MS, 250):
        feed.level(ASK, (101.0, 1.0 + at_ms))
        feed.top(at_ms)
    book = feed.grown(0, 3 * DENSE_MS)[1]
    assert book.depth_at(1_300).ask_sizes[0] == 1_251.0
    assert len(feed.heard._samples) < 2 * DENSE_MS / 250 + 100
    feed.heard.forget(3 * DENSE_MS)
    assert len(feed.heard._samples) == 1
    feed.top(3 * DENSE_MS)
    assert feed.heard.seen(3 * DENSE_MS).payload["asks"][0] == [101.0, 1.0 + 3 * DENSE_MS - 250]


def test_nothing_is_told_without_an_order_and_a_crossed_book_is_no_sample():
    feed = Feed()
    feed.top(0)
    assert feed.heard.grown(0, MINUTE) is None
    assert len(feed.heard.seen(MINUTE).payload["bids"]) == 20
    feed.level(BID, (150.0, 1.0))
    feed.heard.take(BookTop(instrument=BTC, ts_ms=300, received_ms=300, top=feed.book.top()), feed.book, 300)
    assert feed.heard.seen(MINUTE).payload["ts_ms"] == 0


@pytest.mark.parametrize(
    ("waiting", "quiet", "met"),
    [
        ({"order_type": OrderType.STOP, "trigger_price": Decimal(104)}, 103.0, 104.0),
        ({"order_type": OrderType.TAKE_PROFIT, "trigger_price": Decimal(96)}, 97.0, 95.0),
        ({"order_type": OrderType.LIMIT, "limit_price": Decimal(98)}, 99.0, 98.0),
        ({"order_type": OrderType.STOP_LIMIT, "trigger_price": Decimal(104), "limit_price": Decimal(98)}, 99.0, 98.0),
    ],
)
def test_a_bar_that_meets_no_order_is_not_told(waiting, quiet, met):
    feed = Feed(order(30_000, **waiting))
    feed.top(0)
    assert feed.heard.grown(0, MINUTE) is not None, "the order arrived in it"
    feed.heard = HeardBook(BTC, MINUTE, lambda: feed.orders)
    feed.top(MINUTE)
    feed.trade(MINUTE + 1_000, quiet, 1.0)
    assert feed.heard.grown(MINUTE, 2 * MINUTE) is None
    feed.trade(2 * MINUTE + 1_000, met, 1.0)
    assert feed.heard.grown(2 * MINUTE, 3 * MINUTE) is not None
    assert feed.heard.grown(3 * MINUTE, 4 * MINUTE) is not None, "what was met may still be worked"
    feed.orders = []
    assert feed.heard.grown(4 * MINUTE, 5 * MINUTE) is None


def test_who_follows_the_price_is_told_every_bar():
    feed = Feed(order(0, order_type=OrderType.TRAILING_STOP, trail=Decimal("0.01")))
    feed.top(MINUTE)
    assert feed.heard.grown(MINUTE, 2 * MINUTE) is not None

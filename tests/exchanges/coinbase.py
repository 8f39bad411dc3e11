"""Coinbase Advanced Trade, public part."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.exchanges.coinbase_account import CoinbaseAccount
from tests.exchanges.market import ASKS, BIDS, Listing, Market, Step, Trade
from tests.exchanges.server import Request, Session, Venue, held_levels

_SIDES = {BIDS: "bid", ASKS: "offer"}
_SECONDS = {"ONE_MINUTE": 60, "FIVE_MINUTE": 300, "FIFTEEN_MINUTE": 900, "ONE_HOUR": 3_600, "ONE_DAY": 86_400}
_ROOT = "/api/v3/brokerage/"
_FRAMES = {"level2": "l2_data"}


class Coinbase:
    """Frames of a connection are numbered across its channels; all numbers are text; candles come newest first."""

    exchange_id = "coinbase"
    ws_path = ""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.private: CoinbaseAccount | None = None
        self._listings = {listing.instrument: listing for listing in listings}  # product ids are our symbols of spot

    def rest(self, request: Request, venue: Venue) -> Any | None:
        if self.private is not None:
            answer = self.private.rest(request)
            if answer is not None:
                return answer
        if request.path.startswith("/v2/"):
            return (
                {"data": {"iso": _iso(venue.now_ms()), "epoch": venue.now_ms() // 1000, "currency": "USD", "rates": {}}}
                if request.path in {"/v2/time", "/v2/exchange-rates"}
                else {"data": []}
            )
        route = request.path.removeprefix(_ROOT).removeprefix("market/").split("/")
        if route[0] == "time":
            return {
                "iso": _iso(venue.now_ms()),
                "epochSeconds": str(venue.now_ms() // 1000),
                "epochMillis": str(venue.now_ms()),
            }
        if route == ["products"]:
            listed = (
                []
                if request.fields.get("product_type") == "FUTURE"
                else [self._product(name) for name in self._listings]
            )
            return {"products": listed, "num_products": len(listed)}
        if route[0] == "product_book":
            return self._book(request.fields["product_id"], request.number("limit", 50), venue)
        if route[0] == "products" and len(route) == 3:
            market = venue.markets[route[1]]
            return self._candles(market, request) if route[2] == "candles" else self._trades(market)
        return None

    def said(self, session: Session, message: Any, venue: Venue) -> list[Any]:
        channel = message["channel"]
        if message["type"] != "subscribe":
            session.topics -= {(channel, product) for product in message["product_ids"]}
            return []
        session.topics |= {(channel, product) for product in message["product_ids"]}
        subscribed = {
            "channel": "subscriptions",
            "timestamp": _iso(venue.now_ms()),
            "events": [{"subscriptions": {channel: message["product_ids"]}}],
        }
        if channel != "level2":
            return [subscribed]
        return [*(self._snapshot(venue.markets[product]) for product in message["product_ids"]), subscribed]

    def frames(self, session: Session, instrument: str, step: Step, venue: Venue) -> tuple[list[Any], list[Any]]:
        market = venue.markets[instrument]
        channels = {channel for channel, product in session.topics if product == instrument}
        book, others = [], []
        if "level2" in channels:
            book.append(self._update("update", market, step.at_ms, step.changes))
        if "market_trades" in channels and step.trades:
            trades = [self._trade(market, trade) for trade in step.trades]
            others.append(_frame("market_trades", step.at_ms, [{"type": "update", "trades": trades}]))
        if channels & {"ticker", "ticker_batch"}:
            bid, bid_size, ask, ask_size = market.top
            ticker = {
                "type": "ticker",
                "product_id": instrument,
                "price": str(bid),
                "volume_24_h": "1",
                "low_24_h": str(bid),
                "high_24_h": str(ask),
                "low_52_w": "1",
                "high_52_w": "100000",
                "price_percent_chg_24_h": "0",
                "best_bid": str(bid),
                "best_bid_quantity": str(bid_size),
                "best_ask": str(ask),
                "best_ask_quantity": str(ask_size),
            }
            others.append(_frame("ticker", step.at_ms, [{"type": "update", "tickers": [ticker]}]))
        return book, others

    def stamp(self, session: Session, frame: Any) -> Any:
        numbered = {**frame, "sequence_num": session.sent}
        session.sent += 1
        return numbered

    def _product(self, name: str) -> Mapping[str, Any]:
        listing = self._listings[name]
        return {
            "product_id": name,
            "price": str(listing.start),
            "base_increment": str(listing.lot),
            "quote_increment": str(listing.tick),
            "quote_min_size": "1",
            "quote_max_size": "150000000",
            "base_min_size": str(listing.lot),
            "base_max_size": "3400",
            "base_name": listing.base,
            "quote_name": listing.quote,
            "status": "online",
            "trading_disabled": False,
            "product_type": "SPOT",
            "quote_currency_id": listing.quote,
            "base_currency_id": listing.base,
            "base_display_symbol": listing.base,
            "quote_display_symbol": listing.quote,
            "price_increment": str(listing.tick),
            "alias": "",
            "alias_to": [],
            "view_only": False,
            "volume_24h": "1",
            "price_percentage_change_24h": "0",
        }

    def _book(self, product: str, count: int, venue: Venue) -> Any:
        market = venue.markets[product]
        _, levels = held_levels(venue, product)
        sides = {
            name: [
                {"price": market.listing.price(p), "size": market.listing.size(s)}
                for p, s in market.best(side, count, tuple(levels))
            ]
            for side, name in ((BIDS, "bids"), (ASKS, "asks"))
        }
        return {"pricebook": {"product_id": product, **sides, "time": _iso(market.at_ms)}}

    def _candles(self, market: Market, request: Request) -> Any:
        step = _SECONDS[request.fields["granularity"]] * 1000
        rows = market.candles(step, request.number("start", 0) * 1000, request.number("end", 0) * 1000)[:350]
        price = market.listing.price
        return {
            "candles": [
                {
                    "start": str(at // 1000),
                    "low": price(low),
                    "high": price(h),
                    "open": price(o),
                    "close": price(c),
                    "volume": market.listing.size(v),
                }
                for at, o, h, low, c, v in reversed(rows)
            ]
        }

    def _trades(self, market: Market) -> Any:
        bid, _, ask, _ = market.top
        return {
            "trades": [self._trade(market, trade) for trade in list(market.trades)[-20:]],
            "best_bid": str(bid),
            "best_ask": str(ask),
        }

    def _trade(self, market: Market, trade: Trade) -> Any:
        # The side of a public trade is the maker's.
        return {
            "trade_id": str(trade.trade_id),
            "product_id": market.listing.instrument,
            "price": market.listing.price(trade.price),
            "size": market.listing.size(trade.size),
            "time": _iso(trade.at_ms),
            "side": "SELL" if trade.buyer_took else "BUY",
        }

    def _snapshot(self, market: Market) -> Any:
        levels = [(side, price, size) for side in (BIDS, ASKS) for price, size in market.best(side, 10_000)]
        return self._update("snapshot", market, market.at_ms, levels)

    def _update(self, kind: str, market: Market, at_ms: int, changes: Sequence[tuple[int, int, int]]) -> Any:
        updates = [
            {
                "side": _SIDES[side],
                "event_time": _iso(at_ms),
                "price_level": market.listing.price(price),
                "new_quantity": market.listing.size(size),
            }
            for side, price, size in changes
        ]
        event = {"type": kind, "product_id": market.listing.instrument, "updates": updates}
        return _frame("l2_data", at_ms, [event])


def _frame(channel: str, at_ms: int, events: list[Any]) -> Any:
    return {"channel": channel, "client_id": "", "timestamp": _iso(at_ms), "events": events}


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}000000Z"

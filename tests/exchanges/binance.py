"""Binance spot and USD-M futures, public part."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.exchanges.binance_account import ORDER_TYPES, BinanceAccount
from tests.exchanges.market import ASKS, BIDS, HOUR_MS, Listing, Market, Step
from tests.exchanges.server import Request, Session, Venue, held_levels
from trading.domain.instants import duration_ms


class Binance:
    """One class for both: futures number their updates with ``pu``, live under ``/fapi/v1`` and say mark prices."""

    def __init__(self, listings: Sequence[Listing], *, futures: bool) -> None:
        self.exchange_id = "binanceusdm" if futures else "binance"
        self.ws_path = "" if futures else "/stream"  # ccxt knows spot by it
        self._futures = futures
        self.private: BinanceAccount | None = None
        self._root = "/fapi/v1/" if futures else "/api/v3/"
        self.listings = {f"{listing.base}{listing.quote}": listing for listing in listings}

    def rest(self, request: Request, venue: Venue) -> Any | None:
        if self.private is not None:
            answer = self.private.rest(request)
            if answer is not None:
                return answer
        route = _ROUTES.get(request.path.removeprefix(self._root))
        if route is None or not request.path.startswith(self._root):
            return None
        return getattr(self, route)(request, venue)

    def time(self, request: Request, venue: Venue) -> Any:
        return {"serverTime": venue.now_ms()}

    def info(self, request: Request, venue: Venue) -> Any:
        return {"timezone": "UTC", "rateLimits": [], "symbols": [self._listed(name) for name in self.listings]}

    def klines(self, request: Request, venue: Venue) -> Any:
        market, step = self._market(request, venue), duration_ms(request.fields["interval"])
        limit = request.number("limit", 500)
        end = request.number("endTime", venue.now_ms()) + 1
        begin = request.number("startTime", end - limit * step)
        rows = market.candles(step, begin, min(end, begin + limit * step))
        price, size = market.listing.price, market.listing.size
        return [
            [at, price(o), price(h), price(low), price(c), size(v), at + step - 1, "0", 1, "0", "0", "0"]
            for at, o, h, low, c, v in rows
        ]

    def depth(self, request: Request, venue: Venue) -> Any:
        market = self._market(request, venue)
        final_id, levels = held_levels(venue, market.listing.instrument)
        count = request.number("limit", 100)
        times = {"E": venue.now_ms(), "T": venue.now_ms()} if self._futures else {}
        return {
            "lastUpdateId": final_id,
            **times,
            "bids": pairs(market.listing, market.best(BIDS, count, tuple(levels))),
            "asks": pairs(market.listing, market.best(ASKS, count, tuple(levels))),
        }

    def ticker(self, request: Request, venue: Venue) -> Any:
        return self._ticker(self._market(request, venue), venue)

    def premium(self, request: Request, venue: Venue) -> Any:
        bid, _, ask, _ = self._market(request, venue).top
        return {
            "symbol": request.fields["symbol"],
            "markPrice": f"{(bid + ask) / 2:.4f}",
            "indexPrice": f"{(bid + ask) / 2:.4f}",
            "estimatedSettlePrice": f"{bid:.4f}",
            "lastFundingRate": "0.00010000",
            "interestRate": "0.00010000",
            "nextFundingTime": (venue.now_ms() // 28_800_000 + 1) * 28_800_000,
            "time": venue.now_ms(),
        }

    def interest(self, request: Request, venue: Venue) -> Any:
        return {"symbol": request.fields["symbol"], "openInterest": "10659.509", "time": venue.now_ms()}

    def settled(self, request: Request, venue: Venue) -> Any:
        begin = request.number("startTime", 0)
        rates = self._market(request, venue).settled(8 * HOUR_MS, begin, venue.now_ms())
        limit = request.number("limit", 100)
        return [
            {"symbol": request.fields["symbol"], "fundingRate": rate, "fundingTime": at} for at, rate in rates[:limit]
        ]

    def said(self, session: Session, message: Any, venue: Venue) -> list[Any]:
        private = self.private.subscribed(session, message) if self.private is not None else None
        if private is not None:
            return private
        if message.get("method") == "SUBSCRIBE":
            for topic in message["params"]:
                name, _, channel = topic.partition("@")
                session.topics.add((channel, name.upper()))
        return [{"result": None, "id": message.get("id")}]

    def frames(self, session: Session, instrument: str, step: Step, venue: Venue) -> tuple[list[Any], list[Any]]:
        market = venue.markets[instrument]
        listing = market.listing
        name = f"{listing.base}{listing.quote}"
        channels = {channel.partition("@")[0] for channel, symbol in session.topics if symbol == name}
        book: list[Any] = []
        others: list[Any] = []
        if "depth" in channels:
            book.append(self._depth_update(name, listing, step))
        if channels & {"trade", "aggTrade"}:
            others += [self._trade(name, listing, trade, channels) for trade in step.trades]
        if "ticker" in channels:
            others.append({"e": "24hrTicker", "E": step.at_ms, **_short_ticker(market, name)})
        for channel in channels:
            if channel.startswith("kline_") and step.trades:
                others.append(self._kline(name, market, channel.removeprefix("kline_"), step))
        if "markPrice" in channels:
            bid, _, ask, _ = market.top
            mark = f"{(bid + ask) / 2:.4f}"
            others.append(
                {
                    "e": "markPriceUpdate",
                    "E": step.at_ms,
                    "s": name,
                    "p": mark,
                    "i": mark,
                    "P": mark,
                    "r": "0.0001",
                    "T": 0,
                }
            )
        return book, others

    def stamp(self, session: Session, frame: Any) -> Any:
        return frame

    def _market(self, request: Request, venue: Venue) -> Market:
        return venue.markets[self.listings[request.fields["symbol"]].instrument]

    def _listed(self, name: str) -> Mapping[str, Any]:
        listing = self.listings[name]
        futures = (
            {
                "pair": name,
                "contractType": "PERPETUAL",
                "deliveryDate": 4133404800000,
                "onboardDate": 1569398400000,
                "marginAsset": listing.quote,
                "underlyingType": "COIN",
                "settlePlan": 0,
                "triggerProtect": "0.05",
            }
            if self._futures
            else {
                "isSpotTradingAllowed": True,
                "isMarginTradingAllowed": False,
                "permissions": ["SPOT"],
                "permissionSets": [["SPOT"]],
            }
        )
        return {
            "symbol": name,
            "status": "TRADING",
            "baseAsset": listing.base,
            "quoteAsset": listing.quote,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "pricePrecision": 2,
            "quantityPrecision": 3,
            "orderTypes": list(ORDER_TYPES),
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": str(listing.tick),
                    "maxPrice": "1000000",
                    "tickSize": str(listing.tick),
                },
                {"filterType": "LOT_SIZE", "minQty": str(listing.lot), "maxQty": "9000", "stepSize": str(listing.lot)},
                {"filterType": "MIN_NOTIONAL", "notional": "5"}
                if self._futures
                else {"filterType": "NOTIONAL", "minNotional": "5"},
            ],
            **futures,
        }

    def _ticker(self, market: Market, venue: Venue) -> Any:
        bid, bid_size, ask, ask_size = market.top
        return {
            "symbol": f"{market.listing.base}{market.listing.quote}",
            "lastPrice": str(bid),
            "bidPrice": str(bid),
            "bidQty": str(bid_size),
            "askPrice": str(ask),
            "askQty": str(ask_size),
            "openPrice": str(bid),
            "highPrice": str(ask),
            "lowPrice": str(bid),
            "volume": "100",
            "quoteVolume": "100",
            "openTime": 0,
            "closeTime": venue.now_ms(),
            "count": 1,
        }

    def _depth_update(self, name: str, listing: Listing, step: Step) -> Any:
        futures = {"T": step.at_ms, "pu": step.previous_id} if self._futures else {}
        return {
            "e": "depthUpdate",
            "E": step.at_ms,
            "s": name,
            "U": step.first_id,
            "u": step.final_id,
            **futures,
            "b": pairs(listing, [(price, size) for side, price, size in step.changes if side == BIDS]),
            "a": pairs(listing, [(price, size) for side, price, size in step.changes if side == ASKS]),
        }

    def _trade(self, name: str, listing: Listing, trade: Any, channels: set[str]) -> Any:
        number = {"t": trade.trade_id} if "trade" in channels else {"a": trade.trade_id, "f": 1, "l": 1}
        return {
            "e": "trade" if "trade" in channels else "aggTrade",
            "E": trade.at_ms,
            "T": trade.at_ms,
            "s": name,
            **number,
            "p": listing.price(trade.price),
            "q": listing.size(trade.size),
            "m": not trade.buyer_took,
        }

    def _kline(self, name: str, market: Market, interval: str, step: Step) -> Any:
        length = duration_ms(interval)
        at, o, h, low, c, v = market.candles(length, step.at_ms // length * length, step.at_ms + 1)[-1]
        price = market.listing.price
        bar = {
            "t": at,
            "T": at + length - 1,
            "s": name,
            "i": interval,
            "o": price(o),
            "c": price(c),
            "h": price(h),
            "l": price(low),
            "v": market.listing.size(v),
            "x": False,
        }
        return {"e": "kline", "E": step.at_ms, "s": name, "k": bar}


def pairs(listing: Listing, levels: Sequence[tuple[int, int]]) -> list[list[str]]:
    return [[listing.price(price), listing.size(size)] for price, size in levels]


def _short_ticker(market: Market, name: str) -> Mapping[str, Any]:
    bid, bid_size, ask, ask_size = market.top
    values = {"c": bid, "b": bid, "B": bid_size, "a": ask, "A": ask_size, "o": bid, "h": ask, "l": bid, "v": 1, "q": 1}
    return {"s": name, "C": market.at_ms, "O": 0} | {key: str(value) for key, value in values.items()}


_ROUTES = {
    "time": "time",
    "exchangeInfo": "info",
    "klines": "klines",
    "depth": "depth",
    "ticker/24hr": "ticker",
    "premiumIndex": "premium",
    "openInterest": "interest",
    "fundingRate": "settled",
}

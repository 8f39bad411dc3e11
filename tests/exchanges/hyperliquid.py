"""Hyperliquid perpetuals, public part: everything is a POST to ``/info``, books come whole."""

from collections.abc import Sequence
from typing import Any

from tests.exchanges.faults import Fault
from tests.exchanges.hyperliquid_account import HyperliquidAccount
from tests.exchanges.market import ASKS, BIDS, HOUR_MS, Levels, Listing, Market, Step, Trade
from tests.exchanges.server import Request, Session, Venue
from trading.domain.instants import duration_ms

DEPTH = 20


class Hyperliquid:
    """Books of twenty levels a side, sent whole; a stale one may follow a newer one."""

    exchange_id = "hyperliquid"
    ws_path = ""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.private: HyperliquidAccount | None = None
        self.coins = {listing.base: listing for listing in listings}

    def rest(self, request: Request, venue: Venue) -> Any | None:
        if self.private is not None:
            answer = self.private.rest(request)
            if answer is not None:
                return answer
        if request.path != "/info":
            return None
        wanted = request.fields
        match wanted.get("type"):
            case "exchangeStatus":
                return {"specialStatuses": None, "time": venue.now_ms()}
            case "spotMeta":
                return {"tokens": [], "universe": []}
            case "meta":
                return {"universe": self._universe()}
            case "metaAndAssetCtxs":
                return [
                    {"universe": self._universe()},
                    [self._context(venue.markets[listing.instrument]) for listing in self.coins.values()],
                ]
            case "l2Book":
                market = venue.markets[self.coins[wanted["coin"]].instrument]
                return self._book(market, market.levels, market.at_ms)
            case "candleSnapshot":
                return self._candles(wanted["req"], venue)
            case "fundingHistory":
                market = venue.markets[self.coins[wanted["coin"]].instrument]
                rates = market.settled(HOUR_MS, int(wanted["startTime"]), venue.now_ms())
                return [
                    {"coin": wanted["coin"], "fundingRate": rate, "premium": "0.0", "time": at} for at, rate in rates
                ]
            case "recentTrades":
                market = venue.markets[self.coins[wanted["coin"]].instrument]
                return [self._trade(market, trade) for trade in list(market.trades)[-10:]]
        return None

    def said(self, session: Session, message: Any, venue: Venue) -> list[Any]:
        if message.get("method") == "ping":
            return [{"channel": "pong"}]
        wanted = message["subscription"]
        if message["method"] == "subscribe":
            channel = f"candle_{wanted['interval']}" if wanted["type"] == "candle" else wanted["type"]
            session.topics.add((channel, wanted.get("coin", "")))
        return [{"channel": "subscriptionResponse", "data": message}]

    def frames(self, session: Session, instrument: str, step: Step, venue: Venue) -> tuple[list[Any], list[Any]]:
        market = venue.markets[instrument]
        coin = market.listing.base
        channels = {channel for channel, name in session.topics if name in {coin, ""}}
        book, others = [], []
        if "l2Book" in channels:
            book.append({"channel": "l2Book", "data": self._book(market, market.levels, step.at_ms)})
            if len(market.past) > 5 and venue.weather.strikes(Fault.STALE_SNAPSHOT):
                book.append({"channel": "l2Book", "data": self._book(market, market.past[0][1], step.at_ms - 2_000)})
        if "trades" in channels and step.trades:
            others.append({"channel": "trades", "data": [self._trade(market, trade) for trade in step.trades]})
        if "allMids" in channels:
            mids = {name: _middle(venue.markets[listing.instrument]) for name, listing in self.coins.items()}
            others.append({"channel": "allMids", "data": {"mids": mids}})
        if "activeAssetCtx" in channels:
            others.append({"channel": "activeAssetCtx", "data": {"coin": coin, "ctx": self._context(market)}})
        for channel in channels:
            if channel.startswith("candle_") and step.trades:
                interval = channel.removeprefix("candle_")
                length = duration_ms(interval)
                row = market.candles(length, step.at_ms // length * length, step.at_ms + 1)[-1]
                others.append({"channel": "candle", "data": self._candle(market, interval, row)})
        return book, others

    def stamp(self, session: Session, frame: Any) -> Any:
        return frame

    def _universe(self) -> list[Any]:
        return [
            {"name": coin, "szDecimals": -int(listing.lot.as_tuple().exponent), "maxLeverage": 40}
            for coin, listing in self.coins.items()
        ]

    @staticmethod
    def _context(market: Market) -> Any:
        bid, _, ask, _ = market.top
        middle = _middle(market)
        return {
            "funding": "0.0000125",
            "openInterest": "12000.5",
            "prevDayPx": str(bid),
            "dayNtlVlm": "1000",
            "dayBaseVlm": "1",
            "premium": "0.0",
            "oraclePx": middle,
            "markPx": middle,
            "midPx": middle,
            "impactPxs": [str(bid), str(ask)],
        }

    @staticmethod
    def _book(market: Market, levels: tuple[Levels, Levels], at_ms: int) -> Any:
        say = market.listing
        sides = [
            [{"px": say.price(p), "sz": say.size(s), "n": 1} for p, s in market.best(side, DEPTH, levels)]
            for side in (BIDS, ASKS)
        ]
        return {"coin": say.base, "time": at_ms, "levels": sides}

    @staticmethod
    def _trade(market: Market, trade: Trade) -> Any:
        return {
            "coin": market.listing.base,
            "side": "B" if trade.buyer_took else "A",
            "px": market.listing.price(trade.price),
            "sz": market.listing.size(trade.size),
            "hash": "0x0",
            "time": trade.at_ms,
            "tid": trade.trade_id,
            "users": ["0x1", "0x2"],
        }

    def _candles(self, wanted: Any, venue: Venue) -> Any:
        market = venue.markets[self.coins[wanted["coin"]].instrument]
        rows = market.candles(duration_ms(wanted["interval"]), wanted["startTime"], wanted["endTime"] + 1)
        return [self._candle(market, wanted["interval"], row) for row in rows[-5_000:]]

    @staticmethod
    def _candle(market: Market, interval: str, row: tuple[int, ...]) -> Any:
        at, o, h, low, c, v = row
        say = market.listing
        return {
            "t": at,
            "T": at + duration_ms(interval) - 1,
            "s": say.base,
            "i": interval,
            "o": say.price(o),
            "c": say.price(c),
            "h": say.price(h),
            "l": say.price(low),
            "v": say.size(v),
            "n": 1,
        }


def _middle(market: Market) -> str:
    bid, _, ask, _ = market.top
    return str((bid + ask) / 2)

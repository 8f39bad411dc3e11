"""Kraken: REST and websocket version 2, public part. The checksum is reckoned from whole numbers."""

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.exchanges.kraken_account import KrakenAccount
from tests.exchanges.market import ASKS, BIDS, Levels, Listing, Market, Step
from tests.exchanges.server import Request, Session, Venue, held_levels

DEPTH = 10
_SIZE_DECIMALS = 8
_CODES = {"BTC": ("XXBT", "XBT"), "ETH": ("XETH", "ETH"), "USD": ("ZUSD", "USD")}


class Kraken:
    """A book of ten levels a side: what leaves it because better levels came is not said, what fills it up again is."""

    exchange_id = "kraken"
    ws_path = ""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.private: KrakenAccount | None = None
        self.pairs = {f"{_CODES[listing.base][0]}{_CODES[listing.quote][0]}": listing for listing in listings}

    def rest(self, request: Request, venue: Venue) -> Any | None:
        if self.private is not None:
            answer = self.private.rest(request)
            if answer is not None:
                return answer
        route = request.path.removeprefix("/0/public/")
        if route == "Time":
            return _result({"unixtime": venue.now_ms() // 1000, "rfc1123": ""})
        if route == "Assets":
            codes = {listing.base for listing in self.pairs.values()} | {
                listing.quote for listing in self.pairs.values()
            }
            assets = {
                _CODES[code][0]: {
                    "aclass": "currency",
                    "altname": _CODES[code][1],
                    "decimals": 10,
                    "display_decimals": 5,
                    "status": "enabled",
                }
                for code in codes
            }
            return _result(assets)
        if route == "AssetPairs":
            return _result({pair: self._pair(listing) for pair, listing in self.pairs.items()})
        if route == "OHLC":
            return self._candles(request, venue)
        if route == "Depth":
            return self._depth(request, venue)
        return None

    def said(self, session: Session, message: Any, venue: Venue) -> list[Any]:
        if message.get("method") == "ping":
            return [{"method": "pong", "req_id": message.get("req_id")}]
        if message.get("method") != "subscribe":
            return []
        wanted = message["params"]
        answers = []
        for symbol in wanted["symbol"]:
            session.topics.add((wanted["channel"], symbol))
            answers.append(
                {
                    "method": "subscribe",
                    "req_id": message.get("req_id"),
                    "success": True,
                    "result": {"channel": wanted["channel"], "symbol": symbol},
                }
            )
            if wanted["channel"] == "book":
                market = venue.markets[symbol.replace("/", "-")]
                data = {side: market.best(row, DEPTH) for row, side in ((BIDS, "bids"), (ASKS, "asks"))}
                answers.append(_book("snapshot", market, data, market.at_ms))
        return answers

    def frames(self, session: Session, instrument: str, step: Step, venue: Venue) -> tuple[list[Any], list[Any]]:
        market = venue.markets[instrument]
        listing = market.listing
        symbol = instrument.replace("-", "/")
        channels = {channel for channel, name in session.topics if name == symbol}
        book, others = [], []
        if "book" in channels:
            data = {
                name: _difference(side, step.before[side], market.levels[side])
                for side, name in ((BIDS, "bids"), (ASKS, "asks"))
            }
            if data["bids"] or data["asks"]:
                book.append(_book("update", market, data, step.at_ms))
        if "trade" in channels and step.trades:
            trades = [
                {
                    "symbol": symbol,
                    "side": "buy" if trade.buyer_took else "sell",
                    "qty": float(listing.size(trade.size)),
                    "price": float(listing.price(trade.price)),
                    "ord_type": "market",
                    "trade_id": trade.trade_id,
                    "timestamp": _iso(trade.at_ms),
                }
                for trade in step.trades
            ]
            others.append({"channel": "trade", "type": "update", "data": trades})
        if "ticker" in channels:
            bid, bid_size, ask, ask_size = market.top
            row = {
                "symbol": symbol,
                "bid": bid,
                "bid_qty": bid_size,
                "ask": ask,
                "ask_qty": ask_size,
                "last": bid,
                "volume": 1.0,
                "vwap": bid,
                "low": bid,
                "high": ask,
                "change": 0.0,
                "change_pct": 0.0,
            }
            others.append({"channel": "ticker", "type": "update", "data": [row]})
        if "ohlc" in channels and step.trades:
            at, o, h, low, c, v = market.candles(60_000, step.at_ms // 60_000 * 60_000, step.at_ms + 1)[-1]
            o, h, low, c = (float(listing.price(value)) for value in (o, h, low, c))
            bar = {
                "symbol": symbol,
                "open": o,
                "high": h,
                "low": low,
                "close": c,
                "trades": 1,
                "volume": float(listing.size(v)),
                "vwap": c,
                "interval_begin": _iso(at),
                "interval": 1,
                "timestamp": _iso(at + 60_000),
            }
            others.append({"channel": "ohlc", "type": "update", "timestamp": _iso(step.at_ms), "data": [bar]})
        return book, others

    def stamp(self, session: Session, frame: Any) -> Any:
        return frame

    @staticmethod
    def _pair(listing: Listing) -> Any:
        decimals = -int(listing.tick.as_tuple().exponent)
        return {
            "altname": f"{_CODES[listing.base][1]}{listing.quote}",
            "wsname": f"{_CODES[listing.base][1]}/{listing.quote}",
            "aclass_base": "currency",
            "base": _CODES[listing.base][0],
            "aclass_quote": "currency",
            "quote": _CODES[listing.quote][0],
            "lot": "unit",
            "cost_decimals": 5,
            "pair_decimals": decimals,
            "lot_decimals": _SIZE_DECIMALS,
            "lot_multiplier": 1,
            "leverage_buy": [],
            "leverage_sell": [],
            "fees": [[0, 0.4]],
            "fees_maker": [[0, 0.25]],
            "fee_volume_currency": "ZUSD",
            "margin_call": 80,
            "margin_stop": 40,
            "ordermin": "0.0001",
            "costmin": "0.5",
            "tick_size": str(listing.tick),
            "status": "online",
        }

    def _candles(self, request: Request, venue: Venue) -> Any:
        pair = request.fields["pair"]
        market, step = venue.markets[self.pairs[pair].instrument], request.number("interval", 1) * 60_000
        since = max(request.number("since", 0) * 1000, venue.now_ms() - 720 * step)
        price = market.listing.price
        rows = [
            [at // 1000, price(o), price(h), price(low), price(c), price(c), market.listing.size(v), 1]
            for at, o, h, low, c, v in market.candles(step, since, venue.now_ms() + 1)
        ]
        return _result({pair: rows, "last": rows[-1][0] if rows else 0})

    def _depth(self, request: Request, venue: Venue) -> Any:
        pair = request.fields["pair"]
        instrument = self.pairs[pair].instrument
        market, (_, levels) = venue.markets[instrument], held_levels(venue, instrument)
        say = market.listing
        sides = {
            name: [
                [say.price(p), say.size(s), venue.now_ms() // 1000] for p, s in market.best(side, 100, tuple(levels))
            ]
            for side, name in ((BIDS, "bids"), (ASKS, "asks"))
        }
        return _result({pair: sides})


def _difference(side: int, before: Levels, after: Levels) -> list[tuple[int, int]]:
    """The changes that turn the best ten of ``before`` into those of ``after``, given a reader that keeps ten."""
    was = dict(sorted(before.items(), reverse=side == BIDS)[:DEPTH])
    now = dict(sorted(after.items(), reverse=side == BIDS)[:DEPTH])
    gone = [(price, 0) for price in was if price not in after]
    return gone + [(price, size) for price, size in now.items() if was.get(price) != size]


def _book(kind: str, market: Market, data: dict[str, list[tuple[int, int]]], at_ms: int) -> Any:
    say = market.listing
    levels = {
        name: [{"price": float(say.price(p)), "qty": float(say.size(s))} for p, s in rows]
        for name, rows in data.items()
    }
    row = {
        "symbol": market.listing.instrument.replace("-", "/"),
        **levels,
        "checksum": _checksum(market),
        "timestamp": _iso(at_ms),
    }
    return {"channel": "book", "type": kind, "data": [row]}


def _checksum(market: Market) -> int:
    lots = int(market.listing.lot * 10**_SIZE_DECIMALS)
    rows = [*market.best(ASKS, DEPTH), *market.best(BIDS, DEPTH)]
    return zlib.crc32("".join(f"{price}{size * lots}" for price, size in rows).encode())


def _result(body: Any) -> Any:
    return {"error": [], "result": body}


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}000Z"

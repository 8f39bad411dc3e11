"""Binance, private part: signed REST of spot and USD-M futures, their error codes, and the streams of an account."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.exchanges.accounts import (
    Account,
    Asked,
    HangUp,
    Held,
    Moved,
    OrderFault,
    OrderFaults,
    Refusal,
    Refused,
    Status,
    Traded,
    found,
    moved_now,
)
from tests.exchanges.limits import RateWindow
from tests.exchanges.market import Listing
from tests.exchanges.server import Request, Session, Venue

KEY, SECRET = "loopback-key", "loopback-secret"
ZERO = Decimal(0)
_SAID = {
    Status.OPEN: "NEW",
    Status.PARTIAL: "PARTIALLY_FILLED",
    Status.FILLED: "FILLED",
    Status.CANCELLED: "CANCELED",
    Status.REJECTED: "REJECTED",
    Status.EXPIRED: "EXPIRED",
}
_WHY = {  # spot, futures
    "duplicate": ((-2010, "Duplicate order sent."), (-4116, "ClientOrderId is duplicated.")),
    "would take": (
        (-2010, "Order would immediately match and take."),
        (-5022, "Due to the order could not be executed as maker, the Post Only order will be rejected."),
    ),
    "would trigger": ((-2010, "Stop price would trigger immediately."), (-2021, "Order would immediately trigger.")),
    "funds": (
        (-2010, "Account has insufficient balance for requested action."),
        (-2019, "Margin is insufficient."),
    ),
    "nothing to reduce": ((-2010, "reduceOnly"), (-2022, "ReduceOnly Order is rejected.")),
    "tick": ((-1013, "Filter failure: PRICE_FILTER"), (-4014, "Price not increased by tick size.")),
    "lot": ((-1013, "Filter failure: LOT_SIZE"), (-1111, "Precision is over the maximum defined for this asset.")),
    "notional": (
        (-1013, "Filter failure: NOTIONAL"),
        (-4164, "Order's notional must be no smaller than 5 (unless you choose reduce only)."),
    ),
}
_KINDS = {
    "LIMIT": "limit",
    "LIMIT_MAKER": "limit",
    "MARKET": "market",
    "STOP_LOSS": "stop",
    "STOP_LOSS_LIMIT": "stop",
    "STOP": "stop",
    "STOP_MARKET": "stop",
    "TAKE_PROFIT": "take_profit",
    "TAKE_PROFIT_LIMIT": "take_profit",
    "TAKE_PROFIT_MARKET": "take_profit",
    "TRAILING_STOP_MARKET": "trailing",
}
ORDER_TYPES = tuple(_KINDS)
_WEIGHTS = {"order": 1, "openOrders": 3, "myTrades": 10, "userTrades": 5, "account": 10, "income": 30}
_MIN_NOTIONAL = Decimal(5)
_NINETY_DAYS_MS = 90 * 86_400_000
_INCOMES = {
    "funding": "FUNDING_FEE",
    "deposit": "TRANSFER",
    "withdrawal": "TRANSFER",
    "rebate": "COMMISSION_REBATE",
    "clearance": "INSURANCE_CLEAR",
    "gift": "A_KIND_OF_TOMORROW",
}


class BinanceAccount:
    """The private routes over an :class:`Account`. ``order_hits`` counts accepted orders by client id."""

    def __init__(self, account: Account, listings: Mapping[str, Listing], *, futures: bool, venue: Venue) -> None:
        self.account = account
        self.faults = OrderFaults()
        self.accepted: dict[str, int] = {}
        self.skewed_ms = 0
        self.withdrawals = False
        self.countdowns: dict[str, tuple[int, int]] = {}
        self.limits: RateWindow | None = None
        self._listings = listings
        self._names = {listing.instrument: name for name, listing in listings.items()}
        self._futures = futures
        self._venue = venue
        self._lost: set[int] = set()
        account.listeners.append(self._told)

    # -- REST ------------------------------------------------------------------------------------------------------

    def rest(self, request: Request) -> Any | None:
        """The answer; None where the route is not private."""
        route = request.path.rsplit("/", 1)[-1]
        handler = {**_SPOT, **(_FUTURES if self._futures else {})}.get(route)
        if handler is None:
            return None
        if route != "listenKey":
            self._check(request)
        self._weigh(route)
        return getattr(self, handler)(request)

    def _check(self, request: Request) -> None:
        if request.headers.get("X-MBX-APIKEY") != KEY:
            raise _error(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        raw = request.body.decode() if request.body else request.query
        payload, _, signature = raw.rpartition("&signature=")
        if not hmac.compare_digest(hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest(), signature):
            raise _error(-1022, "Signature for this request is not valid.")
        stamp = int(dict(parse_qsl(payload))["timestamp"])
        now = self._venue.now_ms()
        if self.faults.strikes(OrderFault.CLOCK_SKEW) or not now - 5000 <= stamp < now + 1000:
            raise _error(-1021, "Timestamp for this request is outside of the recvWindow.")

    def _weigh(self, route: str) -> None:
        if self.faults.strikes(OrderFault.MAINTENANCE):
            raise _error(-1016, "This service is no longer available.", 503)
        if self.limits is not None:
            self.limits.weigh(_WEIGHTS.get(route, 1))

    def order(self, request: Request) -> Any:
        return {"POST": self._place, "GET": self._find, "DELETE": self._cancel}[request.method](request)

    def _place(self, request: Request) -> Any:
        strikes = self.faults.strikes
        if strikes(OrderFault.REQUEST_LOST):
            raise HangUp
        if strikes(OrderFault.RATE_LIMIT):
            raise _error(-1003, "Too many requests", 429, {"Retry-After": "0.02"})
        if strikes(OrderFault.SERVER_ERROR):
            raise _error(-1007, "Timeout waiting for response from backend server.", 503)
        held = self._accept(request)
        if strikes(OrderFault.ANSWER_LOST):
            raise HangUp
        if strikes(OrderFault.SERVER_ERROR_AFTER):
            raise _error(-1007, "Timeout waiting for response. Execution status unknown.", 503)
        if strikes(OrderFault.FILL_FIRST):  # the answer is older than the fills that the stream tells
            held = replace(held, filled=ZERO, spent=ZERO, status=Status.OPEN)
        return self.said(held, conditional=request.path.endswith("algoOrder"))

    def _accept(self, request: Request) -> Held:
        asked = self._asked(request.fields)
        self._filter(asked)
        try:
            held = self.account.place(asked)
        except Refused as refusal:
            raise self._refused(refusal.why) from None
        self.accepted[asked.client_id] = self.accepted.get(asked.client_id, 0) + 1
        return held

    def _asked(self, fields: Mapping[str, Any]) -> Asked:
        listing = self._listings.get(fields["symbol"])
        if listing is None:
            raise _error(-1121, "Invalid symbol.")
        kind = fields["type"]
        trail = None
        if "callbackRate" in fields:
            trail = Decimal(fields["callbackRate"]) / 100
        elif "trailingDelta" in fields:
            trail = Decimal(fields["trailingDelta"]) / 10_000
        trigger = fields.get("stopPrice") or fields.get("triggerPrice")
        good = fields.get("goodTillDate")
        return Asked(
            client_id=fields.get("newClientOrderId") or fields.get("clientAlgoId") or "",
            instrument=listing.instrument,
            buys=fields["side"] == "BUY",
            kind="trailing" if trail is not None else _KINDS[kind],
            quantity=Decimal(fields["quantity"]),
            limit=Decimal(fields["price"]) if "price" in fields else None,
            trigger=Decimal(trigger) if trigger else None,
            trail=trail,
            tif="GTC" if fields.get("timeInForce") in (None, "GTX", "GTD") else fields["timeInForce"],
            post_only=kind == "LIMIT_MAKER" or fields.get("timeInForce") == "GTX",
            reduce_only=str(fields.get("reduceOnly", "")).lower() == "true",
            expires_ms=int(good) if good else None,
        )

    def _filter(self, asked: Asked) -> None:
        listing = next(one for one in self._listings.values() if one.instrument == asked.instrument)
        for price in (asked.limit, asked.trigger):
            if price is not None and (price <= 0 or price % listing.tick):
                raise self._refused("tick")
        if asked.quantity <= 0 or asked.quantity % listing.lot:
            raise self._refused("lot")
        price = asked.limit or asked.trigger or self.account.last(asked.instrument)
        if not asked.reduce_only and price * asked.quantity < _MIN_NOTIONAL:
            raise self._refused("notional")

    def _find(self, request: Request) -> Any:
        held = self._known(request)
        if self.faults.strikes(OrderFault.VANISHED):
            raise _error(-2013, "Order does not exist.")
        return self.said(held, conditional=request.path.endswith("algoOrder"))

    def _known(self, request: Request) -> Held:
        fields = request.fields
        number = fields.get("orderId") or fields.get("algoId")
        held = found(
            self.account,
            client_id=fields.get("origClientOrderId") or fields.get("clientAlgoId"),
            number=int(number) if number else None,
        )
        algo = request.path.endswith("algoOrder")
        if held is None or (self._futures and algo != held.conditional and not (number and held.filled)):
            raise _error(-2013, "Order does not exist.")
        return held

    def _cancel(self, request: Request) -> Any:
        try:
            held = self._known(request)
            if not held.status.live:
                raise _error(-2011, "Unknown order sent.")
            self.account.cancel(held)
        except (Refusal, Refused):
            raise _error(-2011, "Unknown order sent.") from None
        if self.faults.strikes(OrderFault.CANCEL_LOST):
            raise HangUp
        return self.said(held, conditional=request.path.endswith("algoOrder"))

    def open_orders(self, request: Request) -> Any:
        if self.faults.strikes(OrderFault.VANISHED):
            return []
        algo = "Algo" in request.path
        rows = [held for held in self.account.orders() if held.status.live]
        if "symbol" in request.fields:
            rows = [held for held in rows if self._names[held.asked.instrument] == request.fields["symbol"]]
        if self._futures:
            rows = [held for held in rows if held.conditional == algo]
        return [self.said(held, conditional=algo) for held in rows]

    def all_orders(self, request: Request) -> Any:
        algo = "Algo" in request.path
        since = request.number("startTime", 0)
        return [
            self.said(held, conditional=algo)
            for held in self.account.orders()
            if self._names[held.asked.instrument] == request.fields["symbol"]
            and held.created_ms >= since
            and (not self._futures or held.conditional == algo)
        ]

    def trades(self, request: Request) -> Any:
        if self.faults.strikes(OrderFault.FILLS_HIDDEN):
            return []
        since, name = request.number("startTime", 0), request.fields["symbol"]
        after = request.number("fromId", 0)
        rows = [
            traded
            for traded in self.account.trades()
            if traded.at_ms >= since and traded.number >= after and self._names[traded.order.asked.instrument] == name
        ]
        return [self._trade(traded) for traded in rows[: request.number("limit", 500)]]

    def _trade(self, traded: Traded) -> Any:
        row = {
            "symbol": self._names[traded.order.asked.instrument],
            "id": traded.number,
            "orderId": traded.order.number,
            "price": _text(traded.price),
            "qty": _text(traded.quantity),
            "quoteQty": _text(traded.price * traded.quantity),
            "commission": _text(traded.fee),
            "commissionAsset": traded.fee_currency,
            "time": traded.at_ms,
        }
        if self._futures:
            side = "BUY" if traded.order.asked.buys else "SELL"
            return row | {
                "side": side,
                "buyer": traded.order.asked.buys,
                "maker": traded.maker,
                "positionSide": "BOTH",
                "realizedPnl": _text(traded.realised),
                "marginAsset": traded.fee_currency,
            }
        return row | {"isBuyer": traded.order.asked.buys, "isMaker": traded.maker, "isBestMatch": True}

    def account_info(self, request: Request) -> Any:
        wrong = Decimal("12.5") if self.faults.strikes(OrderFault.WRONG_BALANCE) else ZERO
        rows = []
        for name, (free, locked) in self.account.balances().items():
            if self._futures:
                total = free + locked + wrong
                rows.append(
                    {
                        "asset": name,
                        "walletBalance": _text(total),
                        "marginBalance": _text(total),
                        "availableBalance": _text(total),
                        "initialMargin": "0",
                        "unrealizedProfit": "0",
                        "updateTime": self._venue.now_ms(),
                    }
                )
            else:
                rows.append({"asset": name, "free": _text(free + wrong), "locked": _text(locked)})
        if self._futures:
            return {"assets": rows, "positions": []}
        return {"balances": rows, "canTrade": True, "updateTime": self._venue.now_ms(), "permissions": ["SPOT"]}

    def income(self, request: Request) -> Any:
        """Everything that moved the wallet: what trades did, and what else there was."""
        fields, since = request.fields, request.number("startTime", 0)
        rows = [row for traded in self.account.trades() if traded.at_ms >= since for row in self._earned(traded)]
        rows += [
            self._income(_INCOMES[one.kind], one.amount, one.currency, one.at_ms, one.number, one.instrument)
            for one in self._moved(tuple(_INCOMES), since)
        ]
        rows = [row for row in rows if fields.get("incomeType") in (None, row["incomeType"])]
        rows.sort(key=lambda row: row["time"])
        return rows[: request.number("limit", 100)]

    def _earned(self, traded: Traded) -> list[Any]:
        name, at = traded.order.asked.instrument, traded.at_ms
        rows = [self._income("COMMISSION", -traded.fee, traded.fee_currency, at, traded.number, name)]
        if traded.realised:
            rows.append(self._income("REALIZED_PNL", traded.realised, traded.fee_currency, at, traded.number, name))
        return rows

    def _income(self, kind: str, amount: Decimal, currency: str, at_ms: int, number: int, instrument: str) -> Any:
        return {
            "symbol": self._names.get(instrument, ""),
            "incomeType": kind,
            "income": self._said_amount(amount),
            "asset": currency,
            "time": at_ms,
            "info": kind,
            "tranId": number,
            "tradeId": "",
        }

    def filed_deposits(self, request: Request) -> Any:
        return [
            {
                "id": f"d{one.number}",
                "amount": self._said_amount(one.amount),
                "coin": one.currency,
                "network": "ETH",
                "status": {"pending": 0, "done": 1}[one.status],
                "address": "0x0",
                "addressTag": "",
                "txId": f"0x{one.number}",
                "insertTime": one.at_ms,
                "transferType": 0,
                "confirmTimes": "2/2",
            }
            for one in self._filed("deposit", request)
        ]

    def filed_withdrawals(self, request: Request) -> Any:
        return [
            {
                "id": f"w{one.number}",
                "amount": self._said_amount(-one.amount),
                "transactionFee": _text(one.fee),
                "coin": one.currency,
                "status": {"pending": 4, "failed": 5, "done": 6}[one.status],
                "address": "0x0",
                "txId": f"0x{one.number}",
                "applyTime": datetime.fromtimestamp(one.at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
                "network": "ETH",
                "transferType": 0,
            }
            for one in self._filed("withdrawal", request)
        ]

    def _filed(self, kind: str, request: Request) -> Sequence[Moved]:
        """The newest first, a page at a time, over at most ninety days."""
        since, until = request.number("startTime", 0), request.number("endTime", 2**53)
        if until - since > _NINETY_DAYS_MS:
            raise _error(-1127, "More than 90 days between startTime and endTime.")
        rows = [one for one in self._moved((kind,), since) if one.at_ms <= until][::-1]
        skip = request.number("offset", 0)
        return rows[skip : skip + request.number("limit", 1000)]

    def _moved(self, kinds: tuple[str, ...], since_ms: int) -> list[Moved]:
        if self.faults.strikes(OrderFault.CASH_REFUSED):
            raise _error(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return moved_now(self.account, self.faults, kinds, since_ms)

    def _said_amount(self, amount: Decimal) -> str:
        return "n/a" if self.faults.strikes(OrderFault.CASH_RUBBISH) else _text(amount)

    def restrictions(self, request: Request) -> Any:
        return {
            "ipRestrict": False,
            "createTime": 0,
            "enableReading": True,
            "enableWithdrawals": self.withdrawals,
            "enableInternalTransfer": False,
            "permitsUniversalTransfer": False,
            "enableSpotAndMarginTrading": True,
            "enableFutures": True,
        }

    def positions(self, request: Request) -> Any:
        rows = []
        for instrument, (quantity, cost) in self.account.positions().items():
            bid = self._venue.markets[instrument].top[0] if instrument in self._venue.markets else 0
            rows.append(
                {
                    "symbol": self._names[instrument],
                    "positionSide": "BOTH",
                    "positionAmt": _text(quantity),
                    "entryPrice": _text(cost / quantity),
                    "markPrice": str(bid),
                    "unRealizedProfit": "0",
                    "liquidationPrice": "0",
                    "isolatedMargin": "0",
                    "notional": _text(quantity * Decimal(str(bid))),
                    "marginAsset": "USDT",
                    "isolatedWallet": "0",
                    "initialMargin": "0",
                    "maintMargin": "0",
                    "updateTime": self._venue.now_ms(),
                }
            )
        return rows

    def brackets(self, request: Request) -> Any:
        tier = {
            "bracket": 1,
            "initialLeverage": 20,
            "notionalCap": 10**9,
            "notionalFloor": 0,
            "maintMarginRatio": 0.005,
            "cum": 0.0,
        }
        return [{"symbol": name, "brackets": [tier]} for name in self._listings]

    def countdown(self, request: Request) -> Any:
        """``countdownCancelAll``: after so many ms without another call every order of the symbol goes; 0 disarms."""
        name, wait = request.fields["symbol"], int(request.fields["countdownTime"])
        if wait:
            self.countdowns[name] = (self._venue.now_ms() + wait, wait)
        else:
            self.countdowns.pop(name, None)
        return {"symbol": name, "countdownTime": str(wait)}

    def run_countdowns(self) -> None:
        """Cancel what a countdown that ran out covers."""
        for name, (due, _) in list(self.countdowns.items()):
            if self._venue.now_ms() < due:
                continue
            del self.countdowns[name]
            for held in list(self.account.orders()):
                if held.status.live and self._names[held.asked.instrument] == name:
                    self.account.cancel(held)

    def listen_key(self, request: Request) -> Any:
        if request.headers.get("X-MBX-APIKEY") != KEY:
            raise _error(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return {"listenKey": "loopback"}

    # -- streams ---------------------------------------------------------------------------------------------------

    def subscribed(self, session: Session, message: Mapping[str, Any]) -> list[Any] | None:
        """The answer to a subscription of the account's stream over the spot socket API; None for other messages."""
        if message.get("method") != "userDataStream.subscribe.signature":
            return None
        params = dict(message["params"])
        signature = params.pop("signature")
        payload = urlencode(params)
        if not hmac.compare_digest(hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest(), signature):
            return [{"id": message["id"], "status": 400, "error": {"code": -1022, "msg": "Signature is not valid."}}]
        session.topics.add(("user", ""))
        return [{"id": message["id"], "status": 200, "result": {"subscriptionId": 0}}]

    def _told(self, held: Held, traded: Traded | None) -> None:
        for session in self._listening():
            frame = self._frame(held, traded)
            for _ in range(2 if self.faults.strikes(OrderFault.DUPLICATE_ACK) else 1):
                self._venue._write(session, frame)

    def listeners_of_account(self) -> int:
        """How many connections hear of the account."""
        return len(self._listening())

    def _listening(self) -> list[Session]:
        return [
            session
            for session in self._venue.sessions
            if ("user", "") in session.topics or "listenKey=loopback" in session.path
        ]

    def _frame(self, held: Held, traded: Traded | None) -> Any:
        asked = held.asked
        step = "TRADE" if traded else _SAID[held.status]
        row = {
            "s": self._names[asked.instrument],
            "c": asked.client_id,
            "S": "BUY" if asked.buys else "SELL",
            "o": "LIMIT" if asked.limit is not None else "MARKET",
            "f": asked.tif,
            "q": _text(asked.quantity),
            "p": _text(asked.limit or ZERO),
            "x": step,
            "X": _SAID[held.status],
            "i": held.number,
            "z": _text(held.filled),
            "l": _text(traded.quantity if traded else ZERO),
            "L": _text(traded.price if traded else ZERO),
            "n": _text(traded.fee if traded else ZERO),
            "N": traded.fee_currency if traded else None,
            "T": held.updated_ms,
            "t": traded.number if traded else -1,
            "m": bool(traded and traded.maker),
        }
        now = self._venue.now_ms()
        if self._futures:
            more = {"ap": "0", "sp": "0", "R": asked.reduce_only, "ps": "BOTH", "rp": "0", "ot": "LIMIT"}
            return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": held.updated_ms, "o": row | more}
        more = {"C": "", "r": "NONE", "O": held.created_ms, "Z": _text(held.spent), "P": "0", "g": -1, "w": True}
        return {"subscriptionId": 0, "event": {"e": "executionReport", "E": now, **row, **more}}

    # -- words -----------------------------------------------------------------------------------------------------

    def said(self, held: Held, *, conditional: bool) -> Any:
        """An order as the REST of this venue tells it."""
        asked = held.asked
        common = {
            "symbol": self._names[asked.instrument],
            "side": "BUY" if asked.buys else "SELL",
            "timeInForce": asked.tif,
            "updateTime": held.updated_ms,
        }
        if conditional and self._futures:
            triggered = held.filled > 0 or held.status is Status.FILLED
            return common | {
                "algoId": held.number,
                "clientAlgoId": asked.client_id,
                "algoType": "CONDITIONAL",
                "orderType": "STOP_MARKET",
                "algoStatus": "FINISHED" if triggered else _SAID[held.status],
                "actualOrderId": str(held.number) if triggered else "",
                "quantity": _text(asked.quantity),
                "price": _text(asked.limit or ZERO),
                "triggerPrice": _text(asked.trigger or ZERO),
                "reduceOnly": asked.reduce_only,
                "positionSide": "BOTH",
                "createTime": held.created_ms,
            }
        average = held.spent / held.filled if held.filled else ZERO
        row = common | {
            "orderId": held.number,
            "clientOrderId": asked.client_id,
            "price": _text(asked.limit or ZERO),
            "origQty": _text(asked.quantity),
            "executedQty": _text(held.filled),
            "status": _SAID[held.status],
            "type": "LIMIT" if asked.limit is not None else "MARKET",
            "stopPrice": _text(asked.trigger or ZERO),
            "time": held.created_ms,
        }
        if self._futures:
            return row | {
                "avgPrice": _text(average),
                "cumQuote": _text(held.spent),
                "reduceOnly": asked.reduce_only,
                "positionSide": "BOTH",
            }
        return row | {"cummulativeQuoteQty": _text(held.spent), "transactTime": held.updated_ms, "fills": []}

    def _refused(self, why: str) -> Refusal:
        code, text = _WHY[why][self._futures]
        return _error(code, text)


def _error(code: int, text: str, status: int = 400, headers: Mapping[str, str] | None = None) -> Refusal:
    return Refusal(status, {"code": code, "msg": text}, headers)


def _text(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"


_SPOT = {
    "order": "order",
    "openOrders": "open_orders",
    "allOrders": "all_orders",
    "myTrades": "trades",
    "account": "account_info",
    "apiRestrictions": "restrictions",
    "hisrec": "filed_deposits",
    "history": "filed_withdrawals",
}
_FUTURES = {
    "algoOrder": "order",
    "openAlgoOrders": "open_orders",
    "allAlgoOrders": "all_orders",
    "userTrades": "trades",
    "positionRisk": "positions",
    "leverageBracket": "brackets",
    "countdownCancelAll": "countdown",
    "listenKey": "listen_key",
    "income": "income",
}

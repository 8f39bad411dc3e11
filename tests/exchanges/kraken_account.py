"""Kraken spot, private part: form bodies signed with HMAC-SHA512 over path, nonce and body; nonces that only grow."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.exchanges.accounts import (
    Account,
    Asked,
    Held,
    OrderFault,
    OrderFaults,
    Refused,
    Status,
    Traded,
    found,
    moved_now,
)
from tests.exchanges.market import Listing
from tests.exchanges.server import Request, Venue

KEY, SECRET = "kraken-key", base64.b64encode(b"kraken loopback secret").decode()
PAGE = 50
_SAID = {
    Status.OPEN: "open",
    Status.PARTIAL: "open",
    Status.FILLED: "closed",
    Status.CANCELLED: "canceled",
    Status.REJECTED: "canceled",
    Status.EXPIRED: "expired",
}
_WHY = {
    "funds": "EOrder:Insufficient funds",
    "would take": "EOrder:Post only order",
    "duplicate": "EOrder:Duplicate cl_ord_id",
    "would trigger": "EOrder:Invalid price",
    "nothing to reduce": "EOrder:Reduce only:Non-PC",
}
_CODES = {"BTC": "XXBT", "ETH": "XETH", "USD": "ZUSD"}
ZERO = Decimal(0)


class KrakenAccount:
    """The private routes over an :class:`Account`."""

    def __init__(self, account: Account, pairs: Mapping[str, Listing], *, venue: Venue) -> None:
        self.account = account
        self.faults = OrderFaults()
        self.accepted: dict[str, int] = {}
        self.cancels_ms: int | None = None
        self._pairs = pairs
        self._names = {listing.instrument: pair for pair, listing in pairs.items()}
        self._venue = venue
        self._nonce = 0

    def rest(self, request: Request) -> Any | None:
        """The answer; None where the route is not private."""
        if not request.path.startswith("/0/private/"):
            return None
        problem = self._check(request)
        if problem:
            return {"error": [problem]}
        handler = {
            "AddOrder": self._place,
            "CancelOrder": self._cancel,
            "OpenOrders": self._open,
            "ClosedOrders": self._closed,
            "QueryOrders": self._query,
            "TradesHistory": self._trades,
            "BalanceEx": self._balances,
            "Balance": self._balances,
            "CancelAllOrdersAfter": self._after,
            "Ledgers": self._ledgers,
        }.get(request.path.rsplit("/", 1)[-1])
        return None if handler is None else handler(request.fields)

    def run_timer(self) -> None:
        """Cancel everything when the timer ran out."""
        if self.cancels_ms is not None and self._venue.now_ms() >= self.cancels_ms:
            self.cancels_ms = None
            for held in list(self.account.orders()):
                if held.status.live:
                    self.account.cancel(held)

    def _check(self, request: Request) -> str:
        nonce = str(request.fields["nonce"])
        digest = hashlib.sha256(nonce.encode() + request.body).digest()
        mac = hmac.new(base64.b64decode(SECRET), request.path.encode() + digest, hashlib.sha512)
        if request.headers.get("API-Key") != KEY:
            return "EAPI:Invalid key"
        if not hmac.compare_digest(base64.b64encode(mac.digest()).decode(), request.headers.get("API-Sign", "")):
            return "EAPI:Invalid signature"
        if int(nonce) <= self._nonce:
            return "EAPI:Invalid nonce"
        self._nonce = int(nonce)
        return ""

    def _place(self, fields: Mapping[str, Any]) -> Any:
        kind, listing = fields["ordertype"], self._pairs[fields["pair"]]
        triggered = kind.startswith(("stop-loss", "take-profit"))
        limit = fields.get("price2") if triggered else fields.get("price")
        asked = Asked(
            client_id=fields["cl_ord_id"],
            instrument=listing.instrument,
            buys=fields["type"] == "buy",
            kind="stop" if kind.startswith("stop") else "take_profit" if triggered else kind,
            quantity=Decimal(fields["volume"]),
            limit=Decimal(limit) if limit else None,
            trigger=Decimal(fields["price"]) if triggered else None,
            tif=fields.get("timeinforce", "GTC"),
            post_only="post" in fields.get("oflags", ""),
        )
        try:
            held = self.account.place(asked)
        except Refused as refusal:
            return {"error": [_WHY[refusal.why]]}
        self.accepted[asked.client_id] = self.accepted.get(asked.client_id, 0) + 1
        words = f"{fields['type']} {fields['volume']} {fields['pair']} @ {kind} {fields.get('price', '')}".strip()
        return _result({"txid": [f"O{held.number}"], "descr": {"order": words}, "cl_ord_id": asked.client_id})

    def _cancel(self, fields: Mapping[str, Any]) -> Any:
        number = str(fields.get("txid", "O0"))[1:]
        held = found(self.account, client_id=fields.get("cl_ord_id"), number=int(number) or None)
        if held is None or not held.status.live:
            return {"error": ["EOrder:Unknown order"]}
        self.account.cancel(held)
        return _result({"count": 1})

    def _rows(self, fields: Mapping[str, Any], *, live: bool) -> dict[str, Any]:
        wanted = fields.get("cl_ord_id")
        rows = [held for held in self.account.orders() if held.status.live == live]
        return {f"O{held.number}": self._order(held) for held in rows if wanted in (None, held.asked.client_id)}

    def _open(self, fields: Mapping[str, Any]) -> Any:
        return _result({"open": self._rows(fields, live=True)})

    def _closed(self, fields: Mapping[str, Any]) -> Any:
        rows = self._rows(fields, live=False)
        return _result({"closed": dict(list(reversed(rows.items()))[:PAGE]), "count": len(rows)})

    def _query(self, fields: Mapping[str, Any]) -> Any:
        held = found(self.account, number=int(str(fields["txid"])[1:]))
        return {"error": ["EOrder:Invalid order"]} if held is None else _result({fields["txid"]: self._order(held)})

    def _order(self, held: Held) -> Any:
        asked = held.asked
        kinds = {"stop": "stop-loss", "take_profit": "take-profit"}
        kind = kinds.get(asked.kind, asked.kind) + ("-limit" if asked.trigger and asked.limit else "")
        return {
            "cl_ord_id": asked.client_id,
            "status": _SAID[held.status],
            "opentm": held.created_ms / 1000,
            "descr": {
                "pair": self._names[asked.instrument],
                "type": "buy" if asked.buys else "sell",
                "ordertype": kind,
                "price": str(asked.trigger or asked.limit or ZERO),
                "price2": str(asked.limit if asked.trigger and asked.limit else ZERO),
            },
            "vol": str(asked.quantity),
            "vol_exec": str(held.filled),
            "cost": str(held.spent),
            "price": f"{held.spent / held.filled if held.filled else ZERO:f}",
            "oflags": "fciq",
        }

    def _trades(self, fields: Mapping[str, Any]) -> Any:
        start, end = float(fields.get("start", 0)), float(fields.get("end", 1e12))
        begin = int(fields.get("ofs", 0))
        rows = [traded for traded in reversed(self.account.trades()) if start <= traded.at_ms / 1000 <= end]
        return _result(
            {"trades": {f"T{row.number}": self._trade(row) for row in rows[begin:][:PAGE]}, "count": len(rows)}
        )

    def _trade(self, traded: Traded) -> Any:
        return {
            "ordertxid": f"O{traded.order.number}",
            "pair": self._names[traded.order.asked.instrument],
            "time": traded.at_ms / 1000,
            "type": "buy" if traded.order.asked.buys else "sell",
            "ordertype": traded.order.asked.kind,
            "price": str(traded.price),
            "cost": str(traded.price * traded.quantity),
            "fee": str(traded.fee),
            "vol": str(traded.quantity),
            "maker": traded.maker,
            "misc": "",
        }

    def _balances(self, fields: Mapping[str, Any]) -> Any:
        held = self.account.balances().items()
        return _result({_CODES[n]: {"balance": str(f + used), "hold_trade": str(used)} for n, (f, used) in held})

    def _ledgers(self, fields: Mapping[str, Any]) -> Any:
        """What moved balances, the newest first: two entries of each trade, one of each deposit and withdrawal."""
        start, begin = float(fields.get("start", 0)), int(fields.get("ofs", 0))
        rows = []
        for traded in self.account.trades():
            asked, name = traded.order.asked, f"LT{traded.number}"
            signed, paid = traded.quantity, traded.price * traded.quantity
            signed, paid = (signed, -paid) if asked.buys else (-signed, paid)
            base, quote = self._pairs[self._names[asked.instrument]].base, traded.fee_currency
            rows.append(self._entry(f"{name}B", "trade", traded.at_ms, base, signed, ZERO))
            rows.append(self._entry(f"{name}Q", "trade", traded.at_ms, quote, paid, traded.fee))
        rows += [
            self._entry(f"LM{one.number}", one.kind, one.at_ms, one.currency, one.amount, one.fee)
            for one in moved_now(self.account, self.faults, ("deposit", "withdrawal", "transfer", "staking"), 0)
        ]
        rows = sorted((row for row in rows if row[1]["time"] > start), key=lambda row: -row[1]["time"])
        return _result({"ledger": dict(rows[begin:][:PAGE]), "count": len(rows)})

    def _entry(
        self, number: str, kind: str, at_ms: int, currency: str, amount: Decimal, fee: Decimal
    ) -> tuple[str, Any]:
        said = "n/a" if kind != "trade" and self.faults.strikes(OrderFault.CASH_RUBBISH) else f"{amount:f}"
        return number, {
            "refid": f"R{number}",
            "time": at_ms / 1000,
            "type": kind,
            "subtype": "",
            "aclass": "currency",
            "asset": _CODES[currency],
            "amount": said,
            "fee": f"{fee:f}",
            "balance": "0",
        }

    def _after(self, fields: Mapping[str, Any]) -> Any:
        seconds = int(fields["timeout"])
        self.cancels_ms = self._venue.now_ms() + 1000 * seconds if seconds else None
        return _result({"currentTime": "", "triggerTime": str(self.cancels_ms or 0)})


def _result(result: Any) -> Any:
    return {"error": [], "result": result}

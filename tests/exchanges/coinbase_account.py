"""Coinbase Advanced Trade, private part: requests carry a token signed with the key, one for each address."""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.exchanges.accounts import Account, Asked, Held, OrderFaults, Refusal, Refused, Status, Traded, found
from tests.exchanges.server import Request, Venue

KEY_NAME = "organizations/0000/apiKeys/0000"
_SAID = {
    Status.OPEN: "OPEN",
    Status.PARTIAL: "OPEN",
    Status.FILLED: "FILLED",
    Status.CANCELLED: "CANCELLED",
    Status.REJECTED: "FAILED",
    Status.EXPIRED: "EXPIRED",
}
_WHY = {
    "funds": "INSUFFICIENT_FUND",
    "would take": "INVALID_LIMIT_PRICE_POST_ONLY",
    "would trigger": "STOP_PRICE_ABOVE_LAST_TRADE_PRICE",
    "nothing to reduce": "UNKNOWN_FAILURE_REASON",
}
ZERO = Decimal(0)


def make_secret(*, eddsa: bool = False) -> tuple[str, Any]:
    """A new secret as the venue hands it out, and the public key that its tokens are checked with."""
    if eddsa:
        young = ed25519.Ed25519PrivateKey.generate()
        public = young.public_key()
        raw = young.private_bytes_raw() + public.public_bytes_raw()
        return base64.b64encode(raw).decode(), public
    key = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return key.private_bytes(*form).decode(), key.public_key()


class CoinbaseAccount:
    """The private routes over an :class:`Account`, below ``/api/v3/brokerage/``."""

    def __init__(self, account: Account, public_key: Any, *, venue: Venue) -> None:
        self.account = account
        self.faults = OrderFaults()
        self.accepted: dict[str, int] = {}
        self._public_key = public_key
        self._venue = venue

    def rest(self, request: Request) -> Any | None:
        """The answer; None where the route is not private."""
        route = request.path.removeprefix("/api/v3/brokerage/")
        handler = {
            "orders": self._place,
            "orders/batch_cancel": self._cancel,
            "orders/historical/batch": self._batch,
            "orders/historical/fills": self._fills,
            "accounts": self._accounts,
            "transaction_summary": lambda _: {"fee_tier": {"taker_fee_rate": "0.0005", "maker_fee_rate": "0.0002"}},
        }.get(route)
        if handler is None and route.startswith("orders/historical/"):
            handler = self._one
        if handler is None:
            return None
        self._check(request)
        return handler(request)

    def _check(self, request: Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            head, body, signature = token.split(".")
            header, claims, raw = json.loads(_decode(head)), json.loads(_decode(body)), _decode(signature)
            signed = f"{head}.{body}".encode()
            if header["alg"] == "EdDSA":
                self._public_key.verify(raw, signed)
            else:
                pair = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
                self._public_key.verify(pair, signed, ec.ECDSA(hashes.SHA256()))
        except (ValueError, KeyError, InvalidSignature):
            raise Refusal(401, {"error": "Unauthorized"}) from None
        now = self._venue.now_ms() / 1000
        uris = claims.get("uris") or [claims.get("uri", "")]
        is_here = any(uri.split(" ")[0] == request.method and uri.endswith(request.path) for uri in uris)
        if scheme != "Bearer" or not is_here or not claims["nbf"] - 2 <= now <= claims["exp"]:
            raise Refusal(401, {"error": "Unauthorized"})

    def _place(self, request: Request) -> Any:
        fields = request.fields
        client_id = fields["client_order_id"]
        earlier = found(self.account, client_id=client_id)
        if earlier is not None:  # the same id again is answered with the order that stands
            return self._placed(earlier)
        ((name, terms),) = fields["order_configuration"].items()
        stop = terms.get("stop_price")
        buys = fields["side"] == "BUY"
        up = terms.get("stop_direction") == "STOP_DIRECTION_STOP_UP"
        asked = Asked(
            client_id=client_id,
            instrument=fields["product_id"],
            buys=buys,
            kind=("stop" if up == buys else "take_profit") if stop else "limit" if "limit_price" in terms else "market",
            quantity=Decimal(terms["base_size"]),
            limit=Decimal(terms["limit_price"]) if "limit_price" in terms else None,
            trigger=Decimal(stop) if stop else None,
            tif="IOC" if name.endswith("ioc") else "FOK" if name.endswith("fok") else "GTC",
            post_only=bool(terms.get("post_only")),
        )
        try:
            held = self.account.place(asked)
        except Refused as refusal:
            why = _WHY[refusal.why]
            return {"success": False, "error_response": {"error": why, "message": why, "preview_failure_reason": why}}
        self.accepted[client_id] = self.accepted.get(client_id, 0) + 1
        return self._placed(held)

    def _placed(self, held: Held) -> Any:
        told = {
            "order_id": f"cb-{held.number}",
            "product_id": held.asked.instrument,
            "side": "BUY" if held.asked.buys else "SELL",
            "client_order_id": held.asked.client_id,
        }
        return {"success": True, "success_response": told, "order_id": told["order_id"]}

    def _by_number(self, order_id: str) -> Held | None:
        digits = order_id.removeprefix("cb-")
        return found(self.account, number=int(digits)) if digits.isdigit() else None

    def _cancel(self, request: Request) -> Any:
        results = []
        for order_id in request.fields["order_ids"]:
            held = self._by_number(order_id)
            live = held is not None and held.status.live
            if held is not None and live:
                self.account.cancel(held)
            reason = "UNKNOWN_CANCEL_FAILURE_REASON" if live else "UNKNOWN_CANCEL_ORDER"
            results.append({"success": live, "failure_reason": reason, "order_id": order_id})
        return {"results": results}

    def _one(self, request: Request) -> Any:
        held = self._by_number(request.path.rsplit("/", 1)[-1])
        if held is None:
            raise Refusal(404, {"error": "NOT_FOUND", "message": "order not found"})
        return {"order": self._order(held)}

    def _batch(self, request: Request) -> Any:
        wanted = request.fields.get("order_status")
        rows = [self._order(held) for held in reversed(self.account.orders())]
        return {"orders": [row for row in rows if wanted in (None, row["status"])], "has_next": False, "cursor": ""}

    def _order(self, held: Held) -> Any:
        asked = held.asked
        terms = {"base_size": str(asked.quantity), "limit_price": str(asked.limit), "post_only": asked.post_only}
        name = "sor_limit_ioc" if asked.tif == "IOC" else "limit_limit_gtc"
        if asked.trigger is not None:
            name, terms = "stop_limit_stop_limit_gtc", terms | {"stop_price": str(asked.trigger)}
        return {
            "order_id": f"cb-{held.number}",
            "product_id": asked.instrument,
            "client_order_id": asked.client_id,
            "side": "BUY" if asked.buys else "SELL",
            "status": _SAID[held.status],
            "order_configuration": {name: terms},
            "filled_size": str(held.filled),
            "average_filled_price": f"{held.spent / held.filled if held.filled else ZERO:f}",
            "filled_value": str(held.spent),
            "created_time": _iso(held.created_ms),
            "total_fees": "0",
            "order_type": "LIMIT",
            "time_in_force": "GOOD_UNTIL_CANCELLED",
        }

    def _fills(self, request: Request) -> Any:
        since = request.fields.get("start_sequence_timestamp")
        until = request.fields.get("end_sequence_timestamp", "9")
        rows = [one for one in reversed(self.account.trades()) if (since or "") <= _iso(one.at_ms) <= until]
        return {"fills": [self._fill(one) for one in rows[: request.number("limit", 100)]], "cursor": ""}

    def _fill(self, traded: Traded) -> Any:
        return {
            "entry_id": f"e-{traded.number}",
            "trade_id": str(traded.number),
            "order_id": f"cb-{traded.order.number}",
            "trade_time": _iso(traded.at_ms),
            "trade_type": "FILL",
            "price": str(traded.price),
            "size": str(traded.quantity),
            "commission": str(traded.fee),
            "product_id": traded.order.asked.instrument,
            "sequence_timestamp": _iso(traded.at_ms),
            "liquidity_indicator": "MAKER" if traded.maker else "TAKER",
            "size_in_quote": False,
            "side": "BUY" if traded.order.asked.buys else "SELL",
        }

    def _accounts(self, request: Request) -> Any:
        rows = [
            {
                "uuid": name,
                "name": f"{name} Wallet",
                "currency": name,
                "available_balance": {"value": str(free), "currency": name},
                "hold": {"value": str(locked), "currency": name},
                "type": "ACCOUNT_TYPE_CRYPTO",
                "active": True,
                "ready": True,
            }
            for name, (free, locked) in self.account.balances().items()
        ]
        return {"accounts": rows, "has_next": False, "cursor": "", "size": len(rows)}


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"

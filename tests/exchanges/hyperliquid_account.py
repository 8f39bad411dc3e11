"""Hyperliquid, private part: signed actions on ``/exchange`` and an address's own state on ``/info``."""

from decimal import Decimal
from typing import Any

from tests.exchanges.accounts import (
    Account,
    Asked,
    Held,
    Moved,
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

PRIVATE_KEY = "0x" + "11" * 32
ADDRESS = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
_SAID = {
    Status.OPEN: "open",
    Status.PARTIAL: "open",
    Status.FILLED: "filled",
    Status.CANCELLED: "canceled",
    Status.REJECTED: "rejected",
    Status.EXPIRED: "canceled",
}
_WHY = {
    "duplicate": "Cloid already used",
    "would take": "Post only order would have immediately matched, bbo was 1@2",
    "funds": "Insufficient margin to place order. asset=0",
    "nothing to reduce": "Reduce only order would increase position. asset=0",
    "would trigger": "Invalid TP/SL price. asset=0",
}
ZERO = Decimal(0)


class HyperliquidAccount:
    """The private requests over an :class:`Account`. A signature is checked by signing the same action again."""

    def __init__(self, account: Account, listings: dict[str, Listing], *, venue: Venue) -> None:
        import ccxt

        self.account = account
        self.faults = OrderFaults()
        self.accepted: dict[str, int] = {}
        self.scheduled_ms: int | None = None
        self.actions: list[str] = []
        self._coins = list(listings)
        self._listings = listings
        self._venue = venue
        self._signer = ccxt.hyperliquid({"walletAddress": ADDRESS, "privateKey": PRIVATE_KEY})

    def rest(self, request: Request) -> Any | None:
        """The answer; None where the request is not private."""
        if request.path == "/exchange":
            return self._act(dict(request.fields))
        handler = {
            "orderStatus": self._status,
            "frontendOpenOrders": self._open,
            "userFills": self._fills,
            "userFillsByTime": self._fills,
            "clearinghouseState": self._state,
            "userFunding": self._funding,
            "userNonFundingLedgerUpdates": self._updates,
            "userAbstraction": lambda _: "disabled",
        }.get(request.fields.get("type", ""))
        return None if handler is None else handler(request.fields)

    def run_schedule(self) -> None:
        """Cancel everything when the time that was scheduled has come."""
        if self.scheduled_ms is not None and self._venue.now_ms() >= self.scheduled_ms:
            self.scheduled_ms = None
            for held in list(self.account.orders()):
                if held.status.live:
                    self.account.cancel(held)

    def _act(self, said: dict[str, Any]) -> Any:
        action = said["action"]
        self.actions.append(action["type"])
        if self._signer.sign_l1_action(action, said["nonce"], None) != said["signature"]:
            return {"status": "err", "response": "User or API Wallet 0x0 does not exist."}
        if action["type"] == "scheduleCancel":
            self.scheduled_ms = action.get("time")
            return {"status": "ok", "response": {"type": "default"}}
        if action["type"] == "order":
            return _statuses("order", [self._place(row) for row in action["orders"]])
        if action["type"] == "cancelByCloid":
            return _statuses("cancel", [self._cancel(row["cloid"]) for row in action["cancels"]])
        return {"status": "err", "response": f"no action {action['type']}"}

    def _place(self, row: dict[str, Any]) -> Any:
        trigger = row["t"].get("trigger")
        tif = row["t"].get("limit", {}).get("tif", "Gtc").upper()
        listing = self._listings[self._coins[row["a"]]]
        asked = Asked(
            client_id=row["c"],
            instrument=listing.instrument,
            buys=row["b"],
            kind=("stop" if trigger["tpsl"] == "sl" else "take_profit") if trigger else "limit",
            quantity=Decimal(row["s"]),
            limit=Decimal(row["p"]),
            trigger=Decimal(trigger["triggerPx"]) if trigger else None,
            tif="GTC" if tif == "ALO" else tif,
            post_only=tif == "ALO",
            reduce_only=row["r"],
        )
        if asked.quantity * (asked.limit or ZERO) < 10 and not asked.reduce_only:
            return {"error": "Order must have minimum value of $10. asset=0"}
        try:
            held = self.account.place(asked)
        except Refused as refusal:
            return {"error": _WHY[refusal.why]}
        self.accepted[asked.client_id] = self.accepted.get(asked.client_id, 0) + 1
        if held.filled:
            average = held.spent / held.filled
            return {"filled": {"totalSz": str(held.filled), "avgPx": f"{average:f}", "oid": held.number}}
        if held.status is Status.EXPIRED:
            return {"error": "Order could not immediately match against any resting orders. asset=0"}
        return {"resting": {"oid": held.number, "cloid": asked.client_id}}

    def _cancel(self, client_id: str) -> Any:
        held = found(self.account, client_id=client_id)
        if held is None or not held.status.live:
            return {"error": "Order was never placed, already canceled, or filled. asset=0"}
        self.account.cancel(held)
        return "success"

    def _order(self, held: Held) -> dict[str, Any]:
        asked = held.asked
        return {
            "coin": self._venue.markets[asked.instrument].listing.base,
            "side": "B" if asked.buys else "A",
            "limitPx": str(asked.limit),
            "sz": str(asked.quantity - held.filled),
            "origSz": str(asked.quantity),
            "oid": held.number,
            "cloid": asked.client_id,
            "timestamp": held.created_ms,
            "orderType": "Limit",
            "tif": asked.tif.capitalize(),
            "isTrigger": held.conditional,
            "triggerPx": str(asked.trigger or ZERO),
            "reduceOnly": asked.reduce_only,
            "children": [],
            "isPositionTpsl": False,
        }

    def _status(self, fields: Any) -> Any:
        oid = fields["oid"]
        held = found(
            self.account,
            client_id=oid if isinstance(oid, str) else None,
            number=oid if isinstance(oid, int) else None,
        )
        if held is None:
            return {"status": "unknownOid"}
        told = {"order": self._order(held), "status": _SAID[held.status], "statusTimestamp": held.updated_ms}
        return {"status": "order", "order": told}

    def _open(self, fields: Any) -> Any:
        return [self._order(held) for held in self.account.orders() if held.status.live]

    def _fills(self, fields: Any) -> Any:
        since = fields.get("startTime", 0)
        return [self._fill(traded) for traded in self.account.trades() if traded.at_ms >= since]

    def _fill(self, traded: Traded) -> Any:
        asked = traded.order.asked
        return {
            "coin": self._venue.markets[asked.instrument].listing.base,
            "px": str(traded.price),
            "sz": str(traded.quantity),
            "side": "B" if asked.buys else "A",
            "time": traded.at_ms,
            "startPosition": "0",
            "dir": "Open Long",
            "closedPnl": str(traded.realised),
            "hash": "0x0",
            "oid": traded.order.number,
            "crossed": not traded.maker,
            "fee": str(traded.fee),
            "tid": traded.number,
            "feeToken": traded.fee_currency,
            "cloid": asked.client_id,
        }

    def _funding(self, fields: Any) -> Any:
        return [
            {
                "time": one.at_ms,
                "hash": "0x" + 64 * "0",
                "delta": {
                    "type": "funding",
                    "coin": self._venue.markets[one.instrument].listing.base,
                    "usdc": self._said_amount(one.amount),
                    "szi": "1",
                    "fundingRate": "0.0000125",
                    "nSamples": None,
                },
            }
            for one in moved_now(self.account, self.faults, ("funding",), fields.get("startTime", 0))
        ]

    def _updates(self, fields: Any) -> Any:
        kinds = ("deposit", "withdrawal", "to perp", "to spot", "received", "vault")
        rows = moved_now(self.account, self.faults, kinds, fields.get("startTime", 0))
        return [{"time": one.at_ms, "hash": f"0x{one.number:064x}", "delta": self._delta(one)} for one in rows]

    def _delta(self, one: Moved) -> Any:
        usdc = self._said_amount(abs(one.amount))
        return {
            "deposit": {"type": "deposit", "usdc": usdc},
            "withdrawal": {"type": "withdraw", "usdc": usdc, "nonce": one.at_ms, "fee": str(one.fee)},
            "to perp": {"type": "accountClassTransfer", "usdc": usdc, "toPerp": True},
            "to spot": {"type": "accountClassTransfer", "usdc": usdc, "toPerp": False},
            "received": {
                "type": "internalTransfer",
                "usdc": usdc,
                "user": "0x" + 40 * "2",
                "destination": ADDRESS,
                "fee": "1.0",
            },
            "vault": {"type": "vaultDeposit", "vault": "0x" + 40 * "3", "usdc": usdc},
        }[one.kind]

    def _said_amount(self, amount: Decimal) -> str:
        return "n/a" if self.faults.strikes(OrderFault.CASH_RUBBISH) else f"{amount:f}"

    def _state(self, fields: Any) -> Any:
        cash = sum((free + locked for free, locked in self.account.balances().values()), ZERO)
        rows, unrealised = [], ZERO
        for instrument, (quantity, cost) in self.account.positions().items():
            worth = quantity * self.account.last(instrument)
            unrealised += worth - cost
            rows.append(
                {
                    "type": "oneWay",
                    "position": {
                        "coin": self._venue.markets[instrument].listing.base,
                        "szi": str(quantity),
                        "entryPx": f"{cost / quantity:f}",
                        "positionValue": str(abs(worth)),
                        "unrealizedPnl": str(worth - cost),
                        "marginUsed": "0",
                        "leverage": {"type": "cross", "value": 10},
                        "liquidationPx": None,
                        "returnOnEquity": "0",
                    },
                }
            )
        summary = {"accountValue": str(cash + unrealised), "totalMarginUsed": "0", "totalRawUsd": str(cash)}
        return {
            "assetPositions": rows,
            "marginSummary": summary,
            "crossMarginSummary": summary,
            "withdrawable": str(cash),
            "time": self._venue.now_ms(),
        }


def _statuses(kind: str, rows: list[Any]) -> Any:
    return {"status": "ok", "response": {"type": kind, "data": {"statuses": rows}}}

"""What ccxt does not say of trading at an exchange, or says otherwise: one row an exchange.

Texts are what the exchange itself puts into its refusals. They are read before ccxt's own classes: ccxt keeps some
codes by the address of the exchange, and the same number means different things at its spot and futures markets.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from trading.domain.errors import RequestError
from trading.domain.reject import RejectCode
from trading.venues.ccxt_venue.cash import (
    DAY_MS,
    CashSource,
    binance_income,
    deposit,
    hyperliquid_funding,
    hyperliquid_ledger,
    kraken_ledger,
    withdrawal,
)


class Testnet(StrEnum):
    """How an exchange's own market for practice is reached through ccxt."""

    SANDBOX = "sandbox"
    DEMO = "demo"


class Pages(StrEnum):
    """How the next page of executions is asked for: from the last instant on, back from the first, or by number."""

    FORWARD = "forward"
    BACK = "back"
    OFFSET = "offset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """Where an exchange tells what a key may do: a method of ccxt, and the field that says it may withdraw."""

    method: str
    withdraws: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFacts:
    """How orders are placed and asked after at one exchange.

    ``id_form`` is what it takes for a client order id and ``id_field`` where. ``asks_by_client_id``: one order can be
    asked for by it; where not, the lists are searched, by it where ``lists_by_client_id``. ``conditional_apart``:
    orders that wait for a trigger live behind endpoints of their own and become another order when they trigger.
    ``market_cap`` is how far, as a fraction of the price, a market order may reach where it is sent as an
    immediate-or-cancel limit order, because the venue has no other or counts it in quote. ``goods_till`` is the field
    of an expiry that it keeps, at least ``least_gtd_ms`` ahead; ``has_trailing`` says that it keeps trailing stops.
    ``trades_need_symbol``: executions are told one market at a time, ``page`` of them in an answer, which covers at
    most ``trades_window_ms``. ``cash_of`` reads cash without open profit from an answer about balances, where ccxt's
    total holds both; ``realised`` is the field of an execution that says what it realised. ``cash`` are the lists in
    which it says why balances moved besides; where there is none, such a movement shows as a difference.
    ``most_in_flight`` requests may be on their way at once: one where each needs a higher nonce than the last.
    ``refusals`` and ``gone`` are texts of its refusals.
    """

    id_form: str = "plain"
    id_field: str = "clientOrderId"
    asks_by_client_id: bool = True
    lists_by_client_id: bool = False
    conditional_apart: bool = False
    market_cap: Decimal | None = None
    goods_till: str | None = None
    least_gtd_ms: int = 0
    has_trailing: bool = False
    trades_need_symbol: bool = True
    page: int = 500
    pages: Pages = Pages.FORWARD
    trades_window_ms: int | None = None
    testnet: Testnet | None = None
    cash_of: Callable[[Any], Mapping[str, Decimal]] | None = None
    realised: str = "realizedPnl"
    cash: tuple[CashSource, ...] = ()
    most_in_flight: int = 3
    refusals: tuple[tuple[str, RejectCode], ...] = ()
    gone: tuple[str, ...] = ()
    permissions: Permissions | None = None


def _binance_cash(told: Any) -> Mapping[str, Decimal]:
    rows = told.get("assets", ()) if isinstance(told, dict) else told
    return {row["asset"]: Decimal(str(row["walletBalance"])) for row in rows if "walletBalance" in row}


def _hyperliquid_cash(told: Any) -> Mapping[str, Decimal]:
    open_profit = sum((Decimal(row["position"]["unrealizedPnl"]) for row in told["assetPositions"]), Decimal(0))
    return {"USDC": Decimal(told["marginSummary"]["accountValue"]) - open_profit}


_R = RejectCode
_BINANCE_REFUSALS = (
    ("Duplicate order sent", _R.DUPLICATE_ID),
    ("-4116", _R.DUPLICATE_ID),
    ("ClientOrderId is duplicated", _R.DUPLICATE_ID),
    ("immediately match and take", _R.POST_ONLY_WOULD_TAKE),
    ("-5022", _R.POST_ONLY_WOULD_TAKE),
    ("trigger immediately", _R.WOULD_TRIGGER_AT_ONCE),
    ("immediately trigger", _R.WOULD_TRIGGER_AT_ONCE),
    ("insufficient balance", _R.INSUFFICIENT_FUNDS),
    ("Margin is insufficient", _R.INSUFFICIENT_FUNDS),
    ("ReduceOnly Order is rejected", _R.NOTHING_TO_REDUCE),
    ("NOTIONAL", _R.BELOW_MIN_NOTIONAL),
    ("notional must be no smaller", _R.BELOW_MIN_NOTIONAL),
    ("PRICE_FILTER", _R.OFF_GRID),
    ("LOT_SIZE", _R.OFF_GRID),
    ("-1111", _R.OFF_GRID),
    ("-4014", _R.OFF_GRID),
    ("-1021", _R.CLOCK_OFF),
    ("-1121", _R.UNKNOWN_INSTRUMENT),
    ("-2015", _R.NOT_PERMITTED),
    ("-1022", _R.NOT_PERMITTED),
)
_BINANCE_GONE = ("-2013", "-2011", "Order does not exist", "Unknown order sent")

_WEEK_MS = 7 * DAY_MS
_DEPOSITS = CashSource(method="fetch_deposits", read=deposit, offset="offset", window_ms=90 * DAY_MS, reach_ms=_WEEK_MS)
_BINANCE_CASH = (_DEPOSITS, replace(_DEPOSITS, method="fetch_withdrawals", read=withdrawal))
_HYPERLIQUID_CASH = (
    CashSource(method="fetch_funding_history", read=hyperliquid_funding, page=500),
    CashSource(method="fetch_ledger", read=hyperliquid_ledger, page=500),
)

_FACTS: Mapping[str, VenueFacts] = MappingProxyType(
    {
        "binance": VenueFacts(
            has_trailing=True,
            page=1000,
            cash=_BINANCE_CASH,
            testnet=Testnet.SANDBOX,
            permissions=Permissions(method="sapi_get_account_apirestrictions", withdraws="enableWithdrawals"),
            refusals=_BINANCE_REFUSALS,
            gone=_BINANCE_GONE,
        ),
        "binanceusdm": VenueFacts(
            conditional_apart=True,
            goods_till="goodTillDate",
            least_gtd_ms=600_000,
            trades_window_ms=7 * 86_400_000,
            has_trailing=True,
            page=1000,
            testnet=Testnet.DEMO,
            permissions=Permissions(method="sapi_get_account_apirestrictions", withdraws="enableWithdrawals"),
            cash_of=_binance_cash,
            cash=(CashSource(method="fetch_ledger", read=binance_income),),
            refusals=_BINANCE_REFUSALS,
            gone=_BINANCE_GONE,
        ),
        "aster": VenueFacts(
            has_trailing=True,
            page=1000,
            cash=(CashSource(method="fetch_ledger", read=binance_income),),
            refusals=_BINANCE_REFUSALS,
            gone=_BINANCE_GONE,
        ),
        "coinbase": VenueFacts(
            id_field="client_order_id",
            market_cap=Decimal("0.05"),
            asks_by_client_id=False,
            trades_need_symbol=False,
            pages=Pages.BACK,
            page=100,
            refusals=(
                ("INSUFFICIENT_FUND", _R.INSUFFICIENT_FUNDS),
                ("INVALID_LIMIT_PRICE_POST_ONLY", _R.POST_ONLY_WOULD_TAKE),
                ("INVALID_PRODUCT_ID", _R.UNKNOWN_INSTRUMENT),
                ("INVALID_PRICE_PRECISION", _R.OFF_GRID),
                ("INVALID_SIZE_PRECISION", _R.OFF_GRID),
                ("ORDER_AMOUNT_TOO_SMALL", _R.BELOW_MIN_NOTIONAL),
            ),
            gone=("NOT_FOUND", "UNKNOWN_CANCEL_ORDER", "cancelOrders() has failed"),
        ),
        "kraken": VenueFacts(
            id_form="uuid",
            lists_by_client_id=True,
            trades_need_symbol=False,
            pages=Pages.OFFSET,
            page=50,
            most_in_flight=1,
            cash=(CashSource(method="fetch_ledger", read=kraken_ledger, page=50, offset="ofs"),),
            asks_by_client_id=False,
            refusals=(
                ("EOrder:Insufficient funds", _R.INSUFFICIENT_FUNDS),
                ("EOrder:Post only order", _R.POST_ONLY_WOULD_TAKE),
                ("EOrder:Order minimum not met", _R.BELOW_MIN_NOTIONAL),
                ("EOrder:Cost minimum not met", _R.BELOW_MIN_NOTIONAL),
                ("EOrder:Tick size check failed", _R.OFF_GRID),
                ("EAPI:Invalid nonce", _R.CLOCK_OFF),
                ("EGeneral:Permission denied", _R.NOT_PERMITTED),
                ("EOrder:Rate limit exceeded", _R.RATE_LIMITED),
                ("EAPI:Rate limit exceeded", _R.RATE_LIMITED),
            ),
            gone=("EOrder:Unknown order", "EOrder:Invalid order"),
        ),
        "hyperliquid": VenueFacts(
            id_form="hex128",
            market_cap=Decimal("0.05"),
            trades_need_symbol=False,
            page=2000,
            realised="closedPnl",
            cash_of=_hyperliquid_cash,
            cash=_HYPERLIQUID_CASH,
            testnet=Testnet.SANDBOX,
            refusals=(
                ("Insufficient margin", _R.INSUFFICIENT_FUNDS),
                ("Post only order would have immediately matched", _R.POST_ONLY_WOULD_TAKE),
                ("Reduce only order would increase", _R.NOTHING_TO_REDUCE),
                ("minimum value of $10", _R.BELOW_MIN_NOTIONAL),
                ("divisible by tick size", _R.OFF_GRID),
                ("invalid price", _R.OFF_GRID),
                ("invalid size", _R.OFF_GRID),
            ),
            gone=("unknownOid", "never placed, already canceled, or filled"),
        ),
    }
)

VENUES = tuple(_FACTS)
"""The exchanges that orders can be sent to, by ccxt's id."""


def venue_facts(exchange_id: str) -> VenueFacts:
    """What is known of the exchange. Raises RequestError for one that nobody has tried orders at."""
    found = _FACTS.get(exchange_id)
    if found is None:
        raise RequestError(f"orders cannot be sent to {exchange_id!r}; venues are {', '.join(VENUES)}")
    return found

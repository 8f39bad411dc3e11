"""Why the balances of an account moved besides its executions: the lists that an exchange keeps of it, read by ccxt.

ccxt brings the rows; kinds, signs and amounts are taken from what the exchange itself wrote, because the unified form
drops some of them (at Hyperliquid the direction and the cents of a fee, at Binance which income it was).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from trading.domain.errors import RequestError
from trading.domain.money import EXACT
from trading.marketdata.exchange.symbols import from_ccxt
from trading.venues.port import CashKind, VenueCash

DAY_MS = 86_400_000
Row = Mapping[str, Any]
Ask = Callable[[str, Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Asks with patience: raises SourceUnavailable or RequestError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashSource:
    """One list of an exchange: ``method`` of ccxt gives its rows, ``read`` the movements that a row stands for.

    A full answer has ``page`` rows; the next one is asked for by ``offset`` where the exchange has that parameter, else
    from the last instant on. An answer covers at most ``window_ms``. What may become certain long after the instant it
    is filed under is asked for from ``reach_ms`` earlier.
    """

    method: str
    read: Callable[[Any, Row], Sequence[VenueCash]]
    page: int = 1000
    offset: str = ""
    window_ms: int | None = None
    reach_ms: int = 0


async def cash_movements(
    exchange: Any, sources: Sequence[CashSource], ask: Ask, ts_ms: int, now_ms: int
) -> Sequence[VenueCash]:
    """Every movement that the sources tell at or after ``ts_ms``, each once, oldest first.

    Raises what ``ask`` raises.
    """
    found: dict[str, VenueCash] = {}
    for source in sources:
        for cash in await _told(exchange, source, ask, max(1, ts_ms - source.reach_ms), now_ms):
            found.setdefault(cash.cash_id, cash)
    return tuple(sorted((cash for cash in found.values() if cash.amount), key=lambda cash: (cash.ts_ms, cash.cash_id)))


async def _told(exchange: Any, source: CashSource, ask: Ask, since: int, now_ms: int) -> Sequence[VenueCash]:
    told, skipped = list[VenueCash](), 0
    while True:
        begin, params = since, {source.offset: skipped} if skipped else {}

        async def page(begin: int = begin, params: Mapping[str, int] = params) -> tuple[int, int, list[VenueCash]]:
            rows = await getattr(exchange, source.method)(None, begin, source.page, dict(params))
            with localcontext(EXACT):
                cash = [each for row in rows for each in source.read(exchange, row)]
            return len(rows), max((int(row["timestamp"]) for row in rows), default=begin), cash

        count, latest, cash = await ask(f"its cash ({source.method})", page)
        told += cash
        if count >= source.page:
            skipped += count if source.offset else 0
            since = begin if source.offset else max(latest, begin + 1)
        elif source.window_ms and begin + source.window_ms < now_ms:
            since, skipped = begin + source.window_ms, 0
        else:
            return told


# -- Binance -------------------------------------------------------------------------------------------------------

_INCOME = {
    "FUNDING_FEE": CashKind.FUNDING,
    "SPECIAL_FUNDING_FEE": CashKind.FUNDING,
    "WELCOME_BONUS": CashKind.REBATE,
    "CONTEST_REWARD": CashKind.REBATE,
    "REFERRAL_KICKBACK": CashKind.REBATE,
    "COMMISSION_REBATE": CashKind.REBATE,
    "API_REBATE": CashKind.REBATE,
    "FEE_RETURN": CashKind.REBATE,
    "BFUSD_REWARD": CashKind.REBATE,
    "INSURANCE_CLEAR": CashKind.FEE,
    "POSITION_LIMIT_INCREASE_FEE": CashKind.FEE,
}
_TRANSFERS = (
    "TRANSFER",
    "INTERNAL_TRANSFER",
    "CROSS_COLLATERAL_TRANSFER",
    "STRATEGY_UMFUTURES_TRANSFER",
    "COIN_SWAP_DEPOSIT",
    "COIN_SWAP_WITHDRAW",
)


def binance_income(exchange: Any, row: Row) -> Sequence[VenueCash]:
    """A row of ``/fapi/v1/income``, and of Aster's. Commissions and realised profit are told by executions; what has no
    name here is nobody's guess and left to show as a difference.
    """
    info = row["info"]
    kind, amount = str(info["incomeType"]), _amount(info["income"])
    known = _transfer(amount) if kind in _TRANSFERS else _INCOME.get(kind)
    if known is None:
        return ()
    symbol = str(info.get("symbol") or "")
    return (
        VenueCash(
            cash_id=f"{kind}:{_id(info['tranId'])}:{symbol}",  # a tranId is one of its own kind alone
            kind=known,
            currency=row["currency"],
            amount=amount,
            ts_ms=int(info["time"]),
            instrument=_instrument(exchange, symbol),
        ),
    )


def deposit(_exchange: Any, row: Row) -> Sequence[VenueCash]:
    """A deposit as ccxt tells it, once it was credited."""
    if row["status"] != "ok":
        return ()
    return (_transaction(row, CashKind.DEPOSIT, _amount(row["amount"]), f"deposit:{_number(row)}"),)


def withdrawal(_exchange: Any, row: Row) -> Sequence[VenueCash]:
    """A withdrawal as ccxt tells it: taken with its fee when it is asked for, and given back where it fails."""
    fee = (row.get("fee") or {}).get("cost")
    amount = _amount(row["amount"]) + _amount(fee or 0)
    taken = _transaction(row, CashKind.WITHDRAWAL, -amount, f"withdrawal:{_number(row)}")
    if row["status"] not in ("failed", "canceled"):
        return (taken,)
    return taken, _transaction(row, CashKind.DEPOSIT, amount, f"{taken.cash_id}:returned")


def _transaction(row: Row, kind: CashKind, amount: Decimal, cash_id: str) -> VenueCash:
    return VenueCash(cash_id=cash_id, kind=kind, currency=row["currency"], amount=amount, ts_ms=int(row["timestamp"]))


def _number(row: Row) -> str:
    return _id(row["id"] or row["txid"])


# -- Kraken --------------------------------------------------------------------------------------------------------


def kraken_ledger(_exchange: Any, row: Row) -> Sequence[VenueCash]:
    """A row of ``Ledgers``, whose fee is taken besides. Trades are told by executions."""
    info = row["info"]
    if info["type"] not in ("deposit", "withdrawal", "transfer"):
        return ()
    amount = _amount(info["amount"]) - _amount(info["fee"])
    return (_transaction(row, _transfer(amount), amount, _id(info["id"])),)


# -- Hyperliquid ---------------------------------------------------------------------------------------------------


def hyperliquid_funding(_exchange: Any, row: Row) -> Sequence[VenueCash]:
    """A row of ``userFunding``; its hash is nothing but zeros, so instant and coin are its id."""
    delta, ts_ms = row["info"]["delta"], int(row["info"]["time"])
    return (
        VenueCash(
            cash_id=f"funding:{ts_ms}:{_id(delta['coin'])}",
            kind=CashKind.FUNDING,
            currency=row["code"],
            amount=_amount(delta["usdc"]),
            ts_ms=ts_ms,
            instrument=_named(row["symbol"]),
        ),
    )


def hyperliquid_ledger(exchange: Any, row: Row) -> Sequence[VenueCash]:
    """A row of ``userNonFundingLedgerUpdates``, as far as it moves the cash of the perpetuals' account."""
    info = row["info"]
    delta, kind = info["delta"], str(info["delta"]["type"])
    amount = _hyperliquid_amount(kind, delta, str(exchange.walletAddress).lower())
    if amount is None:
        return ()
    return (
        VenueCash(
            cash_id=f"{kind}:{_id(info['hash'])}",
            kind=_transfer(amount),
            currency="USDC",
            amount=amount,
            ts_ms=int(info["time"]),
        ),
    )


def _hyperliquid_amount(kind: str, delta: Row, address: str) -> Decimal | None:
    if kind == "deposit":
        return _amount(delta["usdc"])
    if kind == "withdraw":
        return -_amount(delta["usdc"]) - _amount(delta.get("fee", 0))
    if kind == "accountClassTransfer":
        return _amount(delta["usdc"]) * (1 if delta["toPerp"] else -1)
    if kind in ("internalTransfer", "subAccountTransfer"):
        if str(delta["destination"]).lower() == address:
            return _amount(delta["usdc"])
        return -_amount(delta["usdc"]) - _amount(delta.get("fee", 0))
    return None


# -- words ---------------------------------------------------------------------------------------------------------


def _transfer(amount: Decimal) -> CashKind:
    return CashKind.DEPOSIT if amount > 0 else CashKind.WITHDRAWAL


def _amount(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite():
        raise ValueError(f"an amount of {value!r}")
    return amount


def _id(value: Any) -> str:
    if value in (None, ""):
        raise ValueError("a movement of cash without an id")
    return str(value)


def _instrument(exchange: Any, symbol: str) -> str:
    return _named(exchange.safe_symbol(symbol, None, None, "swap")) if symbol else ""


def _named(symbol: str) -> str:
    try:
        return from_ccxt(symbol)
    except RequestError:
        return symbol  # a contract that is not traded here may still pay funding

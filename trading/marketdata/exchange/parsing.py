"""From ccxt's unified dictionaries to typed events. What cannot be read raises DataError; the stream counts it."""

import math
from typing import Any

from trading.domain.errors import DataError
from trading.marketdata.exchange.events import (
    FundingRate,
    MarkPrice,
    OpenInterest,
    SettledFunding,
    Ticker,
    TradePrint,
)

_FAR_MS = 4_102_444_800_000  # the year 2100: a later instant is a wrong unit


def read_trade(row: Any, instrument: str, received_ms: int) -> TradePrint:
    """A public trade."""
    body = _body(row, "trade")
    side = body.get("side")
    return TradePrint(
        instrument=instrument,
        ts_ms=_instant(body.get("timestamp")),
        received_ms=received_ms,
        trade_id=None if body.get("id") is None else str(body["id"]),
        price=_above_zero(body.get("price"), "trade price"),
        quantity=_above_zero(body.get("amount"), "trade amount"),
        sign=1 if side == "buy" else -1 if side == "sell" else None,
    )


def read_ticker(row: Any, instrument: str, received_ms: int) -> Ticker:
    """A ticker with a last price or both best levels, in order."""
    body = _body(row, "ticker")
    last, bid, ask = (
        None if body.get(name) is None else _above_zero(body[name], f"ticker {name}") for name in ("last", "bid", "ask")
    )
    if last is None and (bid is None or ask is None):
        raise DataError("a ticker has neither a last price nor both best levels")
    if bid is not None and ask is not None and bid >= ask:
        raise DataError(f"a ticker is crossed: bid {bid}, ask {ask}")
    return Ticker(
        instrument=instrument,
        ts_ms=_instant(body.get("timestamp")),
        received_ms=received_ms,
        last=last,
        bid=bid,
        ask=ask,
    )


def read_funding(row: Any, instrument: str, received_ms: int) -> FundingRate:
    """The funding rate now expected."""
    body = _body(row, "funding rate")
    upcoming = body.get("fundingTimestamp") or body.get("nextFundingTimestamp")
    return FundingRate(
        instrument=instrument,
        ts_ms=_instant(body.get("timestamp")),
        received_ms=received_ms,
        rate=_finite(body.get("fundingRate"), "funding rate"),
        next_ms=_instant(upcoming),
    )


def read_settled(row: Any, instrument: str, received_ms: int) -> SettledFunding:
    """A funding rate that was paid; it has the instant of its settlement."""
    body = _body(row, "settled funding rate")
    return SettledFunding(
        instrument=instrument,
        ts_ms=int(_above_zero(body.get("timestamp"), "time of a settlement")),
        received_ms=received_ms,
        rate=_finite(body.get("fundingRate"), "funding rate"),
    )


def read_mark(row: Any, instrument: str, received_ms: int) -> MarkPrice:
    """The mark price, from a ticker or from what an exchange says along with its funding rate."""
    body = _body(row, "mark price")
    return MarkPrice(
        instrument=instrument,
        ts_ms=_instant(body.get("timestamp")),
        received_ms=received_ms,
        price=_above_zero(body.get("markPrice"), "mark price"),
    )


def read_open_interest(row: Any, instrument: str, received_ms: int) -> OpenInterest:
    """Open interest, in base units or quote units or both."""
    body = _body(row, "open interest")
    base, quote = body.get("openInterestAmount"), body.get("openInterestValue")
    if base is None and quote is None:
        raise DataError("open interest comes without an amount")
    return OpenInterest(
        instrument=instrument,
        ts_ms=_instant(body.get("timestamp")),
        received_ms=received_ms,
        base=None if base is None else _finite(base, "open interest"),
        quote=None if quote is None else _finite(quote, "open interest"),
    )


def _body(row: Any, what: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise DataError(f"a {what} is no object but {type(row).__name__}")
    return row


def _finite(value: Any, what: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise DataError(f"{what} {value!r} is no number") from None
    if not math.isfinite(found):
        raise DataError(f"{what} {value!r} is not finite")
    return found


def _above_zero(value: Any, what: str) -> float:
    found = _finite(value, what)
    if found <= 0:
        raise DataError(f"{what} {value!r} is not above zero")
    return found


def _instant(value: Any) -> int | None:
    if value is None:
        return None
    found = _finite(value, "time")
    if not 0 < found < _FAR_MS:
        raise DataError(f"time {value!r} is no instant in milliseconds since 1970")
    return int(found)

"""Orders and executions between our words and those of ccxt, whose numbers are kept as text and become Decimal here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trading.domain.errors import OrderRejected
from trading.domain.fill import Liquidity
from trading.domain.instrument import parse_symbol
from trading.domain.intent import OrderType, Side, TimeInForce
from trading.domain.money import money_text
from trading.domain.order import Order, OrderStatus
from trading.domain.reject import RejectCode
from trading.venues.ccxt_venue.client_ids import from_wire, to_wire
from trading.venues.ccxt_venue.facts import VenueFacts
from trading.venues.port import VenueFill, VenueOrder

CONDITIONAL = frozenset((OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP))
_STATES = {
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "canceling": OrderStatus.OPEN,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CcxtOrder:
    """The arguments of ccxt's ``create_order``. ``amount`` counts contracts where the market does."""

    symbol: str
    kind: str
    side: str
    amount: str
    price: str | None
    params: Mapping[str, Any] = field(default_factory=dict)


def contract_size(market: Mapping[str, Any]) -> Decimal:
    """How many base units one unit of ccxt's amount stands for."""
    size = market.get("contractSize") if market.get("contract") else None
    return Decimal(1) if size is None else Decimal(str(size))


def as_ccxt(
    order: Order, market: Mapping[str, Any], facts: VenueFacts, *, now_ms: int, cap: str | None = None
) -> CcxtOrder:
    """What ccxt has to be asked for. Raises OrderRejected for what the venue has no word for.

    ``cap`` is the price that an order without a limit may reach, where the venue is sent one.
    """
    params: dict[str, Any] = {facts.id_field: to_wire(order.client_order_id, facts.id_form)}
    has_limit = order.order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    if order.reduce_only and market.get("contract"):
        params["reduceOnly"] = True
    if order.reduce_only and not market.get("contract") and order.side is Side.BUY:
        raise OrderRejected("a spot order to buy reduces nothing", code=RejectCode.NOTHING_TO_REDUCE.value)
    if order.trigger_price is not None:
        name = "takeProfitPrice" if order.order_type is OrderType.TAKE_PROFIT else "stopLossPrice"
        params[name] = money_text(order.trigger_price)
    if order.order_type is OrderType.TRAILING_STOP:
        params |= _trailing(order, market, facts)
    if has_limit:
        params |= _lifetime(order, facts, now_ms=now_ms)
    elif cap is not None and order.trigger_price is None:
        params["timeInForce"] = "IOC"
    size = contract_size(market)
    return CcxtOrder(
        symbol=market["symbol"],
        kind="limit" if has_limit or cap is not None else "market",
        side=order.side.value,
        amount=money_text(order.quantity / size),
        price=money_text(order.limit_price) if order.limit_price is not None else cap,
        params=params,
    )


def _trailing(order: Order, market: Mapping[str, Any], facts: VenueFacts) -> dict[str, Any]:
    if not facts.has_trailing or order.trail is None:
        raise OrderRejected("the venue keeps no trailing stops", code=RejectCode.OTHER.value)
    percent = money_text(order.trail * 100)
    return {"trailingPercent": percent} | ({} if market.get("contract") else {"stopLossOrTakeProfit": "stopLoss"})


def _lifetime(order: Order, facts: VenueFacts, *, now_ms: int) -> dict[str, Any]:
    if order.post_only:
        return {"postOnly": True}
    if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        return {"timeInForce": order.time_in_force.value.upper()}
    timed = order.time_in_force is TimeInForce.GTD and order.expires_ms is not None
    if timed and facts.goods_till is not None and order.expires_ms - now_ms > facts.least_gtd_ms:  # type: ignore[operator]
        return {"timeInForce": "GTD", facts.goods_till: order.expires_ms}
    return {"timeInForce": "GTC"}  # the house cancels what outlives its time


def venue_order(
    told: Mapping[str, Any], instrument: str, facts: VenueFacts, *, size: Decimal, client_order_id: str = ""
) -> VenueOrder:
    """An order as ccxt tells it. ``client_order_id`` is used where the answer does not repeat it."""
    quantity, filled = _number(told.get("amount")) * size, _number(told.get("filled")) * size
    status = _STATES.get(str(told.get("status")), OrderStatus.OPEN)
    if status is OrderStatus.OPEN and filled > 0:
        status = OrderStatus.FILLED if quantity and filled >= quantity else OrderStatus.PARTIALLY_FILLED
    elif status is OrderStatus.FILLED and filled < quantity:
        status = OrderStatus.CANCELLED  # some venues call every ended order closed
    return VenueOrder(
        client_order_id=from_wire(told.get("clientOrderId"), facts.id_form) or client_order_id,
        venue_order_id=str(told.get("id") or ""),
        instrument=instrument,
        status=status,
        quantity=quantity,
        filled=filled,
        reason="" if status not in _ENDED else f"{status.value} by the venue",
        side=None if told.get("side") is None else Side(told["side"]),
        limit_price=_number(told.get("price")) or None,
        created_ms=told.get("timestamp"),
    )


_ENDED = (OrderStatus.REJECTED, OrderStatus.EXPIRED)


def venue_fill(
    told: Mapping[str, Any], instrument: str, quote: str, *, size: Decimal, client_order_id: str, realised_in: str
) -> VenueFill:
    """An execution as ccxt tells it. A fee in another currency than the quote is told as charged, and by its worth
    where that is the base currency; what a fee in a third currency is worth is not known and counts as nothing here.
    """
    price, quantity = Decimal(str(told["price"])), Decimal(str(told["amount"])) * size
    fee = told.get("fee") or {}
    charged, currency = _number(fee.get("cost")), fee.get("currency") or quote
    base = parse_symbol(instrument)[0]
    worth = charged if currency == quote else charged * price if currency == base else Decimal(0)
    realised = (told.get("info") or {}).get(realised_in) if instrument.endswith("-PERP") else None
    return VenueFill(
        venue_fill_id=str(told["id"]),
        client_order_id=client_order_id,
        instrument=instrument,
        side=Side(told["side"]),
        price=price,
        quantity=quantity,
        fee=worth,
        liquidity=Liquidity.MAKER if told.get("takerOrMaker") == "maker" else Liquidity.TAKER,
        ts_ms=int(told["timestamp"]),
        charged=None if currency == quote else charged,
        charged_currency="" if currency == quote else currency,
        realised=None if realised is None else Decimal(str(realised)),
    )


def _number(value: Any) -> Decimal:
    return Decimal(0) if value is None else Decimal(str(value))

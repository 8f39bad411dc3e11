"""What a person asks for: an order by quantity or by value, or the close of a position."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trading.domain.account import AccountView
from trading.domain.errors import RequestError
from trading.domain.instrument import Instrument
from trading.domain.intent import OrderType, Side, TimeInForce, TradeIntent, shape_problem

Amount = Annotated[Decimal, Field(gt=0, lt=10**15, decimal_places=18, allow_inf_nan=False)]
Kind = Literal[OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT]

REASON = "by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What sizes are measured by: the account as it stands, the last price, and the instrument's grid."""

    account: AccountView
    price: Decimal
    instrument: Instrument


class OrderTicket(BaseModel):
    """An order as a person writes it; prices and amounts are exact, ``value`` is in the quote currency.

    Its size is a ``quantity`` (base units), a ``value`` (turned into a quantity by the limit or trigger price, else by
    the last price when the ticket is taken) or the whole position (``close``). What rests stands until it is cancelled.
    ``stop_loss`` and ``take_profit`` are a bracket around what a market or limit order opens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    instrument: Annotated[str, Field(min_length=1, max_length=40)]
    side: Side | None = None
    order_type: Kind = OrderType.MARKET
    quantity: Amount | None = None
    value: Amount | None = None
    limit_price: Amount | None = None
    trigger_price: Amount | None = None
    stop_loss: Amount | None = None
    take_profit: Amount | None = None
    reduce_only: bool = False
    close: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.close:
            if self.model_fields_set - {"instrument", "close"}:
                raise ValueError("closing a position takes its instrument and nothing else")
            return self
        if self.side is None:
            raise ValueError("side is missing: buy or sell")
        if (self.quantity is None) == (self.value is None):
            found = "neither" if self.quantity is None else "both"
            raise ValueError(f"found {found} of quantity and value, expected one of them")
        problem = shape_problem(self._intent(self.side, Decimal(1)))
        if problem is not None:
            raise ValueError(problem[0].lower() + problem[1:].rstrip("."))
        return self

    def intent(self, sizes: Sizes) -> TradeIntent:
        """The intent it comes to now. Raises RequestError where there is nothing to close or it is less than a lot."""
        if self.close or self.side is None:
            held = sizes.account.positions.get(self.instrument)
            if held is None or held.is_flat:
                raise RequestError(f"there is no position in {self.instrument} to close")
            side = Side.SELL if held.quantity > 0 else Side.BUY
            return self._intent(side, abs(held.quantity), reduce_only=True)
        price = self.limit_price or self.trigger_price or sizes.price
        wanted = self.quantity if self.quantity is not None else (self.value or Decimal(0)) / price
        quantity = sizes.instrument.floor_quantity(wanted)
        if quantity <= 0:
            raise RequestError(f"{wanted:.8g} {sizes.instrument.base} is less than one lot, {sizes.instrument.lot}")
        return self._intent(self.side, quantity)

    def words(self) -> str:
        """The ticket in a line: ``buy 0.1 BTC-USDT-PERP limit 60000``."""
        if self.close:
            return f"close {self.instrument}"
        size = f"{self.quantity}" if self.quantity is not None else f"for {self.value} of"
        price = self.limit_price or self.trigger_price
        told = "" if self.order_type is OrderType.MARKET else f" {self.order_type.value.replace('_', '-')} {price}"
        return f"{self.side} {size} {self.instrument}{told}{' reduce-only' if self.reduce_only else ''}"

    def _intent(self, side: Side, quantity: Decimal, *, reduce_only: bool = False) -> TradeIntent:
        rests = self.order_type is not OrderType.MARKET
        return TradeIntent(
            instrument=self.instrument,
            side=side,
            quantity=quantity,
            order_type=self.order_type,
            limit_price=self.limit_price,
            trigger_price=self.trigger_price,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
            reduce_only=self.reduce_only or reduce_only,
            time_in_force=TimeInForce.GTC if rests else TimeInForce.GTD,
            reason=REASON,
        )


def order_ticket(**fields: object) -> OrderTicket:
    """A ticket of what somebody typed; empty texts count as left out. Raises RequestError, in one line."""
    given = {name: value for name, value in fields.items() if value not in (None, "", False)}
    try:
        return OrderTicket.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        found = f"found {str(first['input'])[:60]!r}, " if where else ""
        raise RequestError(
            f"{where.replace('_', ' ')}: {found}{said[0].lower()}{said[1:]}" if where else said
        ) from error

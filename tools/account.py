"""Tools that read the desk's own account: money, positions, limits."""

from decimal import Decimal
from typing import ClassVar

from tools.context import ToolContext
from tools.numbers import quotient_text, significant
from tools.tool import Args, Effect, Result, Row, tool
from trading.domain import iso, money_text


class NothingToAsk(Args):
    """No arguments."""


class OpenOrderRow(Row):
    """An order that rests at the venue."""

    instrument: str
    side: str
    order_type: str
    quantity: str
    limit_price: str | None
    reduce_only: bool
    sent_at: str


class Account(Result):
    """The account's money. Amounts are decimal texts in ``quote``; drawdown and leverage are plain ratios."""

    bulk: ClassVar[str | None] = "open_orders"
    keep_last: ClassVar[bool] = True

    quote: str
    cash: str
    equity: str
    peak_equity: str
    drawdown: float
    gross: str
    net: str
    leverage: float | None
    reduce_only: bool
    halted: bool
    open_orders: list[OpenOrderRow]


@tool(effect=Effect.READ)
def get_account(args: NothingToAsk, context: ToolContext) -> Account:
    """Your account: cash, equity, exposure and resting orders. Amounts are in the quote currency, as decimal texts.

    gross and net: sums of absolute and of signed position values. leverage: gross over equity. drawdown: fall of equity
    from its peak as a fraction. reduce_only: only orders that shrink positions pass. halted: no order passes.
    """
    account = context.account
    return Account(
        as_of=context.as_of,
        source="ledger",
        quote=account.quote,
        cash=money_text(account.cash),
        equity=money_text(account.equity),
        peak_equity=money_text(account.peak_equity),
        drawdown=significant(float(account.drawdown)),
        gross=money_text(account.gross),
        net=money_text(account.net),
        leverage=None if account.leverage is None else significant(float(account.leverage)),
        reduce_only=account.reduce_only,
        halted=account.halted,
        open_orders=[
            OpenOrderRow(
                instrument=order.instrument,
                side=order.side,
                order_type=order.order_type,
                quantity=money_text(order.quantity),
                limit_price=_text(order.limit_price),
                reduce_only=order.reduce_only,
                sent_at=iso(order.sent_ms),
            )
            for order in account.open_orders
        ],
    )


class PositionRow(Row):
    """One open position. What depends on a mark is null where there is none."""

    instrument: str
    quantity: str
    average_price: str | None
    mark: str | None
    value: str | None
    unrealised: str | None


class Positions(Result):
    """Open positions."""

    bulk: ClassVar[str | None] = "positions"

    positions: list[PositionRow]


@tool(effect=Effect.READ)
def get_positions(args: NothingToAsk, context: ToolContext) -> Positions:
    """Your open positions; an instrument that is not listed is not held.

    quantity: base units, negative when short. mark: price the position is valued at. value: quantity times mark,
    signed. unrealised: what closing at the mark would win or lose before fees.
    """
    rows = []
    for symbol, position in context.account.positions.items():
        if position.is_flat:
            continue
        mark = context.account.marks.get(symbol)
        rows.append(
            PositionRow(
                instrument=symbol,
                quantity=money_text(position.quantity),
                average_price=None if position.average_price is None else quotient_text(position.average_price),
                mark=_text(mark),
                value=None if mark is None else money_text(position.value(mark)),
                unrealised=None if mark is None else money_text(position.unrealised(mark)),
            )
        )
    return Positions(as_of=context.as_of, source="ledger", positions=rows)


class LimitUse(Row):
    """A hard limit and how much of it is used, both in ``unit``."""

    rule: str
    limit: str
    used: str | None
    unit: str
    description: str


class Limits(Result):
    """The limits that the gate holds."""

    bulk: ClassVar[str | None] = "limits"

    limits: list[LimitUse]


@tool(effect=Effect.READ)
def get_limits(args: NothingToAsk, context: ToolContext) -> Limits:
    """The hard limits on your orders and how much of each is used now. The gate resizes or refuses what breaks one."""
    rows = [
        LimitUse(rule=row.rule, limit=row.limit, used=row.used, unit=row.unit, description=row.description)
        for row in context.limits.rows()
    ]
    return Limits(as_of=context.as_of, source="gate", limits=rows)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else money_text(value)

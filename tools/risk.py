"""The tool that measures what the account, and a proposal, can lose."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from tools.context import ToolContext
from tools.forecast import Horizon
from tools.market import Symbol
from tools.numbers import SignedDecimal, significant
from tools.tool import Args, Effect, Result, Row, tool
from trading.domain import duration_ms
from trading.domain.money import ZERO
from trading.risk.measures import (
    HorizonReturns,
    TailRisk,
    historical_tail_risk,
    horizon_returns,
    lookback_bars,
    position_weights,
)


class ProposedChange(Args):
    """A change of one position."""

    instrument: Symbol
    quantity: Annotated[
        SignedDecimal, Field(description="Base units as a decimal text: positive buys, negative sells.")
    ]


class RiskArgs(Args):
    """What to measure."""

    proposal: Annotated[
        tuple[ProposedChange, ...], Field(max_length=20, description="Changes to measure on top of what is held.")
    ] = ()
    horizon: Horizon = "24h"


class RiskNumbers(Row):
    """VaR and CVaR by level, as positive fractions of equity; null is not known."""

    var: dict[str, float | None]
    cvar: dict[str, float | None]


class RiskResult(Result):
    """Risk of the account as it is and as proposed."""

    horizon_s: int
    lookback_bars: int
    account: RiskNumbers
    proposed: RiskNumbers | None


@tool(effect=Effect.THINK)
def get_risk(args: RiskArgs, context: ToolContext) -> RiskResult:
    """Historical VaR and CVaR of your positions over the horizon, and of what they would be after the proposal.

    Fractions of equity: var 0.99 of 0.04 means that in 99 of 100 past horizons these positions would have lost no more
    than 4 % of your equity; cvar is the mean loss in the others. Without a proposal, proposed is null. A null number
    is not known (see note), never zero.
    """
    horizon_ms = duration_ms(args.horizon)
    changes: dict[str, Decimal] = {}
    for change in args.proposal:
        (symbol,) = context.chosen([change.instrument])
        changes[symbol] = changes.get(symbol, ZERO) + change.quantity
    prices = {symbol: context.view.quote(symbol).price for symbol in changes}
    symbols = (*context.account.positions, *changes)
    history = {symbol: _history(context, symbol, horizon_ms) for symbol in symbols}
    now = historical_tail_risk(position_weights(context.account, {}, prices), history)
    then = historical_tail_risk(position_weights(context.account, changes, prices), history) if changes else None
    reasons = dict.fromkeys((*now.reasons, *(then.reasons if then else ())))
    return RiskResult(
        as_of=context.as_of,
        source=context.view.source,
        note="; ".join(reasons) or None,
        horizon_s=horizon_ms // 1000,
        lookback_bars=lookback_bars(context.view.step_ms, horizon_ms),
        account=_numbers(now),
        proposed=_numbers(then) if then else None,
    )


def _history(context: ToolContext, symbol: str, horizon_ms: int) -> HorizonReturns:
    """Past returns of an instrument, the same for every desk of the round."""

    def make() -> HorizonReturns:
        count = lookback_bars(context.view.step_ms, horizon_ms)
        return horizon_returns(context.view.bars(symbol, count), horizon_ms)

    return context.once(f"horizon_returns|{symbol}|{horizon_ms}", HorizonReturns, make)


def _numbers(found: TailRisk) -> RiskNumbers:
    return RiskNumbers(var=_by_level(found.var), cvar=_by_level(found.cvar))


def _by_level(values: Mapping[float, float | None]) -> dict[str, float | None]:
    return {str(level): None if value is None else significant(value) for level, value in values.items()}

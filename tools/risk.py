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
from trading.risk.account_risk import AccountRisk, account_risk, mean_daily_volume
from trading.risk.measures import HorizonReturns, horizon_returns, lookback_bars, position_weights

_DAY_MS = 86_400_000
_DIGITS = 5


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
    """The risk of one book. Fractions of equity; null is not known."""

    var: dict[str, float | None]
    cvar: dict[str, float | None]
    gross: float
    net: float
    deviation: float | None
    component_var: dict[str, float]
    effective_positions: float | None
    margin_used: float
    liquidation_if_all_fall: float | None
    liquidation_if_all_rise: float | None
    days_to_close: float | None


class RiskResult(Result):
    """Risk of the account as it is and as proposed."""

    horizon_s: int
    lookback_bars: int
    account: RiskNumbers
    proposed: RiskNumbers | None


@tool(effect=Effect.THINK)
def get_risk(args: RiskArgs, context: ToolContext) -> RiskResult:
    """Risk of your positions over the horizon, and what it would be after the proposal. Fractions of your equity.

    var 0.99 of 0.04: in 99 of 100 past horizons these positions would have lost no more than 4 %; cvar is the mean loss
    in the others. deviation: standard deviation over the horizon. component_var: each position's part of the 99 % VaR,
    negative where it hedges (the ten largest). margin_used 1 means liquidation; liquidation_if_all_fall 0.3: when all
    prices fall 30 %. days_to_close: the slowest position, at a tenth of its volume. Without a proposal, proposed is
    null. A null number is not known (see note), never zero.
    """
    horizon_ms = duration_ms(args.horizon)
    changes: dict[str, Decimal] = {}
    for change in args.proposal:
        (symbol,) = context.chosen([change.instrument])
        changes[symbol] = changes.get(symbol, ZERO) + change.quantity
    prices = {symbol: context.view.quote(symbol).price for symbol in changes}
    symbols = (*context.account.positions, *changes)
    history = {symbol: _history(context, symbol, horizon_ms) for symbol in symbols}
    now = _measured(context, position_weights(context.account, {}, prices), history)
    then = _measured(context, position_weights(context.account, changes, prices), history) if changes else None
    reasons = dict.fromkeys((*now.tail.reasons, *(then.tail.reasons if then else ())))
    return RiskResult(
        as_of=context.as_of,
        source=context.view.source,
        note="; ".join(reasons) or None,
        horizon_s=horizon_ms // 1000,
        lookback_bars=lookback_bars(context.view.step_ms, horizon_ms),
        account=_numbers(now),
        proposed=_numbers(then) if then else None,
    )


def _measured(context: ToolContext, weights: Mapping[str, float], history: Mapping[str, HorizonReturns]) -> AccountRisk:
    equity = float(context.account.equity)
    held = [symbol for symbol, weight in weights.items() if weight]
    traded = {symbol: _daily_volume(context, symbol) * context.view.quote(symbol).price / equity for symbol in held}
    margins = {
        symbol: float(context.instruments[symbol].maintenance_margin)
        for symbol in held
        if context.instruments[symbol].is_perp
    }
    return account_risk(weights, history, maintenance=margins, daily_volume=traded)


def _history(context: ToolContext, symbol: str, horizon_ms: int) -> HorizonReturns:
    """Past returns of an instrument, the same for every desk of the round."""

    def make() -> HorizonReturns:
        count = lookback_bars(context.view.step_ms, horizon_ms)
        return horizon_returns(context.view.bars(symbol, count), horizon_ms)

    return context.once(f"horizon_returns|{symbol}|{horizon_ms}", HorizonReturns, make)


def _daily_volume(context: ToolContext, symbol: str) -> float:
    """Base units traded in a day, the same for every desk of the round."""

    def make() -> float:
        return mean_daily_volume(context.view.bars(symbol, max(1, 30 * _DAY_MS // context.view.step_ms)))

    return context.once(f"daily_volume|{symbol}", float, make)


def _numbers(found: AccountRisk) -> RiskNumbers:
    parts = found.components or {}
    largest = sorted(parts, key=lambda symbol: -abs(parts[symbol]))[:10]
    return RiskNumbers(
        var=_by_level(found.tail.var),
        cvar=_by_level(found.tail.cvar),
        gross=significant(found.gross, _DIGITS),
        net=significant(found.net, _DIGITS),
        deviation=_short(found.deviation),
        component_var={symbol: significant(parts[symbol], _DIGITS) for symbol in largest},
        effective_positions=_short(found.concentration.effective),
        margin_used=significant(found.margin.used, _DIGITS),
        liquidation_if_all_fall=_short(found.margin.falling),
        liquidation_if_all_rise=_short(found.margin.rising),
        days_to_close=_short(found.days_to_close),
    )


def _short(value: float | None) -> float | None:
    return None if value is None else significant(value, _DIGITS)


def _by_level(values: Mapping[float, float | None]) -> dict[str, float | None]:
    return {str(level): None if value is None else significant(value) for level, value in values.items()}

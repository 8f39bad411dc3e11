"""The tool that forecasts."""

from typing import Annotated, ClassVar

from pydantic import Field

from tools.context import ToolContext
from tools.market import InstrumentsArgs
from tools.numbers import significant
from tools.tool import Effect, Result, Row, tool
from trading.domain import duration_ms
from trading.domain.errors import Unavailable
from trading.forecasting import forecaster

Horizon = Annotated[
    str, Field(pattern=r"^[1-9][0-9]{0,5}[smhdw]$", description="A whole number of candles, such as 30m, 4h or 1d.")
]


class ForecastArgs(InstrumentsArgs):
    """What to forecast, and how far."""

    horizon: Horizon = "4h"


class ForecastRow(Row):
    """The distribution of one instrument's return over the horizon."""

    instrument: str
    p_up: float
    q05: float
    q50: float
    q95: float
    volatility: float


class Forecasts(Result):
    """Forecasts of one model at one horizon."""

    bulk: ClassVar[str | None] = "forecasts"

    model: str
    horizon_s: int
    forecasts: list[ForecastRow]


@tool(effect=Effect.THINK, market_only=True)
def get_forecast(args: ForecastArgs, context: ToolContext) -> Forecasts:
    """Statistical forecast of each instrument's return from the last closed candle over the horizon.

    p_up: probability that the return is positive. q05, q50, q95: quantiles of the simple return (0.01 is +1 %); nine
    times in ten it lands between q05 and q95. volatility: standard deviation of the return over the horizon. The width
    is reliable, the direction is barely better than a coin: weigh a p_up near 0.5 against the cost of trading.
    """
    model = forecaster()
    horizon_ms = duration_ms(args.horizon)
    rows, unknown = [], []
    for symbol in context.chosen(args.instruments):
        try:
            found = model.forecast(context.view.bars(symbol, model.window), horizon_ms)
        except Unavailable as error:
            unknown.append(str(error))
            continue
        rows.append(
            ForecastRow(
                instrument=symbol,
                p_up=significant(found.p_up),
                q05=significant(found.q05),
                q50=significant(found.q50),
                q95=significant(found.q95),
                volatility=significant(found.volatility),
            )
        )
    if not rows:
        raise Unavailable("; ".join(unknown))
    return Forecasts(
        as_of=context.as_of,
        source=context.view.source,
        note="; ".join(unknown) or None,
        model=model.name,
        horizon_s=horizon_ms // 1000,
        forecasts=rows,
    )

"""The tool that forecasts."""

from typing import Annotated, ClassVar

from pydantic import Field

from tools.context import ToolContext
from tools.market import InstrumentsArgs
from tools.numbers import significant
from tools.tool import Effect, Result, Row, tool
from trading.domain import duration_ms
from trading.domain.errors import Unavailable
from trading.forecasting import Forecaster, ServedForecast, forecaster
from trading.marketdata import Bars

Horizon = Annotated[
    str, Field(pattern=r"^[1-9][0-9]{0,5}[smhdw]$", description="A whole number of candles, such as 30m, 4h or 1d.")
]


class ForecastArgs(InstrumentsArgs):
    """What to forecast, and how far."""

    horizon: Horizon = "4h"


class Validated(Row):
    """A score on times the model had not seen, with its 95 % interval."""

    value: float
    low: float | None
    high: float | None


class ForecastRow(Row):
    """The distribution of one instrument's return over the horizon."""

    instrument: str
    p_up: float
    q05: float
    q50: float
    q95: float
    volatility: float
    model: str | None = Field(default=None, exclude_if=lambda value: value is None)
    validation: dict[str, Validated] | None = Field(default=None, exclude_if=lambda value: value is None)


class Forecasts(Result):
    """Forecasts at one horizon. ``model`` made those of rows that name no other."""

    bulk: ClassVar[str | None] = "forecasts"

    model: str
    horizon_s: int
    forecasts: list[ForecastRow]


@tool(effect=Effect.THINK, market_only=True)
def get_forecast(args: ForecastArgs, context: ToolContext) -> Forecasts:
    """Statistical forecast of each instrument's return from the last closed candle over the horizon.

    p_up: probability that the return is positive. q05, q50, q95: quantiles of the simple return (0.01 is +1 %); nine
    times in ten it lands between q05 and q95. volatility: standard deviation of the return over the horizon. The width
    is reliable, the direction is barely better than a coin: weigh a p_up near 0.5 against the cost of trading. A row's
    model, where it names one, was trained and tested on this instrument's own past; validation says how it did there:
    a skill whose interval holds 0 is none, coverage90 should be near 0.9.
    """
    model = forecaster()
    horizon_ms = duration_ms(args.horizon)
    rows, unknown = [], []
    for symbol in context.chosen(args.instruments):
        try:
            champion = _champion(context, symbol, horizon_ms)
            found = champion.forecast if champion else model.forecast(_bars(context, symbol, model), horizon_ms)
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
                model=champion.model_id if champion else None,
                validation=_validation(champion) if champion else None,
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


def _validation(champion: ServedForecast) -> dict[str, Validated]:
    """The champion's scores out of sample, as they were when it was registered: a season's answers do not change."""
    return {
        name: Validated(
            value=significant(value),
            low=None if interval is None else significant(interval[0]),
            high=None if interval is None else significant(interval[1]),
        )
        for name, (value, interval) in champion.validation.items()
    }


def _champion(context: ToolContext, symbol: str, horizon_ms: int) -> ServedForecast | None:
    """The champion's forecast, computed once a round for all desks."""
    champions = context.champions
    if champions is None:
        return None
    answer: tuple[ServedForecast | None] = context.once(
        f"champion|{symbol}|{horizon_ms}", tuple, lambda: (champions.forecast(context.view, symbol, horizon_ms),)
    )
    return answer[0]


def _bars(context: ToolContext, symbol: str, model: Forecaster) -> Bars:
    return context.view.bars(symbol, model.window)

"""Tools that read the market: quotes, candles, indicators."""

from typing import Annotated, ClassVar

from pydantic import Field

from tools.context import ToolContext
from tools.numbers import significant
from tools.tool import Args, Effect, Result, Row, tool
from trading.domain import duration_text, iso
from trading.domain.errors import Unavailable
from trading.features.indicators import WINDOW, indicators

Symbol = Annotated[str, Field(min_length=1, max_length=40)]
Symbols = Annotated[
    list[Symbol] | None,
    Field(max_length=100, description="Exact symbols, such as BTC-USDT-PERP. Null means all of them."),
]


class InstrumentsArgs(Args):
    """Which instruments to look at."""

    instruments: Symbols = None


class QuoteRow(Row):
    """The last price; null where the instrument has none yet."""

    instrument: str
    price: float | None
    printed_at: str | None
    age_s: float | None


class Quotes(Result):
    """Last known prices."""

    bulk: ClassVar[str | None] = "quotes"

    quotes: list[QuoteRow]


@tool(effect=Effect.READ, market_only=True)
def get_quote(args: InstrumentsArgs, context: ToolContext) -> Quotes:
    """Last known price of each instrument, in the quote currency, when it was printed and how many seconds old it is.

    An order is filled later and at a slightly worse price than this one.
    """
    rows = []
    for symbol in context.chosen(args.instruments):
        try:
            quote = context.view.quote(symbol)
        except Unavailable:
            rows.append(QuoteRow(instrument=symbol, price=None, printed_at=None, age_s=None))
            continue
        rows.append(
            QuoteRow(instrument=symbol, price=quote.price, printed_at=iso(quote.ts_ms), age_s=quote.age_ms / 1000)
        )
    return Quotes(as_of=context.as_of, source=context.view.source, quotes=rows)


class CandlesArgs(Args):
    """One instrument and how far back."""

    instrument: Annotated[Symbol, Field(description="Exact symbol, such as BTC-USDT-PERP.")]
    count: Annotated[int, Field(ge=1, le=200, description="How many of the newest closed candles.")] = 48


CandleRow = tuple[str, float, float, float, float, float]


class Candles(Result):
    """Closed candles, oldest first."""

    bulk: ClassVar[str | None] = "rows"
    keep_last: ClassVar[bool] = True

    instrument: str
    timeframe: str
    columns: tuple[str, ...] = ("opened_at", "open", "high", "low", "close", "volume")
    rows: list[CandleRow]


@tool(effect=Effect.READ, market_only=True)
def get_candles(args: CandlesArgs, context: ToolContext) -> Candles:
    """Closed candles of one instrument, oldest first: opening time (UTC), open, high, low, close, volume.

    The candle that is still forming is not among them. Missing candles are missing: compare the opening times.
    """
    (symbol,) = context.chosen([args.instrument])
    bars = context.view.bars(symbol, args.count)
    if not len(bars):
        raise Unavailable(f"{symbol} has no closed candle yet at {context.as_of}")
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    opened = map(iso, bars.open_ms.tolist())
    return Candles(
        as_of=context.as_of,
        source=context.view.source,
        instrument=symbol,
        timeframe=duration_text(bars.step_ms),
        rows=list(zip(opened, *(column.tolist() for column in columns), strict=True)),
    )


class IndicatorTable(Result):
    """Indicators by instrument and name."""

    bulk: ClassVar[str | None] = "indicators"

    timeframe: str
    indicators: dict[str, dict[str, float | None]]


@tool(effect=Effect.READ, market_only=True)
def get_indicators(args: InstrumentsArgs, context: ToolContext) -> IndicatorTable:
    """Technical indicators of each instrument at its last closed candle. Numbers in names are lengths in candles.

    return_N: simple return over N candles. rsi_14, stochastic_k, adx_14: 0 to 100. williams_r_14: -100 to 0.
    bollinger_position_20: 0 at the lower band, 1 at the upper. atr_14_fraction: average true range as a fraction of
    the price. volatility_24: standard deviation of log returns per candle. zscore_48: standard deviations between the
    close and its mean. donchian_high_48, donchian_low_48: the range of the 48 candles before the last, so that a close
    outside is a breakout. funding_rate: the last one settled, positive when longs pay shorts. macd, sma and ema are in
    units of the price. Null means not known: too little history, or no funding.
    """
    table = {
        symbol: {
            name: None if value is None else significant(value)
            for name, value in indicators(context.view.bars(symbol, WINDOW), context.view.funding(symbol, 1)).items()
        }
        for symbol in context.chosen(args.instruments)
    }
    return IndicatorTable(
        as_of=context.as_of,
        source=context.view.source,
        timeframe=duration_text(context.view.step_ms),
        indicators=table,
    )

"""Tools that read the market: quotes, candles, indicators, features, snapshots."""

from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from tools.context import ToolContext
from tools.numbers import significant
from tools.tool import Args, Effect, Result, Row, tool
from trading.domain import duration_text, iso
from trading.domain.errors import Unavailable
from trading.features.feature import Group
from trading.features.frame import FeatureFrame, frame_of
from trading.features.indicators import WINDOW, indicators
from trading.features.registry import FEATURES, history_bars
from trading.features.snapshot import HISTORY_BARS, Snapshot, snapshot
from trading.features.stream import latest

Symbol = Annotated[str, Field(min_length=1, max_length=40)]
Symbols = Annotated[
    list[Symbol] | None,
    Field(max_length=100, description="Exact symbols, such as BTC-USDT-PERP. Null means all of them."),
]


class InstrumentsArgs(Args):
    """Which instruments to look at."""

    instruments: Symbols = None


class QuoteRow(Row):
    """The last price; null where the instrument has none yet. ``stale`` is left out where it is of the present."""

    instrument: str
    price: float | None
    printed_at: str | None
    age_s: float | None
    stale: str | None = Field(default=None, exclude_if=lambda value: value is None)


class Quotes(Result):
    """Last known prices."""

    bulk: ClassVar[str | None] = "quotes"

    quotes: list[QuoteRow]


@tool(effect=Effect.READ, market_only=True)
def get_quote(args: InstrumentsArgs, context: ToolContext) -> Quotes:
    """Last known price of each instrument, in the quote currency, when it was printed and how many seconds old it is.

    An order is filled later and at a slightly worse price than this one. "stale" says since when a live price has not
    been renewed: it is an old price then, not the market.
    """
    symbols = context.chosen(args.instruments)
    return Quotes(
        as_of=context.as_of,
        source=context.view.source,
        quotes=[_quote_row(context, symbol) for symbol in symbols],
        note=context.stale(symbols),
    )


def _quote_row(context: ToolContext, symbol: str) -> QuoteRow:
    stale = context.stale((symbol,))
    try:
        quote = context.view.quote(symbol)
    except Unavailable:
        return QuoteRow(instrument=symbol, price=None, printed_at=None, age_s=None, stale=stale)
    return QuoteRow(
        instrument=symbol, price=quote.price, printed_at=iso(quote.ts_ms), age_s=quote.age_ms / 1000, stale=stale
    )


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
        note=context.stale((symbol,)),
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
    symbols = context.chosen(args.instruments)
    table = {
        symbol: {
            name: None if value is None else significant(value)
            for name, value in indicators(context.view.bars(symbol, WINDOW), context.view.funding(symbol, 1)).items()
        }
        for symbol in symbols
    }
    return IndicatorTable(
        as_of=context.as_of,
        source=context.view.source,
        timeframe=duration_text(context.view.step_ms),
        indicators=table,
        note=context.stale(symbols),
    )


class FeaturesArgs(Args):
    """One instrument and which groups of features."""

    instrument: Annotated[Symbol, Field(description="Exact symbol, such as BTC-USDT-PERP.")]
    groups: Annotated[
        list[Group] | None, Field(max_length=len(Group), description="Which groups. Null means all of them.")
    ] = None


class FeatureGroups(Result):
    """Features of one instrument by name, group after group."""

    bulk: ClassVar[str | None] = "features"

    instrument: str
    timeframe: str
    features: dict[str, float | None]
    unknown: int


@tool(effect=Effect.READ, market_only=True)
def get_features(args: FeaturesArgs, context: ToolContext) -> FeatureGroups:
    """Named numbers about one instrument at its last closed candle, by group: price action, momentum, volatility,
    trend, volume, microstructure, sentiment, calendar, cross-asset, funding and open interest, chaos.

    Numbers in names are lengths in candles; returns, distances and ranges are fractions of the price. Chaos measures
    memory and disorder: hurst above 0.5 persists, below reverts; a high sample_entropy is hard to predict. Null means
    not known: too little history, or nothing recorded to compute it from. "unknown" counts the nulls. Ask for the
    groups that you need.
    """
    (symbol,) = context.chosen([args.instrument])
    found: dict[str, float | None] = {}
    for group in dict.fromkeys(args.groups or Group):
        found |= context.once(f"features|{symbol}|{group}", dict, partial(_group_features, context, symbol, group))
    return FeatureGroups(
        as_of=context.as_of,
        source=context.view.source,
        instrument=symbol,
        timeframe=duration_text(context.view.step_ms),
        features=found,
        unknown=sum(value is None for value in found.values()),
        note=context.stale((symbol,)),
    )


def _group_features(context: ToolContext, symbol: str, group: Group) -> dict[str, float | None]:
    wanted = tuple(feature for feature in FEATURES if feature.group is group)
    bars = history_bars(wanted)
    frame = context.once(f"frame|{symbol}|{bars}", FeatureFrame, lambda: frame_of(context.view, symbol, bars=bars))
    return {name: None if value is None else significant(value) for name, value in latest(frame, wanted).items()}


class Snapshots(Result):
    """The market snapshot of each instrument."""

    bulk: ClassVar[str | None] = "snapshots"

    snapshots: list[Snapshot]


@tool(effect=Effect.READ, market_only=True)
def get_market_snapshot(args: InstrumentsArgs, context: ToolContext) -> Snapshots:
    """Each instrument at a glance: price, average value traded a candle, RSI and MACD, stochastic, Williams %R,
    Bollinger position, trend with its strength, and price changes in percent.

    rsi, macd, stoch_k, williams_r and bb_position are over the candles of "timeframe"; rsi_5m over five minutes, and so
    on. trend_strength is ADX / 100, below 0.2 the trend is sideways. Null means not known: candles longer than that, or
    too few of them.
    """
    symbols = context.chosen(args.instruments)
    return Snapshots(
        as_of=context.as_of,
        source=context.view.source,
        snapshots=[
            context.once(f"snapshot|{symbol}", Snapshot, partial(_rounded, context, symbol)) for symbol in symbols
        ],
        note=context.stale(symbols),
    )


def _rounded(context: ToolContext, symbol: str) -> Snapshot:
    found = snapshot(context.view.bars(symbol, HISTORY_BARS), context.view.as_of_ms)
    numbers = {name: significant(value) for name, value in found if isinstance(value, float)}
    return found.model_copy(update=numbers)

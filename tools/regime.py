"""Tools that say how the market stands: its regime, what is out of the ordinary, and how instruments move together."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from tools.context import ToolContext
from tools.market import InstrumentsArgs, Symbols
from tools.numbers import significant
from tools.tool import Args, Effect, Result, Row, tool
from trading.domain import duration_text, iso
from trading.domain.errors import RequestError, Unavailable
from trading.features.alarm import recent_scan, watch_frame
from trading.features.anomalies import AnomalyScan
from trading.features.correlation import Breakdown, Returns, common_returns, correlation_breakdown, shrunk_correlation
from trading.features.frame import FeatureFrame
from trading.features.regimes import RegimeReading
from trading.features.regimes.series import latest_regime

_DIGITS = 4


class RegimeRow(Row):
    """The regime of one instrument; null where there is too little history."""

    instrument: str
    regime: str | None
    confidence: float | None
    probs: dict[str, float] | None
    methods: dict[str, str]


class Regimes(Result):
    """Regimes by instrument."""

    bulk: ClassVar[str | None] = "regimes"

    timeframe: str
    regimes: list[RegimeRow]


@tool(effect=Effect.READ, market_only=True)
def get_regime(args: InstrumentsArgs, context: ToolContext) -> Regimes:
    """What kind of market each instrument is in at its last closed candle: bull, bear, ranging or volatile.

    probs are the mean of four methods (a rule on trend and volatility, k-means, a Gaussian mixture, a hidden Markov
    model), fitted on past candles only; methods says what each calls it. confidence is how much they agree, 0 to 1:
    below 0.5 the label is a guess. A regime describes the last two days of hourly candles (48 candles); it forecasts
    nothing. Null means too little history.
    """
    symbols = context.chosen(args.instruments)
    rows = [_regime_row(symbol, _reading(context, symbol)) for symbol in symbols]
    return Regimes(
        as_of=context.as_of,
        source=context.view.source,
        timeframe=duration_text(context.view.step_ms),
        regimes=rows,
        note=context.stale(symbols),
    )


class AnomaliesArgs(Args):
    """Which instruments to look at, and how far back."""

    instruments: Symbols = None
    count: Annotated[int, Field(ge=1, le=200, description="How many of the newest closed candles to look at.")] = 6


class AnomalyRow(Row):
    """One anomaly."""

    instrument: str
    candle_opened_at: str
    severity: str
    kind: str
    what: str
    method: str
    score: float
    evidence: dict[str, float]


class Anomalies(Result):
    """What is out of the ordinary, oldest first; ``unknown`` have too little history to say."""

    bulk: ClassVar[str | None] = "anomalies"
    keep_last: ClassVar[bool] = True

    timeframe: str
    anomalies: list[AnomalyRow]
    unknown: list[str]


@tool(effect=Effect.READ, market_only=True)
def get_anomalies(args: AnomaliesArgs, context: ToolContext) -> Anomalies:
    """What was out of the ordinary in the newest closed candles: price, volume, spread, correlation, and data faults.

    kind tells a market move from a data fault (stuck price, zero volume, gap, decimal slip, bad tick, duplicated bar);
    unconfirmed is a price that neither volume nor the rest of the market speaks for. severity is info, warning or
    critical. score is in robust standard deviations for method "robust deviation", in the chart's units for cusum and
    ewma (they show small shifts that last), and the isolation score for the forest. An empty list means nothing stood
    out; instruments in unknown have too little history.
    """
    rows, unknown = [], []
    symbols = context.chosen(args.instruments)
    for symbol in symbols:
        found = _scan(context, symbol, args.count)
        if not len(found.open_ms) or np.isnan(found.scores["price"][-1]):
            unknown.append(symbol)
        rows += [
            AnomalyRow(
                instrument=symbol,
                candle_opened_at=iso(each.open_ms),
                severity=each.severity.label,
                kind=each.kind,
                what=each.what,
                method=each.method,
                score=significant(each.score, _DIGITS),
                evidence={name: significant(value, _DIGITS) for name, value in each.evidence.items()},
            )
            for each in found.anomalies
        ]
    rows.sort(key=lambda row: row.candle_opened_at)
    return Anomalies(
        as_of=context.as_of,
        source=context.view.source,
        timeframe=duration_text(context.view.step_ms),
        anomalies=rows,
        unknown=unknown,
        note=context.stale(symbols),
    )


class CorrelationArgs(Args):
    """Which instruments to relate, and over how many candles."""

    instruments: Symbols = None
    count: Annotated[int, Field(ge=30, le=500, description="How many of the newest returns to correlate.")] = 168


class BreakdownRow(Row):
    """Whether the newest third of the returns is correlated otherwise than the rest."""

    recent_returns: int
    mean_change: float
    p_value: float


class Correlations(Result):
    """Upper triangle of the correlation matrix, as ``"A|B"``."""

    bulk: ClassVar[str | None] = "correlations"

    timeframe: str
    returns: int
    shrinkage: float
    correlations: dict[str, float]
    breakdown: BreakdownRow | None


@tool(effect=Effect.READ, market_only=True)
def get_correlations(args: CorrelationArgs, context: ToolContext) -> Correlations:
    """Correlations of the one-candle returns of instruments, shrunk by Ledoit and Wolf, and whether they have changed.

    correlations holds each pair once, as "A|B". breakdown compares the newest third of the returns with the rest:
    mean_change is the mean correlation of late less before, p_value a permutation test that nothing changed (below
    0.01 they did; one in twenty is below 0.05 by chance). breakdown is null where there are too few returns for the
    number of instruments.
    """
    symbols = context.chosen(args.instruments)
    try:
        found = common_returns({symbol: context.view.bars(symbol, args.count + 1) for symbol in symbols})
        matrix, shrinkage = shrunk_correlation(found.values)
    except RequestError as error:
        raise Unavailable(str(error)) from None
    pairs = {
        f"{one}|{other}": significant(float(matrix[row, column]), _DIGITS)
        for row, one in enumerate(symbols)
        for column, other in enumerate(symbols)
        if column > row
    }
    return Correlations(
        as_of=context.as_of,
        source=context.view.source,
        timeframe=duration_text(context.view.step_ms),
        returns=len(found.values),
        shrinkage=significant(shrinkage, _DIGITS),
        correlations=pairs,
        breakdown=_breakdown(found),
        note=context.stale(symbols),
    )


def _frame(context: ToolContext, symbol: str) -> FeatureFrame:
    """The bars both tools look at, the same for every desk of the round."""
    return context.once(f"watch_frame|{symbol}", FeatureFrame, lambda: watch_frame(context.view, symbol))


def _reading(context: ToolContext, symbol: str) -> RegimeReading | None:
    def make() -> tuple[RegimeReading | None]:
        return (latest_regime(_frame(context, symbol)),)

    return context.once(f"regime|{symbol}", tuple, make)[0]  # type: ignore[no-any-return]  # a tuple of what make made


def _scan(context: ToolContext, symbol: str, count: int) -> AnomalyScan:
    return context.once(f"anomalies|{symbol}|{count}", AnomalyScan, lambda: recent_scan(_frame(context, symbol), count))


def _regime_row(symbol: str, found: RegimeReading | None) -> RegimeRow:
    if found is None:
        return RegimeRow(instrument=symbol, regime=None, confidence=None, probs=None, methods={})
    return RegimeRow(
        instrument=symbol,
        regime=found.regime,
        confidence=None if found.confidence is None else significant(found.confidence, _DIGITS),
        probs={name: significant(value, _DIGITS) for name, value in found.probs.items()},
        methods={method: max(probs, key=lambda name: probs[name]) for method, probs in found.methods.items()},
    )


def _breakdown(found: Returns) -> BreakdownRow | None:
    recent = len(found.values) // 3
    try:
        tested: Breakdown = correlation_breakdown(
            found.values[:-recent], found.values[-recent:], rng=np.random.default_rng(0), permutations=199
        )
    except RequestError:
        return None
    return BreakdownRow(
        recent_returns=recent,
        mean_change=significant(tested.change, _DIGITS),
        p_value=significant(tested.p_permuted, _DIGITS),
    )

"""The VaR of a season's own books, judged by what came: each desk's positions at each mark against the next move."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from arena.candles import look_back_in_season
from arena.measured import Measured, season_and_market
from arena.seasons.standings import tally_run
from arena.seasons.tally import Tally
from arena.settings import Settings
from evals.records import DeskRecord, MarketRecord
from trading.domain.errors import TradefloorError
from trading.domain.instants import iso
from trading.marketdata import Bars, FloatArray, IntArray
from trading.risk.measures import (
    Backtest,
    HorizonReturns,
    aligned_returns,
    backtest,
    books_var,
    horizon_returns,
    long_memory_variance,
)
from trading.stats import BoolArray

LEVEL = 0.99
WINDOW = 1000
_BURN_IN = 500
_FEWEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskBacktest:
    """How the VaR of a desk's books did: by the next price ``moves`` alone, and by the ``equity`` itself.

    Equity knows trades, fees and funding in between: the hypothetical and the actual result of the Basel Committee.
    ``exceeded_ms`` are the marks at which a price move went beyond it.
    """

    desk: str
    method: str
    moves: Backtest
    equity: Backtest
    exceeded_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonBacktest:
    """The back-tests of a run at 99 % over its steps of ``step_ms``; ``reason`` says why there are none."""

    step_ms: int
    begin_ms: int
    end_ms: int
    desks: tuple[DeskBacktest, ...]
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        """The document's part."""
        return {
            "level": LEVEL,
            "horizon_s": self.step_ms // 1000,
            "begin": iso(self.begin_ms),
            "end": iso(self.end_ms),
            "reason": self.reason,
            "desks": [
                {
                    "desk": one.desk,
                    "method": one.method,
                    "moves": backtest_row(one.moves, LEVEL),
                    "equity": backtest_row(one.equity, LEVEL),
                    "exceeded_at": [iso(at) for at in one.exceeded_ms],
                }
                for one in self.desks
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Results of an account at the ends of steps, ``ts_ms``, against the ``var`` that was stated before each.

    Arrays of shape (n,), fractions of equity; ``moves`` by the next prices alone, ``equity`` with trades and fees.
    """

    ts_ms: IntArray
    moves: FloatArray
    equity: FloatArray
    var: FloatArray


def backtest_row(one: Backtest, level: float) -> dict[str, Any]:
    """A back-test as JSON."""
    return {
        "level": level,
        "observations": one.observations,
        "exceedances": one.exceedances,
        "expected": one.expected,
        "kupiec_p": one.coverage.p_value,
        "independence_p": None if one.independence is None else one.independence.p_value,
        "conditional_p": None if one.conditional is None else one.conditional.p_value,
        "light": one.light.value,
        "passes": one.passes(),
        "verdict": one.verdict(),
    }


def season_backtest(measured: Measured, settings: Settings) -> SeasonBacktest | None:
    """The back-tests of a run up to the instant it is measured at; None for a positions file."""
    if measured.run is None:
        return None
    tally, _, _ = tally_run(measured.run)
    market = tally.market_record()
    try:
        bars = season_bars(measured, tally, settings)
    except TradefloorError as error:
        ends = (int(market.ts_ms[0]), int(market.ts_ms[-1])) if len(market.ts_ms) else (0, 0)
        return SeasonBacktest(step_ms=market.step_ms, begin_ms=ends[0], end_ms=ends[1], desks=(), reason=str(error))
    return judged_season(market, tally.desk_records({}), bars, until_ms=measured.seen.as_of_ms)


def season_bars(measured: Measured, tally: Tally, settings: Settings) -> list[Bars]:
    """The candles that a season's VaR is stated by, one series an instrument of the tally.

    Raises RequestError or DataError where they cannot be had.
    """
    assert measured.run is not None, "only a run has a season"
    market = tally.market_record()
    season, kind = season_and_market(measured.run)
    reach = WINDOW + _BURN_IN + len(market.ts_ms) + 1
    seen = look_back_in_season(
        season,
        kind,
        tally.symbols,
        settings,
        at_ms=measured.seen.as_of_ms,
        lookback_ms=reach * max(market.step_ms, measured.seen.step_ms),
    )
    return [seen.bars[symbol] for symbol in tally.symbols]


def judged_season(
    market: MarketRecord, desks: Sequence[DeskRecord], bars: Sequence[Bars], *, until_ms: int
) -> SeasonBacktest:
    """Back-tests of ``desks`` on ``bars``, one series an instrument in the order of the market's rows.

    The VaR at a mark knows the bars that had closed by then. Steps that do not follow each other at the market's usual
    distance are left out, and those of a desk that held nothing.
    """
    step_ms = market.step_ms
    begin_ms = int(market.ts_ms[0]) if len(market.ts_ms) else 0

    def none(reason: str) -> SeasonBacktest:
        return SeasonBacktest(step_ms=step_ms, begin_ms=begin_ms, end_ms=until_ms, desks=(), reason=reason)

    steps = _steps(market, bars, until_ms)
    if isinstance(steps, str):
        return none(steps)
    found = []
    for desk in desks:
        for method in ("historical", "filtered"):
            one = steps.results(desk.equity, desk.quantities, filtered=method == "filtered")
            if len(one.var) < _FEWEST:
                continue
            found.append(
                DeskBacktest(
                    desk=desk.name,
                    method=method,
                    moves=backtest(one.moves, one.var, LEVEL),
                    equity=backtest(one.equity, one.var, LEVEL),
                    exceeded_ms=tuple(one.ts_ms[-one.moves > one.var].tolist()),
                )
            )
    if not found:
        return none(f"no desk held anything for {_FEWEST} steps")
    end_ms = int(steps.at[-1])
    return SeasonBacktest(step_ms=step_ms, begin_ms=begin_ms, end_ms=end_ms, desks=tuple(found), reason=None)


def arena_trail(
    market: MarketRecord, desks: Sequence[DeskRecord], bars: Sequence[Bars], *, until_ms: int
) -> Results | str:
    """The results of all desks together against the filtered VaR of their books, or why there are none."""
    steps = _steps(market, bars, until_ms)
    if isinstance(steps, str):
        return steps
    equity = np.sum([desk.equity[: len(steps.at)] for desk in desks], axis=0)
    quantities = np.sum([desk.quantities[:, : len(steps.at)] for desk in desks], axis=0)
    found = steps.results(equity, quantities, filtered=True)
    return found if len(found.var) >= _FEWEST else f"all desks together held something for {len(found.var)} steps only"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """A season's market, ready to judge any account by."""

    at: IntArray
    closes: FloatArray
    past: FloatArray
    known: IntArray
    volatility: FloatArray
    follows: BoolArray

    def results(self, equity: FloatArray, quantities: FloatArray, *, filtered: bool) -> Results:
        """The results of an account with these marks; steps at which it held nothing are left out."""
        marks = len(self.at)
        before, after = equity[: marks - 1], equity[1:marks]
        alive = before > 0
        values = quantities[:, : marks - 1] * self.closes[:, :-1]
        books = np.nan_to_num(np.divide(values, before, out=np.zeros_like(values), where=alive)).T
        moves = np.nan_to_num(self.closes[:, 1:] / self.closes[:, :-1] - 1.0)
        var = books_var(
            books, self.past, self.known, level=LEVEL, window=WINDOW, volatility=self.volatility if filtered else None
        )
        used = self.follows & np.isfinite(var) & books.any(axis=1) & alive
        return Results(
            ts_ms=self.at[1:][used],
            moves=np.einsum("mk,km->m", books, moves)[used],
            equity=(after / np.where(alive, before, 1.0) - 1.0)[used],
            var=var[used],
        )


def _steps(market: MarketRecord, bars: Sequence[Bars], until_ms: int) -> _Steps | str:
    """The market up to ``until_ms``, or what is missing to state a VaR by."""
    marks = int(np.searchsorted(market.ts_ms, until_ms, side="right"))
    at, closes = market.ts_ms[:marks], market.closes[:, :marks]
    if marks < _FEWEST:
        return f"{marks} marks are too few, it needs {_FEWEST}"
    ends, past = _past(bars, market.step_ms, int(at[0]))
    known = np.searchsorted(ends, at[:-1], side="right")
    if len(past) <= WINDOW or int(known[-1]) < WINDOW:
        return f"{len(past)} steps of candles are too few to state a VaR by, it needs {WINDOW} before the season"
    priced: BoolArray = np.all(np.isfinite(closes), axis=0)
    return _Steps(
        at=at,
        closes=closes,
        past=past,
        known=known,
        volatility=np.sqrt(np.stack([long_memory_variance(column) for column in past.T], axis=1)),
        follows=(np.diff(at) == market.step_ms) & priced[1:] & priced[:-1],
    )


def _past(bars: Sequence[Bars], step_ms: int, first_mark_ms: int) -> tuple[IntArray, FloatArray]:
    """When each past step ended, in the marks' phase and without overlap, and its returns (n, instruments)."""
    bar_ms = bars[0].step_ms
    history = {series.instrument: horizon_returns(series, step_ms) for series in bars}
    apart = {}
    for symbol, one in history.items():
        phase = (one.start_ms + bar_ms - first_mark_ms) % step_ms == 0
        apart[symbol] = HorizonReturns(
            instrument=symbol, steps=one.steps, start_ms=one.start_ms[phase], returns=one.returns[phase]
        )
    starts, table = aligned_returns(list(apart), apart)
    return starts + bar_ms + step_ms, table

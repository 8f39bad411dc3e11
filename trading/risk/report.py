"""The risk report: every measure of one book of positions, on the bars that were known."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trading.domain.errors import Unavailable
from trading.marketdata import Bars, FloatArray, IntArray
from trading.risk.account_risk import mean_daily_volume
from trading.risk.measures import (
    Attribution,
    Backtest,
    Concentration,
    DrawdownRisk,
    HorizonReturns,
    MarginUse,
    Shrunk,
    TailRisk,
    aligned_returns,
    annual_volatility,
    attribute_var,
    backtest,
    beta,
    concentration,
    cornish_fisher_cvar,
    cornish_fisher_var,
    days_to_close,
    drawdown_risk,
    effective_bets,
    filtered_tail,
    historical_tail_risk,
    horizon_returns,
    long_memory_variance,
    margin_use,
    normal_cvar,
    normal_var,
    return_moments,
    returns_needed,
    returns_of_positions,
    rolling_filtered_var,
    rolling_historical_var,
    rolling_normal_var,
    shrunk_correlation,
)
from trading.risk.measures.historical import LEVELS
from trading.risk.simulation import (
    SHOCKS,
    GarchPaths,
    Replayed,
    Stressed,
    outcomes,
    replay_windows,
    stress,
    wealth_paths,
)
from trading.risk.simulation.gbm import shrunk_scale

_DAY_MS = 86_400_000
_BURN_IN = 200
_PATHS = 10_000
_MOST_DRAWS = 20_000_000
_FIT_BARS = 4000
_MIN_FIT_BARS = 250
BACKTEST_LEVEL = 0.99
_BACKTEST_WINDOW = 1000
_BACKTEST_REFRESH = 24
_DRAWDOWN_MS = 30 * _DAY_MS

Tail = Mapping[float, tuple[float, float]]
"""VaR and CVaR by level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What is held: ``weights`` are signed values over equity, ``quantities`` base units.

    ``maintenance`` is the margin fraction of each perpetual among them.
    """

    weights: Mapping[str, float]
    quantities: Mapping[str, float]
    maintenance: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The last bars of the filtered VaR's back-test: closing instants, returns of today's book and the VaR of each.

    Arrays of shape (n,), oldest first; ``var`` was forecast before its return.
    """

    ts_ms: IntArray
    returns: FloatArray
    var: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReport:
    """Measures of a book over a horizon. Arrays follow ``instruments``; what is not known is None or left out.

    ``tails`` are by method; ``attribution`` is of the parametric VaR at 99 %; ``backtests`` judge the VaR of the next
    bar by method, ``trail`` shows its last 30 days; ``beta`` is to ``benchmark``; ``drawdown`` is of the deepest fall
    in 30 days; ``stress`` are hypothetical shocks, ``windows`` stretches of the past. ``notes`` say what is missing
    and why.
    """

    instruments: tuple[str, ...]
    observations: int
    tails: Mapping[str, TailRisk]
    attribution: Attribution | None
    correlation: Shrunk | None
    volatility: float | None
    benchmark: str | None
    beta: float | None
    drawdown: DrawdownRisk | None
    concentration: Concentration
    effective_bets: float | None
    margin: MarginUse
    days_to_close: Mapping[str, float | None]
    stress: tuple[Stressed, ...]
    windows: tuple[Replayed, ...]
    backtests: Mapping[str, Backtest]
    trail: Trail | None
    notes: tuple[str, ...]


def risk_report(
    book: Book,
    bars: Mapping[str, Bars],
    *,
    horizon_ms: int,
    rng: np.random.Generator,
    benchmark: str | None = None,
    past: Mapping[str, Bars] | None = None,
) -> RiskReport:
    """Every measure of ``book`` on ``bars``, one series for each instrument held and for ``benchmark``.

    Historical and parametric figures stand on overlapping returns over the horizon of the positions as they are now;
    filtered ones scale these to the volatility now; Monte Carlo draws GARCH paths. ``past`` are longer series to look
    for bad stretches in, ``bars`` themselves without any. Raises Unavailable for a held
    instrument without bars, and BadArguments where the horizon is no whole number of bars.
    """
    held = tuple(symbol for symbol, weight in book.weights.items() if weight)
    missing = [symbol for symbol in held if symbol not in bars]
    if missing:
        raise Unavailable(f"no candles of {', '.join(missing)}")
    weights = {symbol: book.weights[symbol] for symbol in held}
    shape = concentration(weights)
    margin = margin_use(weights, {symbol: book.maintenance[symbol] for symbol in held if symbol in book.maintenance})
    if not held:
        return _flat(shape, margin)
    over_horizon = {symbol: horizon_returns(bars[symbol], horizon_ms) for symbol in held}
    over_bar = {symbol: horizon_returns(bars[symbol], bars[symbol].step_ms) for symbol in held}
    steps = next(iter(over_horizon.values())).steps
    step_ms = bars[held[0]].step_ms
    starts, table = aligned_returns(held, over_bar)
    series, notes = returns_of_positions(weights, over_bar), []
    tails = {"historical": historical_tail_risk(weights, over_horizon)}
    horizon_starts, horizon_table = aligned_returns(held, over_horizon)
    whole = returns_of_positions(weights, over_horizon)
    enough = {level: len(whole) >= returns_needed(level, steps) for level in LEVELS}
    moments = return_moments(whole) if any(enough.values()) else None
    attribution = None
    if moments is not None:
        tails |= _moment_tails(whole, enough)
        tails["filtered"] = _filtered(whole, horizon_starts, series, starts, enough)
        covariance = np.atleast_2d(np.cov(horizon_table.T))
        held_weights = np.array(list(weights.values()))
        attribution = attribute_var(held_weights, horizon_table.mean(axis=0), covariance, BACKTEST_LEVEL)
    else:
        unknown = _unknown(f"{len(whole)} past returns over the horizon are too few")
        tails |= dict.fromkeys(("parametric", "cornish_fisher", "filtered"), unknown)
    tails["monte_carlo"] = _monte_carlo(np.array(list(weights.values())), table, steps, rng)
    for method, tail in tails.items():
        notes += [f"{method}: {reason}" for reason in tail.reasons]
    daily = {symbol: mean_daily_volume(bars[symbol]) for symbol in held}
    window = min(_DRAWDOWN_MS // step_ms, len(series))
    backtests, var = _backtests(series)
    if not backtests:
        notes.append(f"backtest: {len(series)} bars are too few to judge a VaR by, it needs {2 * _BACKTEST_WINDOW}")
    return RiskReport(
        instruments=held,
        observations=len(whole),
        tails=tails,
        attribution=attribution,
        correlation=shrunk_correlation(table) if len(table) > 1 else None,
        volatility=annual_volatility(series, step_ms) if len(series) > 1 else None,
        benchmark=benchmark,
        beta=_beta(weights, over_bar, bars.get(benchmark) if benchmark else None),
        drawdown=drawdown_risk(series, window, rng=rng) if len(series) > 1 else None,
        concentration=shape,
        effective_bets=_bets(np.array(list(weights.values())), table),
        margin=margin,
        days_to_close={symbol: days_to_close(book.quantities[symbol], daily[symbol]) for symbol in held},
        stress=_stress(book, weights, table, step_ms, daily),
        windows=replay_windows(weights, past or bars, book.maintenance, length_ms=horizon_ms),
        backtests=backtests,
        trail=_trail(starts + step_ms, series, var, window),
        notes=tuple(notes),
    )


def _flat(shape: Concentration, margin: MarginUse) -> RiskReport:
    nothing = TailRisk(var=dict.fromkeys(LEVELS, 0.0), cvar=dict.fromkeys(LEVELS, 0.0))
    methods = ("historical", "parametric", "cornish_fisher", "filtered", "monte_carlo")
    return RiskReport(
        instruments=(),
        observations=0,
        tails=dict.fromkeys(methods, nothing),
        attribution=None,
        correlation=None,
        volatility=0.0,
        benchmark=None,
        beta=None,
        drawdown=None,
        concentration=shape,
        effective_bets=None,
        margin=margin,
        days_to_close={},
        stress=(),
        windows=(),
        backtests={},
        trail=None,
        notes=("nothing is held, so nothing can be lost",),
    )


def _unknown(reason: str) -> TailRisk:
    return TailRisk(var=dict.fromkeys(LEVELS), cvar=dict.fromkeys(LEVELS), reasons=(f"not known, {reason}",))


def _moment_tails(whole: FloatArray, enough: Mapping[float, bool]) -> dict[str, TailRisk]:
    moments = return_moments(whole)
    known = [level for level in LEVELS if enough[level]]
    normal = {
        level: (
            normal_var(moments.mean, moments.deviation, level),
            normal_cvar(moments.mean, moments.deviation, level),
        )
        for level in known
    }
    corrected = {level: (cornish_fisher_var(moments, level), cornish_fisher_cvar(moments, level)) for level in known}
    beyond = () if corrected[known[0]][0] is not None else ("skew and tails are beyond what the expansion describes",)
    return {
        "parametric": _tail(normal),
        "cornish_fisher": TailRisk(
            var={level: corrected.get(level, (None, None))[0] for level in LEVELS},
            cvar={level: corrected.get(level, (None, None))[1] for level in LEVELS},
            reasons=beyond,
        ),
    }


def _filtered(
    whole: FloatArray, whole_starts: IntArray, series: FloatArray, starts: IntArray, enough: Mapping[float, bool]
) -> TailRisk:
    """Returns over the horizon, each in units of what was expected of the bar it starts with."""
    volatility = np.sqrt(long_memory_variance(series))
    at = np.searchsorted(starts, whole_starts)
    found = (at < len(starts)) & (at >= min(_BURN_IN, len(starts) // 2))
    found[found] = starts[at[found]] == whole_starts[found]
    if not (volatility[at[found]] > 0).any():
        return _unknown("nothing held ever moved")
    expected = volatility[at[found]]
    tail = {
        level: filtered_tail(whole[found], expected, float(volatility[-1]), level) for level in LEVELS if enough[level]
    }
    return _tail(tail)


def _monte_carlo(weights: FloatArray, table: FloatArray, steps: int, rng: np.random.Generator) -> TailRisk:
    recent = np.log1p(table[-_FIT_BARS:])
    moving = recent.std(axis=0) > 0
    if len(recent) < _MIN_FIT_BARS or not moving.any():
        return _unknown(f"{len(recent)} bars are too few to fit paths to, it needs {_MIN_FIT_BARS} that move")
    paths = min(_PATHS, max(1000, _MOST_DRAWS // (steps * int(moving.sum()))))
    draws = GarchPaths.fit(recent[:, moving]).draw(paths=paths, steps=steps, rng=rng)
    found = outcomes(wealth_paths(weights[moving], draws))
    return TailRisk(var=found.var, cvar=found.cvar)


def _tail(known: Tail) -> TailRisk:
    return TailRisk(
        var={level: known[level][0] if level in known else None for level in LEVELS},
        cvar={level: known[level][1] if level in known else None for level in LEVELS},
    )


def _backtests(series: FloatArray) -> tuple[dict[str, Backtest], FloatArray]:
    """How the 99 % VaR of the next bar would have done on the newer part of the series, and the filtered VaR itself."""
    window = _BACKTEST_WINDOW
    if len(series) < 2 * window or not series[:window].any():
        return {}, np.empty(0)
    volatility = np.sqrt(long_memory_variance(series))
    if not (volatility > 0).all():
        return {}, np.empty(0)
    first, level, refresh = window, BACKTEST_LEVEL, _BACKTEST_REFRESH
    forecasts = {
        "historical": rolling_historical_var(series, level=level, first=first, window=window, refresh=refresh),
        "parametric": rolling_normal_var(series, level=level, first=first, window=window, refresh=refresh),
        "filtered": rolling_filtered_var(series, volatility, level=level, first=first, window=window, refresh=refresh),
    }
    return {method: backtest(series[first:], var, level) for method, var in forecasts.items()}, forecasts["filtered"]


def _trail(ends: IntArray, series: FloatArray, var: FloatArray, window: int) -> Trail | None:
    count = min(window, len(var))
    return Trail(ts_ms=ends[-count:], returns=series[-count:], var=var[-count:]) if count else None


def _beta(weights: Mapping[str, float], history: Mapping[str, HorizonReturns], benchmark: Bars | None) -> float | None:
    if benchmark is None:
        return None
    market = horizon_returns(benchmark, benchmark.step_ms)
    _, table = aligned_returns(["", *weights], {"": market, **history})
    return beta(table[:, 1:] @ np.array(list(weights.values())), table[:, 0]) if len(table) > 1 else None


def _bets(weights: FloatArray, table: FloatArray) -> float | None:
    return effective_bets(weights, shrunk_scale(table)) if len(table) > 1 else None


def _stress(
    book: Book, weights: Mapping[str, float], table: FloatArray, step_ms: int, daily: Mapping[str, float]
) -> tuple[Stressed, ...]:
    if len(table) < 2:
        return ()
    covariance = np.atleast_2d(np.cov(table.T)) * (_DAY_MS / step_ms)
    volume = {
        symbol: daily[symbol] * abs(weight / book.quantities[symbol])
        for symbol, weight in weights.items()
        if book.quantities[symbol] and math.isfinite(daily[symbol])
    }
    return tuple(
        stress(shock, weights, covariance, daily_volume=volume, maintenance=book.maintenance) for shock in SHOCKS
    )

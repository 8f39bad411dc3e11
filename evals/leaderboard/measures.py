"""What one desk's seasons amount to: every column of the leaderboard but its rank."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from evals.leaderboard.entry import Entry, Interval, SuiteMeasures
from evals.leaderboard.season import DAY_MS, PlayedSeason
from evals.records import DeskRecord
from evals.scorers import ForecastSample, score_forecasts
from trading.stats import (
    FloatArray,
    annualised,
    calibration_error,
    deflated_sharpe,
    holdings,
    luck_percentile,
    max_drawdown,
    moments,
    percentile_interval,
    periods_per_year,
    probabilistic_sharpe,
    sharpe_of_sums,
    sharpe_ratio,
    stationary_indices,
    wilson_interval,
)

Played = Sequence[tuple[PlayedSeason, DeskRecord]]

_NORMAL = NormalDist()
_ECE_RESAMPLES = 300


def entry_of(
    name: str,
    mine: Played,
    *,
    rank: int | None,
    tied_with: tuple[str, ...],
    unranked: str | None,
    draws: tuple[FloatArray, FloatArray] | None,
    unit_ms: int,
    trials: int,
    suites: SuiteMeasures,
    rng: np.random.Generator,
    matching: np.random.Generator,
) -> Entry:
    """The line of a desk. ``draws`` are joint resamples of its growth and of the squares, None where it is unranked."""
    markets = _by_market(mine)
    growth = np.concatenate([np.mean([one.growth(desk, unit_ms) for one, desk in group], axis=0) for group in markets])
    market = np.concatenate([group[0][0].market_growth(unit_ms) for group in markets])
    sample = _pooled([desk.forecasts for _, desk in mine])
    forecasts = score_forecasts(sample)
    days = sum(played.days for played, _ in mine)
    decisions = sum(desk.decisions for _, desk in mine)
    abstained = sum(desk.abstained for _, desk in mine)
    returns = np.expm1(growth)
    latest = mine[-1][1]
    sharpe, probable, deflated = _sharpe(returns, trials)
    yearly = periods_per_year(unit_ms)
    calls = sum(desk.llm_calls for _, desk in mine)
    return Entry(
        desk=name,
        kind=latest.kind,
        models=dict(latest.models),
        rank=rank,
        tied_with=tied_with,
        unranked=unranked,
        return_=float(np.expm1(growth.sum())),
        return_ci95=_grown(draws),
        sharpe=None if sharpe is None else annualised(sharpe, periods_per_year=yearly),
        sharpe_ci95=_sharpe_interval(draws, growth.size, yearly) if sharpe is not None else None,
        probabilistic_sharpe=probable,
        deflated_sharpe=deflated,
        luck_percentile=_luck(mine, matching),
        max_drawdown=max((drop for _, desk in mine if (drop := max_drawdown(desk.equity)) is not None), default=None),
        cvar95=_cvar(_daily(mine)),
        turnover_per_day=sum(desk.turnover for _, desk in mine) / days if days else None,
        gross_exposure=_exposure(mine),
        beta=_beta(growth, market),
        fees_bps_of_capital=_fees(mine),
        brier_skill=forecasts.brier_skill,
        ece=forecasts.calibration_error,
        ece_ci95=_ece_interval(sample, rng) if forecasts.calibration_error is not None else None,
        coverage90=forecasts.coverage90,
        forecasts=forecasts.closed,
        abstain_rate=abstained / decisions if decisions else None,
        abstain_ci95=wilson_interval(abstained, decisions),
        failover_rate=sum(desk.failovers for _, desk in mine) / calls if calls else None,
        usd_per_decision=_usd(mine, decisions),
        latency_ms_p50=_median(mine),
        decisions=decisions,
        seasons=len(mine),
        days=sum(group[0][0].days for group in markets),
        runs=tuple(played.run_id for played, _ in mine),
        suites=suites,
    )


def _by_market(mine: Played) -> list[list[tuple[PlayedSeason, DeskRecord]]]:
    """The seasons of a desk, those on one market together."""
    found: dict[str, list[tuple[PlayedSeason, DeskRecord]]] = {}
    for played, desk in mine:
        found.setdefault(played.market_id, []).append((played, desk))
    return list(found.values())


def _sharpe(returns: FloatArray, trials: int) -> tuple[float | None, float | None, float | None]:
    """Per-unit Sharpe ratio, the probability that it is above 0, and above the best of ``trials`` without skill.

    The variance across trials is the one under the null, 1 / T: the one measured across them would swallow an edge.
    """
    sharpe = sharpe_ratio(returns)
    if sharpe is None:
        return None, None, None
    skewness, kurtosis = moments(returns)
    probable = probabilistic_sharpe(sharpe, observations=returns.size, skewness=skewness, kurtosis=kurtosis)
    deflated = deflated_sharpe(
        sharpe,
        observations=returns.size,
        skewness=skewness,
        kurtosis=kurtosis,
        trials=trials,
        variance=1.0 / returns.size,
    )
    return sharpe, probable, deflated


def _grown(draws: tuple[FloatArray, FloatArray] | None) -> Interval | None:
    bounds = None if draws is None else percentile_interval(draws[0])
    return None if bounds is None else (float(np.expm1(bounds[0])), float(np.expm1(bounds[1])))


def _sharpe_interval(draws: tuple[FloatArray, FloatArray] | None, units: int, yearly: float) -> Interval | None:
    bounds = None if draws is None else percentile_interval(sharpe_of_sums(draws[0], draws[1], units))
    if bounds is None:
        return None
    return annualised(bounds[0], periods_per_year=yearly), annualised(bounds[1], periods_per_year=yearly)


def _luck(mine: Played, rng: np.random.Generator) -> float | None:
    """The desk's place among matched random traders, pooled over markets by Stouffer's method, weighted by length."""
    score = weight = 0.0
    for group in _by_market(mine):
        scores = []
        for (played, desk), stream in zip(group, rng.spawn(len(group)), strict=True):
            held = holdings(desk.quantities, played.market.closes, desk.equity)
            place = luck_percentile(held, played.market.closes, allows_short=played.market.allows_short, rng=stream)
            if place is not None:
                scores.append(_NORMAL.inv_cdf(place))
        if scores:
            days = group[0][0].days
            score += float(np.mean(scores)) * days**0.5
            weight += days
    return _NORMAL.cdf(score / weight**0.5) if weight else None


def _daily(mine: Played) -> FloatArray:
    growth: FloatArray = np.concatenate([played.growth(desk, DAY_MS) for played, desk in mine])
    return np.asarray(np.expm1(growth))


def _cvar(daily: FloatArray) -> float | None:
    """Mean loss of the worst twentieth of days, None below 20 days."""
    if daily.size < 20 or not np.isfinite(daily).all():
        return None
    worst = np.sort(daily)[: max(1, round(0.05 * daily.size))]
    return float(max(0.0, -worst.mean()))


def _exposure(mine: Played) -> float | None:
    lengths = [max(1, desk.equity.size - 1) for _, desk in mine]
    gross = [
        holdings(desk.quantities, played.market.closes, desk.equity).gross_exposure * length
        for (played, desk), length in zip(mine, lengths, strict=True)
    ]
    total = float(np.sum(gross)) / sum(lengths)
    return total if np.isfinite(total) else None


def _beta(growth: FloatArray, market: FloatArray) -> float | None:
    """Slope of the desk's growth on the market's, None for fewer than 20 units or a market that does not move."""
    if growth.size < 20 or not np.isfinite(growth).all() or float(market.var()) <= 0:
        return None
    return float(np.cov(growth, market, ddof=1)[0, 1] / market.var(ddof=1))


def _fees(mine: Played) -> float | None:
    capital = sum(desk.equity_start for _, desk in mine)
    return float(sum(desk.fees for _, desk in mine) / capital) * 10_000 if capital else None


def _usd(mine: Played, decisions: int) -> float | None:
    spent = [desk.usd for _, desk in mine]
    if not decisions or any(one is None for one in spent):
        return None
    return sum(one for one in spent if one is not None) / decisions


def _median(mine: Played) -> float | None:
    latencies = np.concatenate([desk.latencies_ms for _, desk in mine])
    return float(np.median(latencies)) if latencies.size else None


def _pooled(samples: Sequence[ForecastSample]) -> ForecastSample:
    def together(field: str) -> FloatArray:
        return np.concatenate([getattr(sample, field) for sample in samples])

    return ForecastSample(
        ts_ms=together("ts_ms").astype(np.int64),
        horizon_ms=together("horizon_ms").astype(np.int64),
        p_up=together("p_up"),
        q05=together("q05"),
        q50=together("q50"),
        q95=together("q95"),
        outcome_return=together("outcome_return"),
    )


def _ece_interval(sample: ForecastSample, rng: np.random.Generator) -> Interval | None:
    """Stationary bootstrap over the forecasts in order of time, in blocks as long as a day's forecasts."""
    closed = np.isfinite(sample.outcome_return)
    p_up, up = sample.p_up[closed], (sample.outcome_return[closed] > 0).astype(np.float64)
    span = max(1, int(np.ptp(sample.ts_ms[closed])) // DAY_MS)
    draws = np.empty(_ECE_RESAMPLES)
    for at in range(_ECE_RESAMPLES):
        drawn = stationary_indices(p_up.size, 1, block_length=max(1.0, p_up.size / span), rng=rng)[0]
        draws[at] = calibration_error(p_up[drawn], up[drawn]) or 0.0
    return percentile_interval(draws)

"""From records to standings. Pure: the same records and the same generator give the same standings."""

from collections.abc import Sequence

import numpy as np

from arena.seasons.standing import Interval, Standing
from evals.records import DeskRecord, MarketRecord
from evals.scorers import score_forecasts
from trading.stats import (
    FloatArray,
    Place,
    annualised,
    holdings,
    log_growth,
    luck_percentile,
    max_drawdown,
    optimal_block_length,
    percentile_interval,
    periods_per_year,
    places,
    resampled_sums,
    resamples_needed,
    sharpe_of_sums,
    sharpe_ratio,
    simple_returns,
    why_unscored,
)


def score_season(records: Sequence[DeskRecord], market: MarketRecord, *, rng: np.random.Generator) -> list[Standing]:
    """The standing of each desk, best rank first, then by return, then by name.

    Desks are ranked by their growth over the season, tested pair by pair on resamples of the same instants. Below 20
    returns nothing can be told apart: all share rank 1 and have no intervals. Raises ValueError for records that are
    not as of the market's marks or share a name.
    """
    return score_pairwise(records, market, rng=rng)[0]


def score_pairwise(
    records: Sequence[DeskRecord], market: MarketRecord, *, rng: np.random.Generator
) -> tuple[list[Standing], FloatArray]:
    """The standings, and the joint draws of growth behind them: (resamples, desks), in the order of ``records``.

    The draws are NaN where the season is too short or a desk's equity is not known. Raises ValueError likewise.
    """
    _check(records, market)
    if not records:
        return [], np.empty((0, 0))
    drawing, matching = rng.spawn(2)
    returns = np.stack([simple_returns(record.equity) for record in records])
    growth, ratios = _draws(returns, drawing)
    names = [record.name for record in records]
    standings = [
        _standing(
            record,
            market,
            returns[row],
            place=place,
            tied_with=tuple(names[other] for other in place.tied_with),
            return_ci95=_grown(percentile_interval(growth[:, row])),
            sharpe_ci95=percentile_interval(ratios[:, row]),
            luck=luck_percentile(
                holdings(record.quantities, market.closes, record.equity),
                market.closes,
                allows_short=market.allows_short,
                rng=stream,
            ),
        )
        for row, (record, place, stream) in enumerate(
            zip(records, places(log_growth(returns).sum(axis=1), growth), matching.spawn(len(records)), strict=True)
        )
    ]
    return sorted(standings, key=lambda standing: (standing.rank, -standing.total_return, standing.desk)), growth


def _draws(returns: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Log growth and per-period Sharpe ratio of each desk on joint resamples, both (resamples, desks).

    All NaN where the season is too short; NaN for a desk whose equity is not known at some mark.
    """
    desks = len(returns)
    resamples = resamples_needed(desks)
    growth = log_growth(returns)
    known = [row for row in growth if why_unscored(row, may_be_flat=True) is None]
    if not known:
        nothing = np.full((resamples, desks), np.nan)
        return nothing, nothing
    block_length = max(optimal_block_length(row) for row in known)
    rows = np.vstack([growth, returns, returns**2])
    sums = resampled_sums(rows, resamples=resamples, block_length=block_length, rng=rng)
    grown, earned, squares = np.split(sums, 3, axis=1)
    return grown, sharpe_of_sums(earned, squares, returns.shape[1])


def _grown(bounds: Interval | None) -> Interval | None:
    """An interval of log growth as one of returns."""
    return None if bounds is None else (float(np.expm1(bounds[0])), float(np.expm1(bounds[1])))


def _annual(bounds: Interval | None, yearly: float) -> Interval | None:
    if bounds is None:
        return None
    return annualised(bounds[0], periods_per_year=yearly), annualised(bounds[1], periods_per_year=yearly)


def _standing(
    record: DeskRecord,
    market: MarketRecord,
    returns: FloatArray,
    *,
    place: Place,
    tied_with: tuple[str, ...],
    return_ci95: Interval | None,
    sharpe_ci95: Interval | None,
    luck: float | None,
) -> Standing:
    yearly = periods_per_year(market.step_ms)
    sharpe = sharpe_ratio(returns)
    scored = sharpe is not None
    forecasts = score_forecasts(record.forecasts)
    latencies = record.latencies_ms
    return Standing(
        desk=record.name,
        kind=record.kind,
        models=tuple(record.models.items()),
        status=record.status,
        equity_start=record.equity_start,
        equity_end=record.equity_end,
        total_return=float((record.equity_end - record.equity_start) / record.equity_start),
        return_ci95=return_ci95 if scored else None,
        sharpe=annualised(sharpe, periods_per_year=yearly) if sharpe is not None else None,
        sharpe_ci95=_annual(sharpe_ci95, yearly) if scored else None,
        max_drawdown=max_drawdown(record.equity),
        fees=record.fees,
        funding=record.funding,
        turnover=record.turnover,
        decisions=record.decisions,
        acted=record.acted,
        held=record.held,
        abstained=record.abstained,
        failovers=record.failovers,
        refused_intents=record.refused_intents,
        orders=record.orders,
        fills=record.fills,
        forecasts=forecasts.issued,
        brier=forecasts.brier,
        brier_skill=forecasts.brier_skill,
        llm_calls=record.llm_calls,
        tokens_in=record.tokens_in,
        tokens_out=record.tokens_out,
        usd=record.usd,
        usd_at_least=record.usd_at_least,
        latency_ms_p50=float(np.percentile(latencies, 50)) if latencies.size else None,
        latency_ms_p95=float(np.percentile(latencies, 95)) if latencies.size else None,
        luck_percentile=luck,
        rank=place.rank,
        rank_last=place.last,
        tied_with=tied_with,
        unscored=_unscored(record, returns, rated=sharpe_ci95 is not None, luck=luck, closed=forecasts.closed),
    )


def _unscored(
    record: DeskRecord, returns: FloatArray, *, rated: bool, luck: float | None, closed: int
) -> tuple[tuple[str, str], ...]:
    """Why each score that is missing is missing."""
    reasons = {
        "return_ci95": why_unscored(returns),
        "sharpe": why_unscored(returns),
        "sharpe_ci95": why_unscored(returns) or (None if rated else "the account moved at too few marks"),
        "brier_skill": why_unscored(np.ones(closed), may_be_flat=True),
        "luck_percentile": _why_no_luck(record, returns) if luck is None else None,
    }
    return tuple((field, reason) for field, reason in reasons.items() if reason is not None)


def _why_no_luck(record: DeskRecord, returns: FloatArray) -> str:
    if not record.quantities.any():
        return "no position was ever held"
    return why_unscored(returns, may_be_flat=True) or "an exposure is not known"


def _check(records: Sequence[DeskRecord], market: MarketRecord) -> None:
    names = [record.name for record in records]
    if len(set(names)) != len(names):
        raise ValueError(f"desks must have different names, found {names}")
    for record in records:
        if record.equity.shape != market.ts_ms.shape or record.quantities.shape != market.closes.shape:
            raise ValueError(
                f"desk {record.name!r} has equity {record.equity.shape} and quantities {record.quantities.shape}, "
                f"expected one for each of the market's {market.ts_ms.size} marks"
            )

"""What the standings of a season cost."""

import time
from decimal import Decimal

import numpy as np

from arena.seasons.scoring import score_season
from bench.figure import Figure
from evals.records import DeskRecord, MarketRecord
from evals.scorers import ForecastSample

HOUR_MS = 3_600_000


def measure() -> list[Figure]:
    """Eight desks over 409 hourly marks: intervals, pairwise ranks, 1,000 matched random traders each."""
    rng = np.random.default_rng(7)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.005, (3, 409)), axis=1))
    ts_ms = np.arange(409, dtype=np.int64) * HOUR_MS
    market = MarketRecord(ts_ms=ts_ms, closes=closes, step_ms=HOUR_MS, allows_short=np.ones(3, dtype=np.bool_))
    records = [record(f"desk-{number}", rng, ts_ms) for number in range(8)]
    started = time.process_time()
    score_season(records, market, rng=np.random.default_rng(7))
    spent = time.process_time() - started
    return [Figure(name="standings of 8 desks over 408 rounds", value=spent, unit="s CPU")]


def record(name: str, rng: np.random.Generator, ts_ms: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> DeskRecord:
    """A desk of a made-up season, with a random account and positions at the marks."""
    equity = 10_000 * np.exp(np.cumsum(rng.normal(0, 0.004, ts_ms.size)))
    nothing = np.empty(0)
    whole = np.empty(0, dtype=np.int64)
    return DeskRecord(
        name=name,
        kind="rule-based",
        models={},
        status="active",
        equity=equity,
        quantities=np.repeat(rng.normal(0, 30, (3, ts_ms.size // 8 + 1)), 8, axis=1)[:, : ts_ms.size],
        equity_start=Decimal(10_000),
        equity_end=Decimal(10_000),
        fees=Decimal(0),
        funding=Decimal(0),
        turnover=1.0,
        decisions=0,
        acted=0,
        held=0,
        abstained=0,
        failovers=0,
        refused_intents=0,
        orders=0,
        fills=0,
        llm_calls=0,
        tokens_in=0,
        tokens_out=0,
        usd=0.0,
        usd_at_least=0.0,
        latencies_ms=nothing,
        forecasts=ForecastSample(
            ts_ms=whole,
            horizon_ms=whole,
            p_up=nothing,
            q05=nothing,
            q50=nothing,
            q95=nothing,
            outcome_return=nothing,
        ),
    )

"""A season's own back-test: right on noise, blind to the future, and what it says where nothing can be judged."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from arena.risk.season import SeasonBacktest, judged_season
from evals.records import DeskRecord, MarketRecord
from evals.scorers import ForecastSample
from trading.marketdata import Bars

HOUR_MS = 3_600_000
MARKS, BEFORE = 1200, 1600
NAMES = ("A-USDT-PERP", "B-USDT-PERP")


def walks(seed: int, late: float = 1.0) -> np.ndarray:
    deviation = np.where(np.arange(BEFORE + MARKS) < BEFORE, 0.01, 0.01 * late)
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 1, (2, BEFORE + MARKS)) * deviation, axis=1))


def bars_of(close: np.ndarray) -> list[Bars]:
    opened = np.arange(close.shape[1], dtype=np.int64) * HOUR_MS
    return [
        Bars(
            instrument=name,
            step_ms=HOUR_MS,
            open_ms=opened,
            open=row,
            high=row,
            low=row,
            close=row,
            volume=np.ones(len(row)),
        )
        for name, row in zip(NAMES, close, strict=True)
    ]


def market_of(close: np.ndarray) -> MarketRecord:
    # The mark at the close of a bar.
    marks = (BEFORE + 1 + np.arange(MARKS, dtype=np.int64)) * HOUR_MS
    return MarketRecord(ts_ms=marks, closes=close[:, BEFORE:], step_ms=HOUR_MS, allows_short=np.ones(2, dtype=np.bool_))


def desk_of(close: np.ndarray, units: tuple[float, float]) -> DeskRecord:
    held = close[:, BEFORE:]
    quantities = np.tile(np.array(units)[:, None], MARKS)
    equity = 10_000 + np.array(units) @ (held - held[:, :1])
    empty, none = np.empty(0), np.empty(0, dtype=np.int64)
    return DeskRecord(
        name="desk", kind="rule", models={}, status="active", equity=equity, quantities=quantities,
        equity_start=Decimal(10_000), equity_end=Decimal(10_000), fees=Decimal(0), funding=Decimal(0), turnover=0.0,
        decisions=0, acted=0, held=0, abstained=0, failovers=0, refused_intents=0, orders=0, fills=0, llm_calls=0,
        tokens_in=None, tokens_out=None, usd=None, usd_at_least=0.0, latencies_ms=empty,
        forecasts=ForecastSample(
            ts_ms=none, horizon_ms=none, p_up=empty, q05=empty, q50=empty, q95=empty, outcome_return=empty
        ),
    )  # fmt: skip


def judged(close: np.ndarray, units: tuple[float, float] = (40.0, -15.0), until: int | None = None) -> SeasonBacktest:
    market = market_of(close)
    end = int(market.ts_ms[-1]) if until is None else until
    return judged_season(market, [desk_of(close, units)], bars_of(close), until_ms=end)


def test_on_noise_losses_beyond_the_var_are_as_rare_as_promised() -> None:
    found = judged(walks(1))
    assert found.reason is None
    assert [one.method for one in found.desks] == ["historical", "filtered"]
    for one in found.desks:
        assert one.moves.observations == MARKS - 1
        assert one.moves.coverage.p_value > 0.01
        # Without trades and fees the equity moves as its positions do.
        assert one.equity.exceedances == one.moves.exceedances == len(one.exceeded_ms)


def test_a_market_that_turns_wild_breaks_the_plain_var_and_not_the_filtered() -> None:
    plain, filtered = judged(walks(2, late=3.0)).desks
    assert not plain.moves.passes()
    assert plain.moves.exceedances > 3 * plain.moves.expected
    assert filtered.moves.exceedances < 2.5 * filtered.moves.expected


def test_what_comes_later_makes_no_difference() -> None:
    close = walks(3)
    cut = BEFORE + 600
    changed = close.copy()
    changed[:, cut + 1 :] *= 0.5
    until = (cut + 1) * HOUR_MS
    assert judged(close, until=until).to_json() == judged(changed, until=until).to_json()


def test_an_exceedance_is_named_by_its_mark() -> None:
    close = walks(4)
    fallen = BEFORE + 777
    close[0, fallen:] *= 0.5
    found = judged(close, (40.0, 0.0))
    at = (fallen + 1) * HOUR_MS
    assert all(at in one.exceeded_ms for one in found.desks)


@pytest.mark.parametrize(("units", "until", "words"), [((0.0, 0.0), None, "held"), ((1.0, 1.0), 5, "too few")])
def test_where_nothing_can_be_judged_it_says_why(units: tuple[float, float], until: int | None, words: str) -> None:
    end = None if until is None else (BEFORE + until) * HOUR_MS
    found = judged(walks(5), units, end)
    assert found.desks == ()
    assert words in (found.reason or "")


def test_a_season_without_candles_before_it() -> None:
    close = walks(6)
    market = market_of(close)
    names = ("open_ms", "open", "high", "low", "close", "volume")
    late = [replace(bars, **{name: getattr(bars, name)[BEFORE:] for name in names}) for bars in bars_of(close)]
    found = judged_season(market, [desk_of(close, (1.0, 1.0))], late, until_ms=int(market.ts_ms[900]))
    assert "too few to state a VaR" in (found.reason or "")

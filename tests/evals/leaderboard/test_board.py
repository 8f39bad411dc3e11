from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from evals.leaderboard import Filters, PlayedSeason, leaderboard
from evals.leaderboard.board import _test
from evals.records import DeskRecord, MarketRecord
from evals.scorers import ForecastSample
from trading.stats import FloatArray

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_760_659_200_000


def market(marks: int, *, seed: int = 0, drift: float = 0.0, start_ms: int = START_MS) -> MarketRecord:
    rng = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(rng.normal(drift, 0.006, (2, marks)), axis=1))
    return MarketRecord(
        ts_ms=start_ms + HOUR_MS * np.arange(marks), closes=closes, step_ms=HOUR_MS, allows_short=np.array([True, True])
    )


def forecasts(count: int, seed: int = 0) -> ForecastSample:
    rng = np.random.default_rng(seed)
    return ForecastSample(
        ts_ms=START_MS + HOUR_MS * np.arange(count),
        horizon_ms=np.full(count, HOUR_MS),
        p_up=np.full(count, 0.5),
        q05=np.full(count, -0.01),
        q50=np.zeros(count),
        q95=np.full(count, 0.01),
        outcome_return=rng.normal(0, 0.006, count),
    )


def desk(name: str, returns: FloatArray, *, decisions: int | None = None, abstained: int = 0) -> DeskRecord:
    equity = 10_000.0 * np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    rng = np.random.default_rng(len(name))
    return DeskRecord(
        name=name,
        kind="rule-based",
        models={"executor": f"house/{name}"},
        status="active",
        equity=equity,
        quantities=np.where(rng.random((2, equity.size)) < 0.5, 10.0, 0.0),
        equity_start=Decimal(10_000),
        equity_end=Decimal(str(round(equity[-1], 6))),
        fees=Decimal(7),
        funding=Decimal(0),
        turnover=3.0,
        decisions=len(returns) if decisions is None else decisions,
        acted=0,
        held=0,
        abstained=abstained,
        failovers=0,
        refused_intents=0,
        orders=0,
        fills=0,
        llm_calls=0,
        tokens_in=0,
        tokens_out=0,
        usd=0.0,
        usd_at_least=0.0,
        latencies_ms=np.array([5.0]),
        forecasts=forecasts(len(returns)),
    )


def season(
    *desks: DeskRecord, run: str = "one", seed: int = 0, drift: float = 0.0, start_ms: int = START_MS
) -> PlayedSeason:
    return PlayedSeason(
        run_id=run,
        season=run,
        kind="replay",
        content=run,
        head=run,
        market=market(desks[0].equity.size, seed=seed, drift=drift, start_ms=start_ms),
        desks=desks,
    )


def board(*seasons: PlayedSeason, trials: int = 5, filters: Filters | None = None):
    return leaderboard(seasons, trials=trials, filters=filters, rng=np.random.default_rng(1))


def test_a_desk_with_a_true_edge_stands_alone_and_equals_are_tied() -> None:
    rng = np.random.default_rng(1)
    common = rng.normal(0, 0.004, 1000)
    good = desk("good", common + 0.001 + rng.normal(0, 0.002, 1000))
    others = [desk(name, common + rng.normal(0, 0.002, 1000)) for name in ("a", "b")]
    found = {entry.desk: entry for entry in board(season(good, *others)).entries}
    assert (found["good"].rank, found["good"].tied_with) == (1, ())
    assert (found["a"].rank, found["b"].rank) == (2, 2)
    assert found["a"].tied_with == ("b",)


def test_noise_is_tied_at_the_stated_rate() -> None:
    wrong = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        rows = rng.standard_t(4, (4, 400)) * 0.003
        growth = {
            name: {("run", at): float(row[at]) for at in range(400)} for name, row in zip("abcd", rows, strict=True)
        }
        places, _, _ = _test("abcd", growth, HOUR_MS, rng)
        wrong += any(rank != 1 for rank, _ in places.values())
    assert wrong <= 15  # 5 % of 150 is 7.5; more than 15 has a chance below 1 %


def test_below_the_minimum_a_desk_has_no_rank_and_the_reason_is_said() -> None:
    rng = np.random.default_rng(2)
    short = board(season(desk("a", rng.normal(0, 0.004, 200)), desk("b", rng.normal(0, 0.004, 200))))
    assert [entry.rank for entry in short.entries] == [None, None]
    assert short.entries[0].unranked == "8.3 days, 14 are needed"
    assert short.pairs == ()
    silent = board(season(desk("a", rng.normal(0, 0.004, 500), decisions=99)))
    assert silent.entries[0].unranked == "99 decisions, 100 are needed"


def test_a_season_repeated_with_the_same_outcome_counts_once() -> None:
    rng = np.random.default_rng(3)
    one = season(desk("a", rng.normal(0, 0.004, 500)))
    again = replace(one, run_id="again")
    assert board(one, again).entries[0].seasons == 1
    assert board(one, replace(again, head="other")).entries[0].seasons == 2


def test_seasons_on_one_market_are_averaged_and_count_once_whatever_their_mask() -> None:
    rng = np.random.default_rng(8)
    draws = rng.normal(0, 0.004, (4, 500))
    plays = [season(desk("a", row), desk("b", draws[0]), run=f"run-{at}") for at, row in enumerate(draws)]
    hidden = replace(
        plays[3],
        market=replace(
            plays[3].market, closes=plays[3].market.closes * 7.3, ts_ms=plays[3].market.ts_ms + 52 * 7 * DAY_MS
        ),
    )
    found = board(*plays[:3], hidden)
    entries = {entry.desk: entry for entry in found.entries}
    assert entries["a"].return_ == pytest.approx(np.expm1(np.log1p(draws).sum() / 4))
    assert entries["b"].return_ == pytest.approx(np.prod(1 + draws[0]) - 1)
    assert entries["a"].days == entries["b"].days == pytest.approx(500 / 24)
    assert entries["b"].seasons == 4
    assert found.pairs[0].days == pytest.approx(500 / 24, abs=0.1)
    alone = board(plays[0]).entries
    assert entries["b"].sharpe_ci95 is not None
    width = entries["b"].sharpe_ci95[1] - entries["b"].sharpe_ci95[0]
    lone = next(entry.sharpe_ci95 for entry in alone if entry.desk == "b")
    assert lone is not None
    assert width == pytest.approx(lone[1] - lone[0], rel=0.15)  # four plays of one fortnight are still one fortnight


def test_desks_are_compared_only_where_both_played() -> None:
    rng = np.random.default_rng(4)
    common = rng.normal(0, 0.004, 500)
    first = season(desk("a", common), desk("b", common + rng.normal(0, 0.001, 500)))
    later = season(desk("a", np.full(500, 0.01) + common), run="two", seed=1, start_ms=START_MS + 600 * HOUR_MS)
    found = board(first, later)
    entries = {entry.desk: entry for entry in found.entries}
    assert entries["a"].return_ > 1.0
    assert {entry.rank for entry in found.entries} == {1}  # the second season says nothing about b
    assert found.pairs[0].days == pytest.approx(500 / 24, abs=0.1)


def test_returns_compound_over_seasons_and_drawdowns_do_not() -> None:
    up, down = np.full(500, 0.001), np.full(500, -0.0005)
    found = board(season(desk("a", up)), season(desk("a", down), run="two", seed=1))
    entry = found.entries[0]
    assert entry.return_ == pytest.approx(1.001**500 * 0.9995**500 - 1)
    assert entry.max_drawdown == pytest.approx(1 - 0.9995**500)
    assert (entry.seasons, entry.decisions) == (2, 1000)


def test_the_deflated_ratio_falls_with_the_number_of_trials() -> None:
    rng = np.random.default_rng(5)
    played = season(desk("a", rng.normal(0.0004, 0.004, 800)))
    few, many = (board(played, trials=count).entries[0] for count in (2, 500))
    assert few.deflated_sharpe is not None
    assert many.deflated_sharpe is not None
    assert few.probabilistic_sharpe is not None
    assert many.deflated_sharpe < few.deflated_sharpe < few.probabilistic_sharpe


def test_beta_of_what_holds_the_market_is_one() -> None:
    lone = season(desk("a", np.zeros(500)), seed=7)
    moves = lone.market.closes[:, 1:] / lone.market.closes[:, :-1] - 1
    entry = board(season(desk("a", moves.mean(axis=0)), seed=7)).entries[0]
    assert entry.beta == pytest.approx(1.0, abs=0.02)


def test_filters() -> None:
    rng = np.random.default_rng(6)
    bull = season(desk("a", rng.normal(0, 0.004, 500)), run="bull", drift=0.002)
    bear = season(desk("a", rng.normal(0, 0.004, 500)), run="bear", drift=-0.002, start_ms=START_MS + 900 * HOUR_MS)
    assert (bull.regime, bear.regime) == ("bull", "bear")
    assert board(bull, bear, filters=Filters(regime="bear")).runs == ("bear",)
    assert board(bull, bear, filters=Filters(season="bull")).runs == ("bull",)
    assert board(bull, bear, filters=Filters(after="2025-11-01T00:00:00Z")).runs == ("bear",)
    assert board(bull, bear, filters=Filters(kind="live")).entries == ()


def test_the_same_seasons_give_the_same_board() -> None:
    rng = np.random.default_rng(8)
    played = season(*(desk(name, rng.normal(0, 0.004, 500)) for name in "abc"))
    assert board(played).to_json() == board(played).to_json()


def test_what_is_not_known_is_null() -> None:
    found = board(season(desk("a", np.zeros(500)))).to_json()["desks"][0]
    assert found["sharpe"] is None
    assert found["deflated_sharpe"] is None
    assert found["grounding"] is None
    assert found["rank"] == 1


def test_nothing_played() -> None:
    found = board()
    assert found.entries == ()
    assert found.as_of is None

import json
from decimal import Decimal

import numpy as np
import pytest

from arena.seasons.scoring import score_season
from evals.records import DeskRecord, MarketRecord
from evals.scorers import ForecastSample
from trading.stats import FloatArray

HOUR = 3_600_000
CONTRACT_FIELDS = [
    *("desk", "kind", "models", "status", "equity_start", "equity_end", "return", "return_ci95", "sharpe"),
    *("sharpe_ci95", "max_drawdown", "fees", "funding", "turnover", "decisions", "acted", "held", "abstained"),
    *("failovers", "refused_intents", "orders", "fills", "forecasts", "brier", "brier_skill", "llm_calls", "tokens_in"),
    *("tokens_out", "usd", "latency_ms_p50", "latency_ms_p95", "luck_percentile", "rank", "tied_with"),
]


def forecasts(count: int) -> ForecastSample:
    return ForecastSample(
        ts_ms=np.arange(count, dtype=np.int64) * HOUR,
        horizon_ms=np.full(count, HOUR, np.int64),
        p_up=np.full(count, 0.5),
        q05=np.full(count, -0.01),
        q50=np.zeros(count),
        q95=np.full(count, 0.01),
        outcome_return=np.full(count, 0.001),
    )


def desk(name: str, equity: FloatArray, quantities: FloatArray, **changes) -> DeskRecord:
    values = {
        "name": name,
        "kind": "rule-based",
        "models": {"analyst": "house/momentum"},
        "status": "active",
        "equity": equity,
        "quantities": quantities,
        "equity_start": Decimal("10000.00"),
        "equity_end": Decimal(repr(round(float(equity[-1]), 2))) if np.isfinite(equity[-1]) else Decimal(10000),
        "fees": Decimal("41.20"),
        "funding": Decimal("-3.10"),
        "turnover": 14.2,
        "decisions": 408,
        "acted": 120,
        "held": 288,
        "abstained": 0,
        "failovers": 2,
        "refused_intents": 3,
        "orders": 120,
        "fills": 131,
        "llm_calls": 1632,
        "tokens_in": 0,
        "tokens_out": None,
        "usd": None,
        "usd_at_least": 0.0,
        "latencies_ms": np.array([10.0, 20.0, 30.0]),
        "forecasts": forecasts(30),
    }
    return DeskRecord(**{**values, **changes})


def market(rng: np.random.Generator, marks: int = 200) -> MarketRecord:
    moves = 0.01 * rng.standard_normal((3, marks - 1))
    return MarketRecord(
        ts_ms=np.arange(marks, dtype=np.int64) * HOUR,
        closes=100.0 * np.cumprod(np.hstack([np.ones((3, 1)), 1.0 + moves]), axis=1),
        step_ms=HOUR,
        allows_short=np.ones(3, np.bool_),
    )


def trade(name: str, where: MarketRecord, quantities: FloatArray, **changes) -> DeskRecord:
    earned = (quantities[:, 1:] * np.diff(where.closes, axis=1)).sum(axis=0)
    return desk(name, 10_000.0 + np.append(0.0, earned.cumsum()), quantities, **changes)


def wander(name: str, where: MarketRecord, rng: np.random.Generator) -> DeskRecord:
    quantities = np.repeat(rng.choice([-20.0, 0.0, 20.0], size=(3, where.ts_ms.size // 5 + 1)), 5, axis=1)
    quantities = quantities[:, : where.ts_ms.size].copy()
    quantities[:, 0] = 0.0
    return trade(name, where, quantities)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_standings_have_the_promised_fields_and_are_json(rng) -> None:
    where = market(rng)
    standings = score_season([wander("a", where, rng), wander("b", where, rng)], where, rng=rng)
    for standing in standings:
        document = standing.to_json()
        assert [field for field in document if field in CONTRACT_FIELDS] == CONTRACT_FIELDS
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        assert document["equity_start"] == "10000"
        assert document["fees"] == "41.2"
        assert document["tokens_in"] == 0
        assert document["tokens_out"] is document["usd"] is None
        assert document["latency_ms_p50"] == 20.0
        assert document["latency_ms_p95"] == pytest.approx(29.0)
        assert document["return"] == pytest.approx(float(Decimal(document["equity_end"]) / 10000 - 1))
        assert document["return_ci95"][0] < document["return"] < document["return_ci95"][1]
        assert document["sharpe_ci95"][0] < document["sharpe"] < document["sharpe_ci95"][1]
        assert 0 < document["luck_percentile"] < 1
        assert (document["brier"], document["brier_skill"], document["forecasts"]) == (0.25, 0.0, 30)
        assert document["unscored"] == {}


def test_sharpe_is_annualised_over_a_year_of_365_days(rng) -> None:
    where = market(rng)
    record = wander("a", where, rng)
    returns = record.equity[1:] / record.equity[:-1] - 1
    standing = score_season([record], where, rng=rng)[0]
    assert standing.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(8760))


def test_who_knows_the_future_stands_above_those_who_toss_coins(rng) -> None:
    where = market(rng)
    knowing = np.zeros_like(where.closes)
    knowing[:, 1:] = 20.0 * np.sign(np.diff(where.closes, axis=1))
    records = [wander("b", where, rng), trade("oracle", where, knowing), wander("a", where, rng)]
    standings = score_season(records, where, rng=rng)
    assert standings[0].desk == "oracle"
    assert (standings[0].rank, standings[0].rank_last, standings[0].tied_with) == (1, 1, ())
    assert [(one.rank, one.rank_last) for one in standings[1:]] == [(2, 3), (2, 3)]
    assert standings[1].total_return >= standings[2].total_return
    assert standings[1].tied_with == (standings[2].desk,)
    assert standings[0].luck_percentile is not None
    assert standings[0].luck_percentile > 0.99


def test_coin_tossers_are_tied_at_the_nominal_rate(rng) -> None:
    runs = 40
    separated = 0
    for _ in range(runs):
        where = market(rng, marks=120)
        standings = score_season([wander(name, where, rng) for name in "abcd"], where, rng=rng)
        separated += any(standing.rank > 1 for standing in standings)
    assert separated / runs <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / runs)


def test_a_desk_that_never_traded_is_ranked_but_not_scored(rng) -> None:
    where = market(rng)
    idle = trade("idle", where, np.zeros_like(where.closes), latencies_ms=np.array([]), forecasts=forecasts(0))
    standings = {one.desk: one for one in score_season([idle, wander("a", where, rng)], where, rng=rng)}
    found = standings["idle"].to_json()
    for field in (
        *("return_ci95", "sharpe", "sharpe_ci95", "luck_percentile"),
        *("brier", "brier_skill", "latency_ms_p50", "latency_ms_p95"),
    ):
        assert found[field] is None, field
    assert (found["return"], found["max_drawdown"]) == (0.0, 0.0)
    assert found["unscored"]["luck_percentile"] == "no position was ever held"
    assert "do not vary" in found["unscored"]["sharpe"]
    assert standings["idle"].tied_with == ("a",)


@pytest.mark.parametrize("marks", [1, 2, 20])
def test_a_season_that_just_began_ties_everyone_and_claims_nothing(rng, marks: int) -> None:
    where = market(rng, marks=marks)
    for one in score_season([wander("a", where, rng), wander("b", where, rng)], where, rng=rng):
        assert (one.rank, one.rank_last) == (1, 2)
        assert one.return_ci95 is one.sharpe is one.luck_percentile is None
        assert "at least 20 are needed" in dict(one.unscored)["return_ci95"]


def test_one_trade_has_a_ratio_without_an_interval(rng) -> None:
    where = market(rng)
    once = np.zeros_like(where.closes)
    once[0, 50] = 20.0
    found = score_season([trade("once", where, once)], where, rng=rng)[0]
    assert found.sharpe is not None
    assert found.sharpe_ci95 is None
    assert dict(found.unscored)["sharpe_ci95"] == "the account moved at too few marks"


def test_unknown_equity_and_ruin_do_not_spoil_the_others(rng) -> None:
    where = market(rng)
    lost = wander("lost", where, rng)
    lost.equity[30] = np.nan
    ruined = wander("ruined", where, rng)
    ruined.equity[60:] = -50.0
    standings = {one.desk: one for one in score_season([lost, ruined, wander("a", where, rng)], where, rng=rng)}
    assert standings["a"].return_ci95 is not None
    assert standings["lost"].to_json()["sharpe"] is None
    assert set(standings["lost"].tied_with) == {"ruined", "a"}
    assert standings["lost"].luck_percentile is None
    assert standings["ruined"].max_drawdown > 1
    assert standings["ruined"].return_ci95[0] < -0.99


def test_same_seed_same_standings(rng) -> None:
    where = market(rng)
    records = [wander(name, where, rng) for name in "abc"]
    first, second = (score_season(records, where, rng=np.random.default_rng(1)) for _ in range(2))
    assert first == second


def test_records_that_do_not_fit_are_refused(rng) -> None:
    where = market(rng)
    other = wander("a", market(rng, marks=100), rng)
    with pytest.raises(ValueError, match="market's 200 marks"):
        score_season([other], where, rng=rng)
    with pytest.raises(ValueError, match="different names"):
        score_season([wander("a", where, rng), wander("a", where, rng)], where, rng=rng)
    with pytest.raises(ValueError, match="order of time"):
        MarketRecord(
            ts_ms=np.zeros(2, np.int64), closes=np.ones((1, 2)), step_ms=HOUR, allows_short=np.ones(1, np.bool_)
        )
    with pytest.raises(ValueError, match="closes have shape"):
        MarketRecord(ts_ms=np.arange(2), closes=np.ones((2, 3)), step_ms=HOUR, allows_short=np.ones(2, np.bool_))
    assert score_season([], where, rng=rng) == []

"""The record of forecasts: what is kept, and how it is scored against baselines and against nothing at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.trading.forecasting.conftest import bars_of
from tests.trading.forecasting.markets import HOUR_MS
from trading.domain.errors import BadArguments, DataError, Unavailable
from trading.forecasting import discover
from trading.forecasting.losses import diebold_mariano
from trading.forecasting.record import ForecastRecord, Recorded
from trading.forecasting.record_scores import BASELINES, RecordScore, score_record
from trading.marketdata import FloatArray


def recorded(at: int, p_up: float, *, width: float = 0.016449, model: str = "m") -> Recorded:
    return Recorded(
        model_id=model,
        instrument="BTC-USDT",
        as_of_ms=at * HOUR_MS,
        horizon_ms=HOUR_MS,
        price=100.0,
        p_up=p_up,
        q05=-width,
        q50=0.0,
        q95=width,
        volatility=0.01,
    )


def test_forecasts_are_scored_once_their_horizon_has_ended(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    truth = rng.uniform(0.2, 0.8, 400)
    returns = np.abs(rng.normal(0, 0.01, 400)) * np.where(rng.random(400) < truth, 1, -1)
    prices = {(at + 1) * HOUR_MS: 100 * (1 + move) for at, move in enumerate(returns.tolist())}
    with ForecastRecord(tmp_path) as record:
        for at, p_up in enumerate(truth.tolist()):
            record.add(recorded(at, p_up))
        record.add(recorded(0, 0.99))  # a second word on the same instant does not count
        assert record.scores()[0].ended == 0
        assert record.scores()[0].brier is None
        assert record.resolve(lambda _, at: prices.get(at), now_ms=300 * HOUR_MS) == 300
        assert record.resolve(lambda _, at: prices.get(at), now_ms=10**15) == 100
        assert record.resolve(lambda _, at: prices.get(at), now_ms=10**15) == 0
    with ForecastRecord(tmp_path) as record:
        (found,) = record.scores()
    up = returns > 0
    assert (found.issued, found.ended) == (400, 400)
    assert found.brier == pytest.approx(np.mean((truth - up) ** 2))
    assert found.log_score == pytest.approx(-np.mean(np.log(np.where(up, truth, 1 - truth))))
    assert found.coverage90 == pytest.approx(np.mean(np.abs(returns) <= 0.016449))
    assert sum(found.pit) == 400
    assert sum(count for _, _, count in found.calibration) == 400


def test_a_record_that_is_damaged_or_nonsense_is_refused(tmp_path: Path) -> None:
    with ForecastRecord(tmp_path) as record, pytest.raises(ValueError, match="not a forecast"):
        record.add(replace(recorded(1, 0.5), q05=0.5))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "forecasts.sqlite").write_bytes(b"rubbish " * 1000)
    with pytest.raises(DataError, match="record of forecasts"):
        ForecastRecord(tmp_path / "other")


def filled(folder: Path, seed: int, *, knows: float, count: int = 400) -> RecordScore:
    """A record of a model whose stated probability moves by ``knows`` towards what comes, beside a climatology."""
    rng = np.random.default_rng(seed)
    signal = rng.choice([-1.0, 1.0], count)
    up = rng.random(count) < 0.5 + 0.2 * signal
    returns = np.abs(rng.normal(0, 0.01, count)) * np.where(up, 1, -1)
    prices = {(at + 1) * HOUR_MS: 100 * (1 + move) for at, move in enumerate(returns.tolist())}
    with ForecastRecord(folder) as record:
        for at in range(count):
            record.add(recorded(at, 0.5 + knows * float(signal[at]) + 0.01 * rng.normal()))
            record.add(recorded(at, 0.5, width=0.03, model="climatology"))
        record.resolve(lambda _, at: prices.get(at), now_ms=10**15)
        (found,) = (one for one in record.scores() if one.model_id == "m")
    return found


def test_skill_is_told_against_the_baseline_of_the_same_instants(tmp_path: Path) -> None:
    found = filled(tmp_path, 1, knows=0.2)
    skill = {one.loss: one for one in found.skills}
    assert {one.against for one in found.skills} == {"climatology"}
    # always one half loses 0.25; the truth of 0.3 and 0.7 loses 0.21: a sixth is saved
    assert skill["brier"].value == pytest.approx(0.16, abs=0.08)
    assert skill["brier"].n == 400
    for one in skill.values():
        assert one.ci95 is not None
        assert one.p_value is not None
        assert one.ci95[0] < one.value < one.ci95[1]
        assert one.ci95[0] > 0
        assert one.p_value < 0.01
    assert found.coverage90_ci95 is not None
    assert found.coverage90_ci95[0] < 0.9 < found.coverage90_ci95[1]
    low, high = found.calibration[0], found.calibration[-1]
    assert low[:2] == pytest.approx((0.3, 0.3), abs=0.12)
    assert high[:2] == pytest.approx((0.7, 0.7), abs=0.12)


def test_noise_has_no_skill() -> None:
    shown = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        said, ground = (
            np.column_stack([np.arange(200.0) * HOUR_MS, p_up, *np.tile([[-0.0164], [0.0], [0.0164]], 200), moves])
            for moves in (rng.normal(0, 0.01, 200),)
            for p_up in (np.clip(0.5 + 0.1 * rng.normal(size=200), 0.02, 0.98), np.full(200, 0.5))
        )
        found = score_record("m", "BTC-USDT", HOUR_MS, said, grounds={"climatology": ground})
        (skill,) = (one for one in found.skills if one.loss == "brier")
        assert skill.p_value is not None
        shown += skill.value > 0 and skill.p_value < 0.05
    assert shown <= 3


def test_the_p_value_is_that_of_diebold_and_mariano(tmp_path: Path) -> None:
    found = filled(tmp_path, 3, knows=0.1)
    with ForecastRecord(tmp_path) as record:
        rows = {
            name: np.array(
                record._db.execute(
                    "SELECT p_up, outcome FROM forecasts WHERE model_id = ? ORDER BY as_of_ms", (name,)
                ).fetchall()
            )
            for name in ("m", "climatology")
        }

    def loss(name: str) -> FloatArray:
        return np.asarray((rows[name][:, 0] - (rows[name][:, 1] > 0)) ** 2)

    by_hand = diebold_mariano(loss("m"), loss("climatology"), steps=1)
    assert by_hand is not None
    assert found.skills[0].p_value == pytest.approx(by_hand.p_value)


def test_a_score_as_of_an_instant_knows_nothing_later(tmp_path: Path) -> None:
    filled(tmp_path, 2, knows=0.1)
    with ForecastRecord(tmp_path) as record:
        then = {one.model_id: one for one in record.scores(until_ms=100 * HOUR_MS)}
        assert (then["m"].issued, then["m"].ended) == (101, 100)
        record._db.execute("UPDATE forecasts SET outcome = 0.5 WHERE as_of_ms + horizon_ms > ?", (100 * HOUR_MS,))
        assert {one.model_id: one for one in record.scores(until_ms=100 * HOUR_MS)} == then


def test_climatology_says_what_was() -> None:
    rng = np.random.default_rng(4)
    bars = bars_of(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 3000))))
    found = discover()["climatology"].forecast(bars, HOUR_MS)
    assert found.q05 == pytest.approx(-0.016449, abs=0.002)
    assert found.q95 == pytest.approx(0.016449, abs=0.002)
    assert found.volatility == pytest.approx(0.01, rel=0.06)
    assert found.p_up == pytest.approx(0.5, abs=0.05)
    assert set(BASELINES) <= set(discover())
    with pytest.raises(Unavailable, match="there are 50"):
        discover()["climatology"].forecast(bars_of(bars.close[:50]), HOUR_MS)
    with pytest.raises(Unavailable, match="no price change"):
        discover()["climatology"].forecast(bars_of(np.full(800, 7.0)), HOUR_MS)
    with pytest.raises(BadArguments, match="at most 240"):
        discover()["climatology"].forecast(bars, 500 * HOUR_MS)

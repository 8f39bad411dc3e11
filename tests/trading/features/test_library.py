"""Features against their definitions and against markets in which the truth is planted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.trading.markets import HOUR_MS, START_MS
from trading.features.frame import FeatureFrame
from trading.features.registry import chosen
from trading.features.vector import compute
from trading.marketdata import FloatArray


def frame_with(columns: dict[str, FloatArray], start_ms: int = START_MS, step_ms: int = HOUR_MS) -> FeatureFrame:
    bars = len(next(iter(columns.values())))
    open_ms = start_ms + step_ms * np.arange(bars, dtype=np.int64)
    columns = {"open_s": open_ms / 1000, "volume": np.ones(bars)} | columns
    return FeatureFrame(instrument="X-USDT", step_ms=step_ms, open_ms=open_ms, columns=columns)


def values(frame: FeatureFrame, name: str) -> FloatArray:
    found = compute(frame, chosen((name,)))[name]
    return found[~np.isnan(found)]


def bars_of(path: FloatArray) -> dict[str, FloatArray]:
    """Candles of prices of shape (bars, prices in a bar)."""
    return {"open": path[:, 0], "high": path.max(axis=1), "low": path.min(axis=1), "close": path[:, -1]}


@pytest.mark.parametrize(
    "name",
    [
        "volatility_72",
        "parkinson_72",
        "garman_klass_72",
        "yang_zhang_72",
        "ewma_volatility",
        "upside_volatility_72",
    ],
)
def test_volatility_is_that_of_the_walk(name: str) -> None:
    steps = np.random.default_rng(8).normal(0, 0.01 / np.sqrt(400), (3000, 400))
    path = 100 * np.exp(np.cumsum(steps).reshape(steps.shape))
    expected = 0.01 / np.sqrt(2) if "upside" in name else 0.01
    found = np.sqrt(np.mean(values(frame_with(bars_of(path)), name) ** 2))
    assert found == pytest.approx(expected, rel=0.05)


def test_a_walk_has_a_variance_ratio_of_one_and_a_trend_more() -> None:
    rng = np.random.default_rng(2)
    noise = 0.01 * rng.normal(size=6000)
    lasting = noise + 0.5 * np.concatenate([[0.0], noise[:-1]])
    for moves, expected in ((noise, 1.0), (lasting, 1 + 2 * (3 / 4) * 0.4)):
        close = 100 * np.exp(np.cumsum(moves))
        frame = frame_with({"open": close, "high": close, "low": close, "close": close})
        assert values(frame, "variance_ratio_4").mean() == pytest.approx(expected, abs=0.06)


def test_jumps_are_told_from_diffusion() -> None:
    moves = 0.01 * np.random.default_rng(3).normal(size=2000)
    calm = 100 * np.exp(np.cumsum(moves))
    jumpy = 100 * np.exp(np.cumsum(moves + 0.2 * (np.arange(2000) % 36 == 35)))
    share = [
        values(frame_with(dict.fromkeys(("open", "high", "low", "close"), close)), "jump_share_72").mean()
        for close in (calm, jumpy)
    ]
    assert share[0] < 0.15
    assert share[1] > 0.75


def test_roll_finds_the_spread_of_a_bouncing_price() -> None:
    rng = np.random.default_rng(4)
    middle = 100 * np.exp(np.cumsum(0.0002 * rng.normal(size=4000)))
    close = middle * np.where(rng.random(4000) < 0.5, 0.999, 1.001)
    frame = frame_with(dict.fromkeys(("open", "high", "low", "close"), close))
    assert values(frame, "roll_spread_72").mean() == pytest.approx(0.002, rel=0.1)


def test_corwin_and_schultz_find_the_spread_from_highs_and_lows() -> None:
    rng = np.random.default_rng(5)
    middle = 100 * np.exp(np.cumsum(0.01 / np.sqrt(400) * rng.normal(size=(1500, 400))).reshape(1500, 400))
    sides = np.where(rng.random(middle.shape) < 0.5, 0.99, 1.01)
    wide = values(frame_with(bars_of(middle * sides)), "corwin_schultz_spread_24").mean()
    none = values(frame_with(bars_of(middle)), "corwin_schultz_spread_24").mean()
    assert wide == pytest.approx(0.02, rel=0.2)
    assert none < 0.004


def test_kyles_lambda_is_the_planted_impact() -> None:
    rng = np.random.default_rng(6)
    bought, sold = rng.lognormal(3, 1, 2000), rng.lognormal(3, 1, 2000)
    close = np.empty(2000)
    close[0] = 100.0
    for bar in range(1, 2000):  # the value traded is that at the bar's own close, found by iteration
        move = 0.0
        for _ in range(30):
            move = 2e-6 * (bought[bar] - sold[bar]) * close[bar - 1] * np.exp(move)
        close[bar] = close[bar - 1] * np.exp(move)
    columns = dict.fromkeys(("open", "high", "low", "close"), close)
    frame = frame_with(columns | {"buy_volume": bought, "sell_volume": sold, "trade_count": np.ones(2000)})
    assert values(frame, "kyle_lambda_72") == pytest.approx(2.0, rel=1e-6)


def test_volume_that_all_presses_one_way_is_toxic() -> None:
    ones = np.ones(60)
    columns = {"buy_volume": 5 * ones, "sell_volume": 0 * ones, "trade_count": ones}
    assert values(frame_with(columns), "vpin_50") == pytest.approx(1.0)
    assert values(frame_with(columns), "trade_sign_24") == pytest.approx(1.0)
    balanced = columns | {"sell_volume": 5 * ones}
    assert values(frame_with(balanced), "vpin_50") == pytest.approx(0.0)


def test_a_book_by_hand(make_frame) -> None:
    frame = make_frame(30)
    book = {"bid": 99.0, "ask": 101.0, "bid_size_1": 3.0, "ask_size_1": 1.0, "bid_size_5": 10.0, "ask_size_5": 30.0}
    frame = replace(frame, columns=dict(frame.columns) | {name: np.full(30, value) for name, value in book.items()})
    assert values(frame, "spread_bps")[-1] == pytest.approx(200)
    assert values(frame, "book_imbalance_1")[-1] == pytest.approx(0.5)
    assert values(frame, "book_imbalance_5")[-1] == pytest.approx(-0.5)
    assert values(frame, "microprice_bps")[-1] == pytest.approx(1e4 * (100.5 / 100 - 1))
    flow = frame.columns["order_flow"]
    assert values(frame, "order_flow_imbalance_12")[-1] == pytest.approx(flow[-12:].sum() / 2)


def test_beta_lead_and_residual_are_those_planted() -> None:
    rng = np.random.default_rng(7)
    reference = 0.01 * rng.normal(size=1000)
    own = 1.5 * reference + 1e-6 * rng.normal(size=1000)
    following = np.concatenate([[0.0], reference[:-1]])

    def frame(moves: FloatArray) -> FeatureFrame:
        close = 100 * np.exp(np.cumsum(moves))
        columns = dict.fromkeys(("open", "high", "low", "close"), close)
        return frame_with(columns | {"reference_close": 50 * np.exp(np.cumsum(reference))})

    assert values(frame(own), "reference_beta_72") == pytest.approx(1.5, rel=1e-3)
    assert values(frame(own), "reference_residual_volatility_72") == pytest.approx(1e-6, rel=0.5)
    assert values(frame(following), "reference_lead_72")[1:] == pytest.approx(1.0, abs=1e-9)
    assert abs(values(frame(own), "reference_lead_72").mean()) < 0.05


def test_noise_has_no_momentum_and_no_lead(make_frame) -> None:
    frame = make_frame(6000, seed=12)
    for name in ("autocorrelation_1_72", "autocorrelation_24_72", "return_to_risk_72", "trade_sign_24"):
        assert abs(values(frame, name).mean()) < 0.05, name
    assert values(frame, "reference_lead_72").mean() == pytest.approx(0.0, abs=0.05)


def test_a_streak_counts_closes_in_one_direction() -> None:
    close = 100 + np.cumsum(np.array([0.0] * 13 + [1, 1, 1, -1, -1, 0, 2] + [1] * 14))
    columns = dict.fromkeys(("open", "high", "low", "close"), close)
    found = values(frame_with(columns), "streak")
    assert found[1:8].tolist() == [1, 2, 3, -1, -2, 0, 1]
    assert found[-1] == 12


def test_the_calendar_is_that_of_utc() -> None:
    start = datetime(2024, 2, 28, 21, 30, tzinfo=UTC)
    step = timedelta(minutes=30)
    frame = frame_with({"volume": np.ones(400)}, int(start.timestamp() * 1000), int(step.total_seconds() * 1000))
    table = compute(frame)
    for bar in range(400):
        at = start + bar * step
        hour = at.hour + at.minute / 60
        assert table["hour_sin"][bar] == pytest.approx(np.sin(2 * np.pi * hour / 24), abs=1e-9)
        assert table["weekday_cos"][bar] == pytest.approx(np.cos(2 * np.pi * (at.weekday() + hour / 24) / 7), abs=1e-9)
        days = {2: 29, 3: 31}[at.month]
        assert table["month_sin"][bar] == pytest.approx(np.sin(2 * np.pi * (at.day - 1 + hour / 24) / days), abs=1e-9)
        year = (at - datetime(2024, 1, 1, tzinfo=UTC)) / timedelta(days=366)
        assert table["year_cos"][bar] == pytest.approx(np.cos(2 * np.pi * year), abs=1e-9)
        assert table["weekend"][bar] == (at.weekday() >= 5)
        assert table["session_america"][bar] == (13.5 <= hour < 20 and at.weekday() < 5)
        assert table["hours_to_funding"][bar] == pytest.approx(8 - hour % 8)

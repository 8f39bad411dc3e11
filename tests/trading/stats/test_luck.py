import numpy as np
import pytest
from scipy.stats import kstest

from trading.stats import FloatArray, Holdings, holdings, luck_percentile


def held(exposure: FloatArray) -> Holdings:
    before = np.vstack([np.zeros(exposure.shape[1]), exposure])
    return Holdings(exposure=exposure, traded=np.abs(np.diff(before, axis=0)).sum(axis=1))


def wander(rng: np.random.Generator, intervals: int, sides: list[float], *, stay: int = 10) -> FloatArray:
    """Exposures that are chosen anew at random instants, without a look at the market."""
    anew = rng.random(intervals) < 1 / stay
    anew[0] = True
    chosen = rng.choice(sides, size=(intervals, 3)) * 0.4
    return chosen[np.maximum.accumulate(np.where(anew, np.arange(intervals), 0))]


SHORTS = np.ones(3, np.bool_)
NO_SHORTS = np.zeros(3, np.bool_)


@pytest.mark.parametrize(
    ("sides", "allows_short", "drift"),
    [([-1.0, 0.0, 1.0], SHORTS, 0.0), ([0.0, 1.0], NO_SHORTS, 0.0005), ([0.0, 1.0], SHORTS, 0.0)],
    ids=["long and short", "long only in a rising market", "long by choice"],
)
def test_random_trading_has_a_uniform_percentile(noise_market, sides, allows_short, drift) -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        closes = noise_market(rng, drift=drift)
        desk = held(wander(rng, 200, sides))
        found.append(luck_percentile(desk, closes, allows_short=allows_short, traders=200, rng=rng))
    assert kstest(found, "uniform").pvalue > 0.01
    assert 0.01 <= np.mean(np.array(found) > 0.95) <= 0.095


@pytest.mark.parametrize("allows_short", [SHORTS, NO_SHORTS])
def test_following_trends_in_noise_is_no_skill(noise_market, allows_short) -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(80):
        closes = noise_market(rng)
        trend = np.zeros((200, 3))
        trend[24:] = np.sign(closes[:, 24:-1] - closes[:, : 200 - 24]).T / 3
        desk = held(np.where(allows_short, trend, np.maximum(trend, 0)))
        found.append(luck_percentile(desk, closes, allows_short=allows_short, traders=200, rng=rng))
    assert np.mean(np.array(found) > 0.95) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 80)


@pytest.mark.parametrize("allows_short", [SHORTS, NO_SHORTS])
def test_knowing_the_future_beats_all(noise_market, allows_short) -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        closes = noise_market(rng)
        side = np.sign(np.diff(closes, axis=1)).T
        desk = held(0.3 * (side if allows_short.all() else np.maximum(side, 0)))
        assert (luck_percentile(desk, closes, allows_short=allows_short, rng=rng) or 0.0) > 0.99


def test_buying_and_holding_shows_no_timing(noise_market) -> None:
    rng = np.random.default_rng(4)
    closes = noise_market(rng, drift=0.002)
    quantities = np.zeros_like(closes)
    quantities[:, 3:] = 20.0
    equity = 10_000.0 + (quantities * (closes - closes[:, 3:4])).sum(axis=0)
    desk = holdings(quantities[:, 2:], closes[:, 2:], equity[2:])
    assert luck_percentile(desk, closes[:, 2:], allows_short=NO_SHORTS, rng=rng) == pytest.approx(0.5)
    assert luck_percentile(desk, closes[:, 2:], allows_short=SHORTS, rng=rng) == pytest.approx(0.75, abs=0.05)


def test_exposure_is_that_of_the_last_trade_whatever_prices_did_since() -> None:
    closes = np.array([[100.0, 200.0, 50.0, 80.0]])
    quantities = np.array([[0.0, 5.0, 5.0, 2.0]])
    found = holdings(quantities, closes, np.array([1000.0, 1500.0, 750.0, 900.0]))
    np.testing.assert_allclose(found.exposure[:, 0], [0.5, 0.5, 2.0 * 50.0 / 750.0])
    np.testing.assert_allclose(found.traded, [0.5, 0.0, 3.0 * 50.0 / 750.0])


def test_holding_time_is_twice_what_is_held_over_what_is_traded() -> None:
    exposure = np.zeros((40, 1))
    exposure[5:15] = exposure[20:30] = 0.8
    desk = Holdings(exposure=exposure, traded=np.abs(np.diff(exposure, axis=0, prepend=0.0)).sum(axis=1))
    assert desk.holding_intervals == pytest.approx(10.0)
    assert desk.gross_exposure == pytest.approx(0.4)
    assert desk.turnover == pytest.approx(0.08)


def test_a_price_that_is_not_known_yet_is_no_move_and_ruin_no_exposure() -> None:
    closes = np.array([[np.nan, np.nan, 10.0, 11.0]])
    found = holdings(np.array([[0.0, 0.0, 0.0, 4.0]]), closes, np.array([100.0, 100.0, -1.0, -1.0]))
    assert not found.exposure.any()
    assert np.isfinite(found.traded).all()


def test_rubbish_has_no_percentile(noise_market) -> None:
    rng = np.random.default_rng(5)
    closes = noise_market(rng, intervals=40)
    idle = Holdings(exposure=np.zeros((40, 3)), traded=np.zeros(40))
    assert luck_percentile(idle, closes, allows_short=SHORTS, rng=rng) is None
    short = held(np.ones((10, 3)))
    assert luck_percentile(short, closes[:, :11], allows_short=SHORTS, rng=rng) is None
    unknown = holdings(np.ones((3, 41)), closes, np.full(41, np.nan))
    assert luck_percentile(unknown, closes, allows_short=SHORTS, rng=rng) is None
    with pytest.raises(ValueError, match="do not fit"):
        luck_percentile(held(np.ones((40, 2))), closes, allows_short=SHORTS, rng=rng)
    with pytest.raises(ValueError, match="not of the same marks"):
        holdings(np.ones((3, 40)), closes, np.ones(41))


def test_same_seed_same_percentile(noise_market) -> None:
    closes = noise_market(np.random.default_rng(6))
    desk = held(wander(np.random.default_rng(7), 200, [-1.0, 1.0]))
    first, second = (luck_percentile(desk, closes, allows_short=SHORTS, rng=np.random.default_rng(8)) for _ in range(2))
    assert first == second

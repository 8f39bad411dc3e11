import numpy as np
import pytest

from trading.stats import FloatArray, ReturnBand, luck_band

SHORTS = np.ones(3, np.bool_)


def band(closes: FloatArray, **changes) -> ReturnBand:
    settings = {"gross_exposure": 0.5, "turnover": 0.1, "cost_bps": 0.0, "allows_short": SHORTS, "traders": 400}
    return luck_band(closes, **{**settings, **changes}, rng=np.random.default_rng(9))


def test_band_starts_at_zero_widens_and_keeps_its_order(noise_market) -> None:
    found = band(noise_market(np.random.default_rng(1)))
    assert found.q05.shape == (201,)
    assert found.q05[0] == found.q95[0] == 0.0
    assert (found.q05 <= found.q25).all()
    assert (found.q25 <= found.q75).all()
    assert (found.q75 <= found.q95).all()
    assert found.q95[200] - found.q05[200] > 1.5 * (found.q95[20] - found.q05[20]) > 0


def test_more_marks_continue_the_band(noise_market) -> None:
    closes = noise_market(np.random.default_rng(2))
    early, late = band(closes[:, :101]), band(closes)
    np.testing.assert_array_equal(early.q25, late.q25[:101])
    np.testing.assert_array_equal(early.q95, late.q95[:101])


@pytest.mark.parametrize(("gross", "turnover"), [(0.5, 0.1), (0.9, 0.3), (2.0, 0.2), (0.3, 0.02)])
def test_traders_pay_for_the_turnover_they_were_given(gross: float, turnover: float) -> None:
    still = np.full((3, 801), 100.0)
    found = band(still, gross_exposure=gross, turnover=turnover, cost_bps=1.0, traders=1000)
    paid = -(np.log1p(found.q25[-1]) + np.log1p(found.q75[-1])) / 2
    assert paid == pytest.approx(800 * turnover * 1e-4, rel=0.08)


@pytest.mark.parametrize("gross", [0.3, 0.8, 1.0, 2.5])
def test_long_traders_earn_their_exposure_of_the_rise(gross: float) -> None:
    rising = 100.0 * 1.0001 ** np.arange(601)[np.newaxis]
    found = band(rising, gross_exposure=gross, turnover=0.2, allows_short=np.zeros(1, np.bool_))
    middle = (np.log1p(found.q25[-1]) + np.log1p(found.q75[-1])) / 2
    assert middle == pytest.approx(600 * gross * 1e-4, rel=0.08)


def test_band_holds_the_stated_share_of_random_walkers(noise_market) -> None:
    rng = np.random.default_rng(3)
    outside = 0
    for _ in range(100):
        closes = noise_market(rng, intervals=100)
        found = band(closes)
        one = luck_band(
            closes, gross_exposure=0.5, turnover=0.1, cost_bps=0.0, allows_short=SHORTS, traders=1, rng=rng
        ).q05[-1]
        outside += not found.q05[-1] <= one <= found.q95[-1]
    assert 0.02 <= outside / 100 <= 0.19


def test_no_exposure_and_no_intervals() -> None:
    still = np.full((3, 5), 100.0)
    assert not band(still, gross_exposure=0.0, turnover=0.0, cost_bps=10.0).q95.any()
    np.testing.assert_array_equal(band(still[:, :1]).q05, [0.0])

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.domain.errors import ConfigError, RequestError
from trading.marketdata import Regime, SimulationSpec, regime_path, simulate

HOUR_MS = 3_600_000
START_MS = 1_760_659_200_000
SYMBOLS = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP")
COLUMNS = ("open", "high", "low", "close", "volume")


def spec(bars=2000, *, symbols=SYMBOLS, seed=7, step_ms=HOUR_MS, start_ms=START_MS, **others):
    end_ms = start_ms + bars * step_ms
    return SimulationSpec(symbols=symbols, start_ms=start_ms, end_ms=end_ms, step_ms=step_ms, seed=seed, **others)


def log_returns(tape):
    return np.diff(np.log(tape.close), axis=1)


def autocorrelation(values):
    return float(np.corrcoef(values[:-1], values[1:])[0, 1])


@pytest.fixture(scope="module", params=[0, 1, 2])
def long_tape(request):
    return simulate(spec(20_000, seed=request.param))


def test_tails_are_fat(long_tape):
    for returns in log_returns(long_tape):
        standard = (returns - returns.mean()) / returns.std()
        assert np.mean(standard**4) - 3 > 1


def test_volatility_clusters_and_returns_are_hardly_predictable(long_tape):
    for returns in log_returns(long_tape):
        assert autocorrelation(np.abs(returns)) > 0.05
        assert abs(autocorrelation(returns)) < 0.05


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.9])
def test_coins_correlate_as_specified(correlation):
    tape = simulate(spec(20_000, symbols=("BTC-USDT", "ETH-USDT", "AAA-USDT"), correlation=correlation))
    found = np.corrcoef(log_returns(tape))[np.triu_indices(3, 1)]
    assert found == pytest.approx([correlation] * 3, abs=0.08)


def test_volatility_is_that_of_the_coin(long_tape):
    yearly = log_returns(long_tape).std(axis=1) * np.sqrt(8766)
    assert yearly == pytest.approx([0.50, 0.65, 0.80], rel=0.2)


def test_volume_rises_with_volatility(long_tape):
    moved = np.abs(log_returns(long_tape))
    for row in range(3):
        assert np.corrcoef(moved[row], (long_tape.volume * long_tape.close)[row, 1:])[0, 1] > 0.3


@given(seed=st.integers(0, 2**40), bars=st.integers(1, 400), step_ms=st.sampled_from([60_000, HOUR_MS, 24 * HOUR_MS]))
@settings(deadline=None)
def test_every_bar_is_sound_and_follows_the_one_before(seed, bars, step_ms):
    tape = simulate(spec(bars, seed=seed, step_ms=step_ms, symbols=("BTC-USDT", "X-USDT-PERP")))
    assert np.isfinite([getattr(tape, name) for name in COLUMNS]).all()
    assert (tape.low > 0).all()
    assert (tape.low <= np.minimum(tape.open, tape.close)).all()
    assert (tape.high >= np.maximum(tape.open, tape.close)).all()
    assert (tape.volume > 0).all()
    assert (tape.open[:, 1:] == tape.close[:, :-1]).all()
    assert tape.gapless == (True, True)
    assert tape.source == "simulated"


@given(bars=st.integers(2, 300), data=st.data(), seed=st.integers(0, 1000))
@settings(deadline=None)
def test_a_longer_simulation_extends_a_shorter_one_bit_for_bit(bars, data, seed):
    short = simulate(spec(data.draw(st.integers(1, bars - 1)), seed=seed))
    long = simulate(spec(bars, seed=seed))
    for name in ("open_ms", *COLUMNS):
        assert np.array_equal(getattr(short, name), getattr(long, name)[..., : len(short)])
    for symbol, rates in short.funding.items():
        known = len(rates.ts_ms)
        assert np.array_equal(rates.ts_ms, long.funding[symbol].ts_ms[:known])
        assert np.array_equal(rates.rate, long.funding[symbol].rate[:known])


def test_the_same_seed_gives_the_same_tape_and_another_another():
    assert simulate(spec()).sha256 == simulate(spec()).sha256
    assert simulate(spec()).sha256 != simulate(spec(seed=8)).sha256


def test_another_instrument_changes_none_of_the_others():
    alone, together = simulate(spec(symbols=SYMBOLS[1:2])), simulate(spec())
    assert np.array_equal(alone.close[0], together.close[1])
    assert np.array_equal(alone.volume[0], together.volume[1])


def test_prices_start_where_the_coins_stand_and_have_seven_digits():
    tape = simulate(spec(symbols=("BTC-USDT", "ETH-USDT", "SOL-USDT", "ABC-USDT")))
    assert tape.open[:, 0].tolist() == [100_000, 4_000, 180, 10]
    for name in COLUMNS:
        values = getattr(tape, name).ravel().tolist()
        assert values == [float(f"{value:.7g}") for value in values]


def test_a_perpetual_stays_close_to_its_coin():
    tape = simulate(spec(symbols=("BTC-USDT", "BTC-USDT-PERP")))
    apart = np.abs(tape.close[1] / tape.close[0] - 1)
    assert 0 < apart.max() < 0.002


def test_funding_is_paid_every_eight_hours_and_follows_the_day():
    tape = simulate(spec(20_000, symbols=("BTC-USDT-PERP", "ETH-USDT")))
    assert list(tape.funding) == ["BTC-USDT-PERP"]
    rates = tape.funding["BTC-USDT-PERP"]
    assert (rates.ts_ms % (8 * HOUR_MS) == 0).all()
    assert (np.diff(rates.ts_ms) == 8 * HOUR_MS).all()
    assert START_MS < rates.ts_ms[0] <= START_MS + 8 * HOUR_MS
    assert rates.ts_ms[-1] <= tape.open_ms[-1] + HOUR_MS
    assert np.abs(rates.rate).max() <= 0.003
    closes = tape.close[0][(rates.ts_ms[3:] - START_MS) // HOUR_MS - 1]
    opens = tape.open[0][(rates.ts_ms[3:] - START_MS) // HOUR_MS - 24]
    assert np.corrcoef(closes / opens - 1, rates.rate[3:])[0, 1] > 0.8


def test_every_regime_comes_and_lasts_about_as_long_as_it_should():
    path = regime_path(3, 40_000, 1.0)
    assert set(path.tolist()) == {int(regime) for regime in Regime}
    changes = np.flatnonzero(np.diff(path)) + 1
    lengths = np.diff([0, *changes])
    states = path[[0, *changes[:-1]]]
    for regime, mean_hours in ((Regime.CALM, 60), (Regime.TURBULENT, 16)):
        assert lengths[states == regime].mean() == pytest.approx(mean_hours, rel=0.25)


def test_turbulent_bars_move_more_than_calm_ones():
    regimes = regime_path(0, 20_000, 1.0)
    moved = np.abs(log_returns(simulate(spec(20_000, seed=0))))
    assert moved[:, regimes[1:] == Regime.TURBULENT].mean() > 2 * moved[:, regimes[1:] == Regime.CALM].mean()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbols": ()}, "expected at least one"),
        ({"symbols": ("BTC-USDT", "BTC-USDT")}, "each once"),
        ({"end_ms": START_MS}, "holds no bar"),
        ({"end_ms": START_MS - HOUR_MS}, "holds no bar"),
        ({"start_ms": START_MS + 1}, "a multiple"),
        ({"step_ms": 0}, "whole seconds"),
        ({"step_ms": 1500}, "whole seconds"),
        ({"seed": -1}, "seed -1"),
        ({"correlation": 1.5}, "from 0 to 1"),
        ({"correlation": float("nan")}, "from 0 to 1"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(change, message):
    fields = {"symbols": SYMBOLS, "start_ms": START_MS, "end_ms": START_MS + HOUR_MS, "step_ms": HOUR_MS, "seed": 1}
    with pytest.raises(ConfigError, match=message):
        SimulationSpec(**(fields | change))


def test_a_symbol_that_is_none_is_refused():
    with pytest.raises(RequestError, match="expected BASE-QUOTE"):
        spec(symbols=("bitcoin",))

"""Options: published prices, finite differences, parity, a recorded Deribit chain, and names that are none."""

import math
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.domain import parse_instant, to_ms
from trading.domain.errors import RequestError
from trading.risk.measures import (
    Greeks,
    OptionKind,
    added_greeks,
    black_76,
    implied_volatility,
    inverse_option,
    parse_option,
)

DATA = Path(os.environ.get("TRADEFLOOR_TEST_DATA", str(Path(__file__).parents[5] / "shared" / "data")))
CALL, PUT = OptionKind.CALL, OptionKind.PUT
KINDS = st.sampled_from((CALL, PUT))
MONEYNESS = st.floats(0.6, 1.6)
YEARS = st.floats(0.02, 2)
VOLATILITY = st.floats(0.1, 1.5)


def test_golden_values_of_black_scholes_merton() -> None:
    discount = math.exp(-0.05)
    call, put = (black_76(kind, 100, 1, 100 / discount, 0.2, discount=discount) for kind in (CALL, PUT))
    assert call.value == pytest.approx(10.4506, abs=5e-5)
    assert put.value == pytest.approx(5.5735, abs=5e-5)
    # Hull, Options, Futures and Other Derivatives, 19: the delta by the spot is the forward's over the discount.
    assert call.delta / discount == pytest.approx(0.6368, abs=5e-5)


@settings(max_examples=60, deadline=None)
@given(kind=KINDS, moneyness=MONEYNESS, years=YEARS, volatility=VOLATILITY, rate=st.floats(0, 0.1))
def test_greeks_are_the_slopes_of_the_value(
    kind: OptionKind, moneyness: float, years: float, volatility: float, rate: float
) -> None:
    forward = 100.0

    def value(f: float = forward, v: float = volatility, t: float = years) -> float:
        return black_76(kind, forward * moneyness, t, f, v, discount=math.exp(-rate * t)).value

    found = black_76(kind, forward * moneyness, years, forward, volatility, discount=math.exp(-rate * years))
    step = 1e-3
    assert found.delta == pytest.approx((value(forward + step) - value(forward - step)) / (2 * step), abs=1e-6)
    assert found.gamma == pytest.approx(
        (value(forward + 0.05) - 2 * value() + value(forward - 0.05)) / 0.05**2, abs=1e-4
    )
    assert found.vega == pytest.approx((value(v=volatility + 1e-4) - value(v=volatility - 1e-4)) / 2e-4, abs=1e-3)
    assert found.theta == pytest.approx((value(t=years - 1e-5) - value(t=years + 1e-5)) / 2e-5, abs=1e-2, rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(kind=KINDS, moneyness=MONEYNESS, years=YEARS, volatility=VOLATILITY)
def test_greeks_in_coin_are_slopes_too(kind: OptionKind, moneyness: float, years: float, volatility: float) -> None:
    forward = 100.0

    def value(f: float = forward) -> float:
        return inverse_option(kind, forward * moneyness, years, f, volatility).value

    found = inverse_option(kind, forward * moneyness, years, forward, volatility)
    assert found.delta == pytest.approx((value(forward + 1e-3) - value(forward - 1e-3)) / 2e-3, abs=1e-7)
    assert found.gamma == pytest.approx(
        (value(forward + 0.05) - 2 * value() + value(forward - 0.05)) / 0.05**2, abs=1e-5
    )


@given(moneyness=MONEYNESS, years=YEARS, volatility=VOLATILITY, discount=st.floats(0.8, 1))
def test_parity(moneyness: float, years: float, volatility: float, discount: float) -> None:
    strike = 100 * moneyness
    call, put = (black_76(kind, strike, years, 100, volatility, discount=discount) for kind in (CALL, PUT))
    assert call.value - put.value == pytest.approx(discount * (100 - strike), abs=1e-9)
    assert call.delta - put.delta == pytest.approx(discount)
    assert call.gamma == pytest.approx(put.gamma)


@settings(max_examples=60, deadline=None)
@given(kind=KINDS, moneyness=st.floats(0.8, 1.25), years=st.floats(0.1, 2), volatility=st.floats(0.3, 1.5))
def test_the_implied_volatility_is_the_one_put_in(
    kind: OptionKind, moneyness: float, years: float, volatility: float
) -> None:
    value = black_76(kind, 100 * moneyness, years, 100, volatility).value
    assert implied_volatility(kind, 100 * moneyness, years, 100, value) == pytest.approx(volatility, abs=1e-6)


def test_a_value_that_no_volatility_gives() -> None:
    assert implied_volatility(CALL, 100, 1, 120, 19.0) is None
    assert implied_volatility(CALL, 100, 1, 120, 121.0) is None
    assert implied_volatility(CALL, 100, 0, 120, 20.0) is None
    assert implied_volatility(CALL, 100, 1, 120, math.nan) is None


def test_marks_of_a_recorded_deribit_chain() -> None:
    chain = pd.read_parquet(DATA / "options" / "deribit" / "BTC-chain-20251205.parquet")
    at_ms = to_ms(parse_instant("2025-12-05T01:09:53Z"))
    misses = []
    for row in chain.itertuples():
        option = parse_option(row.instrument_name)
        assert (option.kind, option.strike) == (row.option_type, row.strike)
        assert option.expiry_ms == int(row.expiry.timestamp() * 1000)
        years = option.years(at_ms)
        found = inverse_option(option.kind, option.strike, years, row.underlying_price, row.mark_iv / 100)
        misses.append(abs(found.value - row.mark_price))
    assert len(misses) == 676
    # Deribit states marks to 0.0001 coin and volatilities to 0.01 points; the instant is known to minutes.
    assert sorted(misses)[int(0.95 * len(misses))] < 2e-4
    assert max(misses) < 2e-3


def test_at_expiry_it_is_the_payoff() -> None:
    assert black_76(CALL, 90, 0, 100, 0.5) == Greeks(value=10, delta=1, gamma=0, vega=0, theta=0)
    assert black_76(PUT, 90, 0, 100, 0.5).value == 0
    assert parse_option("BTC-26DEC25-100000-C").years(to_ms(parse_instant("2030-01-01T00:00:00Z"))) == 0


def test_a_straddle_written_against_itself_is_nothing() -> None:
    legs = [black_76(kind, 100, 1, 100, 0.5) for kind in (CALL, PUT)]
    flat = added_greeks([*legs, *(leg.times(-1) for leg in legs)])
    assert flat == Greeks(value=0, delta=0, gamma=0, vega=0, theta=0)


@pytest.mark.parametrize(
    "name", ["", "BTC", "BTC-USDT", "BTC-32DEC25-1-C", "BTC-30FEB25-1-C", "BTC-1XXX25-1-C", "BTC-1DEC25-0-C", "x" * 999]
)
def test_names_that_are_no_option(name: str) -> None:
    with pytest.raises(RequestError, match="option"):
        parse_option(name)


@pytest.mark.parametrize(
    "numbers", [(0, 1, 100, 0.5), (100, -1, 100, 0.5), (100, 1, math.nan, 0.5), (100, 1, 100, -0.1)]
)
def test_rubbish_is_refused(numbers: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        black_76(CALL, *numbers)

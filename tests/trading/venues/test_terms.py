"""What the exchange lists and what it charges."""

from decimal import Decimal

import pytest

from tests.trading.markets import HOUR_MS, NO_BAR, PERP, SPOT, START_MS, flat, tape_of
from trading.domain.errors import ConfigError, DataError
from trading.venues.simulated import Costs, list_instruments
from trading.venues.simulated.costs import venue_facts

BASE = {
    "taker_fee_bps": "4.5",
    "maker_fee_bps": "1.5",
    "slippage_bps": "2",
    "latency_ms": 250,
    "liquidation_fee_bps": 50,
}


def test_costs_are_fractions_of_notional():
    costs = Costs.from_mapping(BASE, {"slippage_bps": 2.5})
    assert (costs.taker_fee, costs.maker_fee, costs.slippage) == tuple(map(Decimal, ("0.00045", "0.00015", "0.00025")))
    assert costs.liquidation_fee == Decimal("0.005")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("taker_fee_bps", -1),
        ("taker_fee_bps", 1001),
        ("slippage_bps", float("nan")),
        ("slippage_bps", "much"),
        ("latency_ms", -1),
        ("latency_ms", 86_400_001),
        ("latency_ms", 0.5),
        ("tip_bps", 1),
    ],
)
def test_rubbish_costs_are_refused_in_one_line(name, value):
    with pytest.raises(ConfigError, match=rf"\[costs\] {name}") as refused:
        Costs.from_mapping(BASE, {name: value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "simulated = ", "[other]\na = 1"])
def test_a_bad_venues_file_is_refused(tmp_path, text):
    path = tmp_path / "venues.toml"
    with pytest.raises(ConfigError, match=r"venues\.toml"):
        venue_facts(path)
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"venues\.toml"):
        venue_facts(path)


@pytest.mark.parametrize(
    ("price", "tick", "lot"),
    [(65_000.0, "0.01", "0.00001"), (1.0, "0.000001", "0.1"), (0.00001234, "1e-11", "1e4"), (9.99, "0.000001", "0.1")],
)
def test_the_grid_fits_the_price(price, tick, lot):
    listed = list_instruments(tape_of({SPOT: flat(price, 3)}), START_MS, {})
    assert (listed[SPOT].tick, listed[SPOT].lot) == (Decimal(tick), Decimal(lot))
    assert Decimal("0.1") <= listed[SPOT].lot * Decimal(repr(price)) <= 1


def test_the_grid_follows_from_what_is_known_at_the_start_and_nothing_later():
    bars = [*flat(100, 3), *flat(5, 3)]
    early = list_instruments(tape_of({SPOT: bars}), START_MS + 3 * HOUR_MS, {})
    assert early == list_instruments(tape_of({SPOT: [*flat(100, 3), *flat(90_000, 3)]}), START_MS + 3 * HOUR_MS, {})
    late = list_instruments(tape_of({PERP: flat(1, 4), SPOT: [NO_BAR, NO_BAR, *flat(5, 2)]}), START_MS + HOUR_MS, {})
    assert late[SPOT].tick == Decimal("0.000001")


def test_what_has_no_bar_or_another_quote_cannot_be_listed():
    with pytest.raises(DataError, match="no bar"):
        list_instruments(tape_of({PERP: flat(1, 2), SPOT: [NO_BAR] * 2}), START_MS, {})
    with pytest.raises(ConfigError, match="one quote currency"):
        list_instruments(tape_of({"BTC-USDT": flat(1, 2), "BTC-EUR": flat(1, 2)}), START_MS, {})
    with pytest.raises(ConfigError, match="must be a number"):
        list_instruments(tape_of({SPOT: flat(1, 2)}), START_MS, {"spot": {"min_notional": "some"}})

"""The modes as they come, thresholds that tune themselves within bounds, and files that are wrong."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import Event, EventKind
from trading.domain.errors import ConfigError
from trading.risk import load_modes
from trading.risk.modes import Thresholds

FILE = Path(__file__).parents[3] / "config" / "modes.toml"
MODES = load_modes(FILE)


def close(number: int, *, lost: bool) -> list[Event]:
    rows = []
    for step, (side, price) in enumerate((("buy", "100"), ("sell", "99" if lost else "101"))):
        payload = {"fill_id": f"f{number}{step}", "order_id": "o", "desk": "a", "instrument": "BTC-USDT-PERP"}
        payload |= {"side": side, "price": price, "quantity": "1", "fee": "0", "liquidity": "taker", "ts_ms": 0}
        rows.append(Event(ts_ms=number, kind=EventKind.FILLED, payload=payload))
    return rows


def test_the_thresholds_are_those_that_are_promised():
    assert {name: mode.full_confidence for name, mode in MODES.items()} == {
        "conservative": Decimal("0.85"),
        "balanced": Decimal("0.75"),
        "aggressive": Decimal("0.65"),
        "autonomous": Decimal("0.65"),
    }
    assert [name for name, mode in MODES.items() if mode.person_approves] == ["conservative"]


def test_a_fixed_mode_learns_nothing():
    thresholds = Thresholds(MODES["balanced"])
    for event in close(1, lost=True):
        thresholds.apply(event)
    assert thresholds.of("a") == Decimal("0.75")


@given(st.lists(st.booleans(), max_size=60))
def test_an_autonomous_desk_follows_its_closes_within_bounds(results):
    thresholds, expected = Thresholds(MODES["autonomous"]), Decimal("0.65")
    for number, lost in enumerate(results):
        for event in close(number, lost=lost):
            thresholds.apply(event)
        expected = min(Decimal("0.85"), max(Decimal("0.6"), expected + (Decimal("0.02") if lost else Decimal("-0.01"))))
        assert thresholds.of("a") == expected
    assert thresholds.of("b") == Decimal("0.65"), "each desk by its own"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a", "not TOML"),
        ("[a]\nfull_confidence = '0.4'\nbelow = 'cut'\nperson_approves = false", "full_confidence"),
        ("[a]\nfull_confidence = 'NaN'\nbelow = 'cut'\nperson_approves = false", "full_confidence"),
        ("[a]\nfull_confidence = '0.7'\nbelow = 'double'\nperson_approves = false", "below"),
        ("[a]\nfull_confidence = '0.7'\nbelow = 'cut'\nperson_approves = 'no'", "person_approves"),
        ("[a]\nfull_confidence = '0.7'\nbelow = 'cut'\nperson_approves = false\nx = 1", "x"),
        (
            "[a]\nfull_confidence='0.9'\nbelow='cut'\nperson_approves=false\n"
            "tuning={lowest='0.6',highest='0.8',after_loss='0.01',after_win='0.01'}",
            "between",
        ),
        ("a = 1", "a"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, text, message):
    path = tmp_path / "modes.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as refused:
        load_modes(path)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_modes(tmp_path / "none.toml")

"""Exact money: every rounding goes where it says it goes, whatever the number of digits."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import decimal_from_float, money_text, round_down, round_nearest, round_up

VALUES = st.decimals(Decimal("-1e30"), Decimal("1e30"), allow_nan=False, allow_infinity=False) | st.decimals(
    Decimal("-1e6"), Decimal("1e6"), places=45
)
STEPS = st.sampled_from([Decimal(text) for text in ("0.00000001", "0.01", "0.5", "0.25", "1", "10", "1e-12", "1e4")])


@given(VALUES, STEPS)
def test_rounding_lands_on_the_grid_on_the_side_it_promised(value, step):
    down, up, nearest = round_down(value, step), round_up(value, step), round_nearest(value, step)
    exact, grid = Fraction(value), Fraction(step)
    for rounded in (down, up, nearest):
        assert Fraction(rounded) % grid == 0
    assert 0 <= exact - Fraction(down) < grid
    assert 0 <= Fraction(up) - exact < grid
    assert abs(Fraction(nearest) - exact) * 2 <= grid
    assert nearest in (down, up)


@given(VALUES, STEPS)
def test_what_lies_on_the_grid_stays(value, step):
    there = round_down(value, step)
    assert round_down(there, step) == round_up(there, step) == round_nearest(there, step) == there


@pytest.mark.parametrize(("value", "rounded"), [("0.5", "0"), ("1.5", "2"), ("-0.5", "0"), ("2.5", "2")])
def test_ties_go_to_the_even_one(value, rounded):
    assert round_nearest(Decimal(value), Decimal(1)) == Decimal(rounded)


def test_digits_beyond_the_usual_context_count():
    nearly = Decimal("0." + "9" * 60)
    assert round_down(nearly, Decimal(1)) == 0
    assert round_up(Decimal("1." + "0" * 60 + "1"), Decimal(1)) == 2
    assert round_nearest(Decimal("0.5" + "0" * 150 + "1"), Decimal(1)) == 1
    with localcontext() as narrow:
        narrow.prec = 3
        assert round_down(Decimal("123456.789"), Decimal("0.01")) == Decimal("123456.78")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_keeps_its_shortest_digits(value):
    assert float(decimal_from_float(value)) == value
    assert str(decimal_from_float(0.1)) == "0.1"


@given(st.decimals(Decimal("-1e25"), Decimal("1e25")) | st.decimals(Decimal(-1), Decimal(1), places=30))
def test_money_as_text_is_plain_digits_and_reads_back(value):
    text = money_text(value)
    assert Decimal(text) == value
    assert "E" not in text.upper()
    assert text != "-0"
    assert "." not in text or text[-1] not in ".0"
    assert money_text(Decimal(text)) == text


@pytest.mark.parametrize("rubbish", ["NaN", "Infinity", "-Infinity", "1e999999", "1e-999999", "sNaN"])
def test_rubbish_stays_short(rubbish):
    assert len(money_text(Decimal(rubbish))) < 20

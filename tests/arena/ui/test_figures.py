"""Numbers as printed: real minus, no-break space, and never a zero for what is not known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.ui import figures


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [(0.0312, "+3.1\u00a0%"), (-0.27349, "\u221227.3\u00a0%"), (0.0, "0.0\u00a0%"), (-0.0001, "0.0\u00a0%")],
)
def test_percent(fraction: float, expected: str) -> None:
    assert figures.percent(fraction) == expected


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf, -math.inf])
def test_unknown_is_never_a_number(unknown: float | None) -> None:
    for show in (figures.percent, figures.dollars, figures.number, figures.price):
        assert show(unknown) == "n/a"


def test_money_has_its_sign_before_the_dollar() -> None:
    assert figures.dollars(-1234.5) == "\u2212$1,234.50"
    assert figures.dollars(3.1, signed=True) == "+$3.10"


def test_price_keeps_five_significant_digits() -> None:
    assert figures.price(64_210.53) == "64,210.5"
    assert figures.price(0.000123456) == "0.00012346"


def test_rank_with_and_without_tie() -> None:
    assert (figures.rank(1, 1), figures.rank(1, 3)) == ("1", "1\u20133")


def test_durations_have_their_natural_unit() -> None:
    spoken = [figures.duration(ms) for ms in (12, 4_200, 90_000, 600_000, 3_600_000, 19_800_000, 1_036_800_000)]
    assert spoken == ["12\u00a0ms", "4.2\u00a0s", "90\u00a0s", "10\u00a0min", "1\u00a0h", "5.5\u00a0h", "12\u00a0days"]


def test_an_interval_that_touches_zero_does_not_exclude_it() -> None:
    assert figures.excludes_zero((0.01, 0.2))
    assert figures.excludes_zero((-0.2, -0.01))
    assert not figures.excludes_zero((0.0, 0.2))
    assert not figures.excludes_zero(None)


@given(st.floats(min_value=-1e9, max_value=1e9))
def test_no_ascii_minus_is_ever_printed(value: float) -> None:
    assert "-" not in figures.percent(value) + figures.dollars(value, signed=True) + figures.price(value)

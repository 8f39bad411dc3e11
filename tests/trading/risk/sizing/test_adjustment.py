"""The mood joint: off unless asked for, bounded, fading, blind to the future, and weighed by quality."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.risk.sizing import Adjustment, AdjustmentRules, Reading, adjustment

HOUR_MS = 3_600_000
NOW = 1000 * HOUR_MS
ON = AdjustmentRules(enabled=True)
ANY = st.floats(allow_nan=True, allow_infinity=True)


def said(score: float, hours_ago: float = 0, quality: float = 1.0) -> Reading:
    return Reading(score=score, known_ms=NOW - round(hours_ago * HOUR_MS), quality=quality)


def test_it_is_off_by_default() -> None:
    assert adjustment([said(1)], side=1, as_of_ms=NOW) == Adjustment()


def test_a_mood_with_the_position_and_against_it() -> None:
    long, short = (adjustment([said(1)], side=side, as_of_ms=NOW, rules=ON) for side in (1, -1))
    assert (long.size, long.stop, long.take_profit) == pytest.approx((1.2, 1.15, 1.15))
    assert (short.size, short.stop, short.take_profit) == pytest.approx((0.8, 0.85, 0.85))
    assert long.correlation == short.correlation == pytest.approx(0.9)
    turned = AdjustmentRules(enabled=True, contrarian=True)
    assert adjustment([said(1)], side=1, as_of_ms=NOW, rules=turned).size == pytest.approx(0.8)


def test_it_fades_by_half_lives_and_ends() -> None:
    sizes = [adjustment([said(1, hours)], side=1, as_of_ms=NOW, rules=ON).size for hours in (0, 6, 12, 49)]
    assert sizes == pytest.approx([1.2, 1.1, 1.05, 1.0])


def test_the_doubtful_count_less() -> None:
    found = adjustment([said(1, quality=0.25), said(-1)], side=1, as_of_ms=NOW, rules=ON)
    assert found.mood == pytest.approx((0.25 - 1) / 1.25)
    assert adjustment([said(1, quality=0.25)], side=1, as_of_ms=NOW, rules=ON).size == pytest.approx(1.05)


def test_what_is_said_later_does_not_exist() -> None:
    assert adjustment([said(1, hours_ago=-0.001)], side=1, as_of_ms=NOW, rules=ON) == Adjustment()


@given(
    readings=st.lists(st.builds(said, ANY, st.floats(-100, 100), ANY), max_size=6),
    side=st.sampled_from((1, -1)),
    contrarian=st.booleans(),
)
def test_whatever_is_said_the_factors_are_bounded(readings: list[Reading], side: int, contrarian: bool) -> None:
    rules = AdjustmentRules(enabled=True, contrarian=contrarian)
    found = adjustment(readings, side=side, as_of_ms=NOW, rules=rules)
    assert 0.8 - 1e-12 <= found.size <= 1.2 + 1e-12
    assert 0.85 - 1e-12 <= found.stop <= 1.15 + 1e-12
    assert 0.9 - 1e-12 <= found.correlation <= 1.0
    assert 0 <= found.weight <= 1


@pytest.mark.parametrize("wrong", [{"size": 0.6}, {"stop": -0.1}, {"correlation": math.nan}, {"half_life_ms": 0}])
def test_rules_that_are_none(wrong: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        AdjustmentRules(**wrong)


def test_no_such_side() -> None:
    with pytest.raises(ValueError, match="side 0"):
        adjustment([], side=0, as_of_ms=NOW)

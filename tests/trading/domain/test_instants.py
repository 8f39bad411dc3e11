"""Instants and durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import duration_ms, duration_text, from_ms, iso, parse_instant, to_ms
from trading.domain.errors import RequestError


@given(st.integers(1, 999_999).map(lambda seconds: seconds * 1000))
def test_a_duration_reads_back(ms):
    assert duration_ms(duration_text(ms)) == ms


@pytest.mark.parametrize(
    ("text", "ms"), [("15m", 900_000), ("1h", 3_600_000), ("7d", 604_800_000), (" 2w ", 1_209_600_000)]
)
def test_durations_by_hand(text, ms):
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "h", "0h", "-1h", "1.5h", "1H", "1 h", "1h30m", "99999999d", "٣h", "1h\n1h"])
def test_what_is_no_duration_is_refused_in_one_line(text):
    with pytest.raises(RequestError, match="expected a whole number") as refused:
        duration_ms(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("ms", [0, -1000, 1, 1500])
def test_what_is_no_whole_second_has_no_text(ms):
    with pytest.raises(ValueError, match="whole number of seconds"):
        duration_text(ms)


@given(st.integers(0, 4 * 10**12))
def test_an_instant_reads_back(ms):
    assert to_ms(parse_instant(iso(ms))) == ms
    assert to_ms(from_ms(ms)) == ms


@pytest.mark.parametrize(
    "text", ["2025-10-17T00:00:00Z", "2025-10-17T02:00:00+02:00", " 2025-10-16T19:00:00-05:00 ", "2025-10-17T00:00Z"]
)
def test_any_zone_is_the_same_instant_in_utc(text):
    assert iso(to_ms(parse_instant(text))) == "2025-10-17T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    ["", "now", "2025-10-17", "2025-10-17T00:00:00", "2025-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1760659200"],
)
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(RequestError, match="zone"):
        parse_instant(text)

"""What is left of a time once some of it is known."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trading.marketdata.store import Span, joined, without

spans = st.lists(st.builds(lambda at, length: Span(at, at + length), st.integers(0, 50), st.integers(0, 12)))


def instants(*some: Span) -> set[int]:
    return {at for span in some for at in range(span.begin_ms, span.end_ms)}


@given(spans)
def test_joined_is_the_same_time_without_touching_parts(some: list[Span]) -> None:
    found = joined(some)
    assert instants(*found) == instants(*some)
    assert all(before.end_ms < after.begin_ms for before, after in pairwise(found))


@given(spans, st.integers(0, 30), st.integers(1, 40))
def test_what_is_left_is_what_was_not_known(known: list[Span], at: int, length: int) -> None:
    wanted = Span(at, at + length)
    assert instants(*without(wanted, known)) == instants(wanted) - instants(*known)

"""Breakers as a fold: what trips, what is remembered, what a resume forgets."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.markets import HOUSE
from trading.domain import Event, EventKind
from trading.risk import Breakers


def marked(**equity: str) -> Event:
    desks = {desk: {"equity": value} for desk, value in equity.items()}
    return Event(ts_ms=0, kind=EventKind.MARKED, payload={"desks": desks})


def tripped(scope: str, state: str) -> Event:
    payload = {"scope": scope, "state": state, "rule": "r", "limit": "0.1", "value": "0.2"}
    return Event(ts_ms=0, kind=EventKind.BREAKER_TRIPPED, payload=payload)


def after(*events: Event) -> Breakers:
    breakers = Breakers(HOUSE)
    for event in events:
        breakers.apply(event)
    return breakers


def scopes(breakers: Breakers) -> list[tuple[str, str]]:
    return [(trip.scope, trip.state) for trip in breakers.due()]


def test_before_the_first_mark_nothing_is_due():
    assert after().due() == []
    assert not after().halted


def test_the_peak_is_the_highest_mark_so_far():
    breakers = after(marked(a="100"), marked(a="200"), marked(a="181"))
    assert breakers.due() == []
    breakers.apply(marked(a="180"))
    assert scopes(breakers) == [("a", "reduce_only")]
    assert breakers.peak("a") == 200
    assert breakers.due()[0].value == Decimal("0.1")


def test_a_trip_is_due_until_it_is_written_and_never_again():
    breakers = after(marked(a="100", b="100"), marked(a="60", b="100"))
    assert scopes(breakers) == scopes(breakers) == [("a", "reduce_only"), ("arena", "halted")]
    breakers.apply(tripped("a", "reduce_only"))
    breakers.apply(tripped("arena", "halted"))
    assert breakers.due() == []
    assert breakers.reduce_only("a")
    assert not breakers.reduce_only("b")
    assert breakers.halted
    breakers.apply(marked(a="100", b="100"))
    assert breakers.reduce_only("a"), "a recovery does not rearm; a person does"
    assert breakers.halted


def test_a_resume_forgets_the_old_peaks():
    breakers = after(marked(a="100"), marked(a="50"), tripped("a", "reduce_only"), tripped("arena", "halted"))
    breakers.apply(Event(ts_ms=0, kind=EventKind.RESUMED, payload={"by": "person"}))
    assert not breakers.halted
    assert not breakers.reduce_only("a")
    assert breakers.peak("a") == 50
    assert breakers.due() == []
    breakers.apply(marked(a="45"))
    assert scopes(breakers) == [("a", "reduce_only")]


def test_a_person_halts_with_a_reason():
    breakers = after(Event(ts_ms=0, kind=EventKind.HALTED, payload={"scope": "everything", "reason": "storm"}))
    assert breakers.halt_reason == "storm"


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30))
def test_a_desk_is_due_exactly_when_it_ever_lost_a_tenth(path):
    breakers = Breakers(HOUSE)
    peak, fell = 0, False
    for equity in path:
        breakers.apply(marked(a=str(equity)))
        peak = max(peak, equity)
        fell = (peak - equity) * 10 >= peak
        assert (("a", "reduce_only") in scopes(breakers)) is fell
        assert (("arena", "halted") in scopes(breakers)) is ((peak - equity) * 100 >= peak * 15)

"""The states of an order: the table itself, what venues tell out of order, and random streams of it."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.domain import OrderStatus
from trading.domain.errors import IllegalTransition
from trading.execution import TRANSITIONS, Happening, OrderLife

S, H = OrderStatus, Happening
ONE = Decimal(1)


def life(status: OrderStatus = S.SENT, quantity: str = "10") -> OrderLife:
    return OrderLife(order_id="o", quantity=Decimal(quantity), status=status)


def test_the_table_names_every_state_and_leads_nowhere_else():
    assert set(TRANSITIONS) == set(S)
    for state, steps in TRANSITIONS.items():
        assert set(steps.values()) <= set(S)
        if state.is_final and state is not S.REJECTED:
            assert set(steps.values()) <= {state, S.FILLED}, "what has ended stays so, but for a fill that came late"
    assert TRANSITIONS[S.REJECTED].keys() == {H.REJECT, H.CANCEL, H.LOSE}


def test_the_usual_way():
    walked = life(S.PROPOSED).after(H.GATE).after(H.SEND).after(H.ACKNOWLEDGE)
    assert walked.status is S.OPEN
    partly = walked.after_fill("a", Decimal(4))
    assert (partly.status, partly.left) == (S.PARTIALLY_FILLED, Decimal(6))
    assert partly.after_fill("b", Decimal(6)).status is S.FILLED


def test_a_fill_before_the_acknowledgement_is_taken():
    filled = life().after_fill("a", Decimal(4))
    assert filled.after(H.ACKNOWLEDGE).status is S.PARTIALLY_FILLED
    assert life().after_fill("a", Decimal(10)).after(H.ACKNOWLEDGE).status is S.FILLED


def test_an_echo_changes_nothing():
    opened = life().after(H.ACKNOWLEDGE)
    assert opened.after(H.ACKNOWLEDGE) == opened
    filled = opened.after_fill("a", Decimal(4))
    assert filled.after_fill("a", Decimal(4)) == filled


def test_a_cancellation_after_the_last_fill_comes_too_late():
    assert life().after_fill("a", Decimal(10)).after(H.CANCEL).status is S.FILLED


def test_a_fill_that_the_cancellation_had_overtaken_is_kept():
    cancelled = life().after(H.CANCEL)
    late = cancelled.after_fill("a", Decimal(4))
    assert (late.status, late.filled) == (S.CANCELLED, Decimal(4))
    assert late.after_fill("b", Decimal(6)).status is S.FILLED


def test_an_unknown_order_becomes_whatever_the_venue_says():
    lost = life().after(H.LOSE)
    assert lost.status is S.UNKNOWN
    assert lost.after(H.ACKNOWLEDGE).status is S.OPEN
    assert lost.after(H.REJECT).status is S.REJECTED
    assert lost.after_fill("a", ONE).after(H.LOSE).after(H.ACKNOWLEDGE).status is S.PARTIALLY_FILLED


@pytest.mark.parametrize(
    ("state", "happening"),
    [(state, happening) for state in S for happening in H if happening not in TRANSITIONS[state]],
)
def test_every_other_step_is_refused_by_name(state, happening):
    with pytest.raises(IllegalTransition, match=f"is {state.value}.*cannot {happening.value}"):
        life(state).after(happening)


def test_a_rejected_order_has_no_fills():
    with pytest.raises(IllegalTransition, match="cannot fill"):
        life().after(H.REJECT).after_fill("a", ONE)
    with pytest.raises(IllegalTransition, match="cannot reject"):
        life().after_fill("a", ONE).after(H.LOSE).after(H.REJECT)


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN"])
def test_a_fill_of_nothing_is_refused(quantity):
    with pytest.raises((IllegalTransition, ArithmeticError)):
        life().after_fill("a", Decimal(quantity))


def test_no_more_fills_than_ordered():
    with pytest.raises(IllegalTransition, match="would make it 11"):
        life().after_fill("a", Decimal(10)).after_fill("b", ONE)


STEPS = st.lists(
    st.one_of(
        st.sampled_from([h for h in H if h not in (H.FILL, H.COMPLETE)]),
        st.tuples(st.sampled_from("abcdefg"), st.integers(1, 6)),
    ),
    max_size=40,
)


@settings(max_examples=500, deadline=None)
@given(STEPS)
def test_no_stream_of_events_reaches_an_illegal_or_double_filled_state(steps):
    now, counted = life(S.PROPOSED), {}
    ended = False
    for step in steps:
        try:
            if isinstance(step, tuple):
                after = now.after_fill(step[0], Decimal(step[1]))
                counted.setdefault(step[0], Decimal(step[1]))
            else:
                after = now.after(step)
        except IllegalTransition:
            continue
        assert after.status in {now.status, *TRANSITIONS[now.status].values(), S.PARTIALLY_FILLED}
        assert after.filled == sum(counted.values()), "each fill counts once"
        assert now.filled <= after.filled <= after.quantity
        assert (after.filled == after.quantity) == (after.status is S.FILLED)
        assert after.status is not S.REJECTED or after.filled == 0
        assert not ended or after.status.is_final, "what has ended does not come back"
        now, ended = after, after.status.is_final

"""What a proposal would do, in numbers that a person can check, and nothing made up where they are not known."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from arena.seasons.proposals import effects_of
from graphs import Seat
from tests.agents.staging import seat
from trading.risk.approvals import Asked

INTENT = {
    "instrument": "BTC-USDT-PERP",
    "side": "sell",
    "quantity": "2",
    "order_type": "limit",
    "limit_price": "100",
    "reduce_only": False,
    "good_for_rounds": 1,
    "reason": "why not",
}
RULING = {"intent": INTENT, "ruling": "resized", "quantity_after": "1.5", "message": "cut to 1.5"}


def asked(*rulings: Any) -> Asked:
    return Asked(
        run_id="run-1",
        proposal="p-1",
        decision_id="d-1",
        desk="desk",
        round_index=0,
        rulings=rulings,
        rationale="",
        asked_ms=0,
        deadline_ms=1,
    )


def seated(**changes: Any) -> Seat:
    return replace(seat(held={"BTC-USDT-PERP": "0.5"}), decision_id="d-1", **changes)


def test_it_counts_what_the_gate_lets_through() -> None:
    (effect,) = effects_of(asked(RULING), seated())
    assert effect is not None
    assert (effect.quantity, effect.value) == (Decimal("1.5"), Decimal(150))
    assert (effect.held, effect.after) == (Decimal("0.5"), Decimal(-1))
    assert effect.worst == Decimal(5), "one coin short at 100, 5 % against it"
    assert effect.fee == Decimal("0.0675"), "150 at 4.5 basis points"


def test_a_market_order_is_counted_at_the_last_price() -> None:
    place = seated()
    price = place.tools.view.quote("BTC-USDT-PERP").price
    (effect,) = effects_of(asked({**RULING, "intent": {**INTENT, "order_type": "market", "limit_price": None}}), place)
    assert effect is not None
    assert effect.value is not None
    assert float(effect.value) == pytest.approx(1.5 * price)


@pytest.mark.parametrize("place", [None, replace(seat(), decision_id="d-2")], ids=["no seat", "of another decision"])
def test_without_the_seat_only_the_proposal_itself_is_told(place: Seat | None) -> None:
    (effect,) = effects_of(asked(RULING), place)
    assert effect is not None
    assert (effect.quantity, effect.message) == (Decimal("1.5"), "cut to 1.5")
    assert {effect.value, effect.held, effect.after, effect.worst, effect.fee} == {None}


@pytest.mark.parametrize(
    "ruling",
    [
        {},
        "rubbish",
        None,
        {**RULING, "intent": None},
        {**RULING, "ruling": "perhaps"},
        {**RULING, "quantity_after": "much"},
        {**RULING, "intent": {**INTENT, "quantity": "-1"}},
        {**RULING, "intent": {**INTENT, "side": "<script>"}},
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(ruling: Any) -> None:
    assert effects_of(asked(ruling, RULING), seated())[0] is None
    assert effects_of(asked(ruling, RULING), seated())[1] is not None

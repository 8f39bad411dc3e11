"""What a person may change in a proposal: amounts and prices that fit together, and never what is traded."""

from typing import Any

import pytest

from trading.domain.errors import RequestError
from trading.risk.edits import LegChange, edited, edits_of

BUY: dict[str, Any] = {
    "instrument": "BTC-USDT-PERP",
    "side": "buy",
    "quantity": "2",
    "order_type": "limit",
    "limit_price": "100",
    "reduce_only": False,
    "good_for_rounds": 1,
    "reason": "test",
    "stop_loss": "90",
}
SELL: dict[str, Any] = {
    **BUY, "instrument": "ETH-USDT-PERP", "side": "sell", "order_type": "market", "limit_price": None, "stop_loss": None
}  # fmt: skip
RULINGS = [{"intent": BUY, "ruling": "allowed"}, {"intent": SELL, "ruling": "allowed"}]
LOTS = {"BTC-USDT-PERP": "0.5"}


def change(leg: int = 1, *, drop: bool = False, **values: str | None) -> LegChange:
    return LegChange(leg=leg, values=values, drop=drop)


def test_what_differs_is_an_edit_and_the_rest_stays() -> None:
    wanted = [change(quantity=" 1.50 ", limit_price="100.0", stop_loss=None, take_profit="120")]
    edits = edits_of(RULINGS, wanted, LOTS)
    assert [edit.words for edit in edits] == [
        "BTC-USDT-PERP quantity from 2 to 1.5",
        "BTC-USDT-PERP stop loss from 90 to none",
        "BTC-USDT-PERP take profit from none to 120",
    ]
    assert edited([BUY, SELL], edits) == [{**BUY, "quantity": "1.5", "stop_loss": None, "take_profit": "120"}, SELL]
    assert BUY["quantity"] == "2", "the proposal itself stays as it was"


def test_a_dropped_leg_is_left_out() -> None:
    edits = edits_of(RULINGS, [change(drop=True), change(2, quantity="7")], LOTS)
    assert [edit.words for edit in edits] == ["BTC-USDT-PERP dropped", "ETH-USDT-PERP quantity from 2 to 7"]
    assert edited([BUY, SELL], edits) == [{**SELL, "quantity": "7"}]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ([change(quantity="-1")], "above zero"),
        ([change(quantity="0.0")], "above zero"),
        ([change(quantity="NaN")], "above zero"),
        ([change(quantity="Infinity")], "above zero"),
        ([change(quantity="1e30")], "above zero"),
        ([change(quantity="much")], "above zero"),
        ([change(quantity="<img src=x>")], "above zero"),
        ([change(quantity="\N{ARABIC-INDIC DIGIT FIVE}")], "above zero"),
        ([change(quantity="1" * 13)], "above zero"),
        ([change(quantity=None)], "above zero"),
        ([change(limit_price="")], "above zero"),
        ([change(quantity="1.3")], "steps of 0.5"),
        ([change(limit_price=None)], "they need one"),
        ([change(2, limit_price="5")], "limit_price belongs to limit"),
        ([change(stop_loss="101")], "either side of the limit price"),
        ([change(take_profit="80")], "wrong sides"),
        ([change(trigger_price="80")], "trigger_price belongs to stop"),
        ([change(side="sell")], "'side' cannot be changed"),
        ([change(instrument="ETH-USDT-PERP")], "'instrument' cannot be changed"),
        ([change(reduce_only="true")], "cannot be changed"),
        ([change(0, quantity="1")], "there is no leg 0"),
        ([change(3, quantity="1")], "there is no leg 3: the proposal has 2"),
        ([change(-1, drop=True)], "there is no leg -1"),
        ([change(quantity="1"), change(drop=True)], "named twice"),
        ([change(quantity="1", drop=True)], "changed and dropped"),
        ([change(drop=True), change(2, drop=True)], "every leg is dropped"),
        ([change(quantity="2.00", limit_price="100")], "nothing is changed"),
        ([], "nothing is changed"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(wanted: list[LegChange], why: str) -> None:
    with pytest.raises(RequestError, match=why) as refused:
        edits_of(RULINGS, wanted, LOTS)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "ruling",
    [{}, {"intent": "<script>"}, {"intent": {**BUY, "side": "up"}}, {"intent": {**BUY, "quantity": "x"}}, "rubbish"],
)
def test_a_leg_that_cannot_be_read_cannot_be_changed(ruling: Any) -> None:
    with pytest.raises(RequestError, match="leg 1 cannot be read"):
        edits_of([ruling, RULINGS[1]], [change(quantity="1")], LOTS)
    assert edits_of([ruling, RULINGS[1]], [change(2, quantity="1")], {})

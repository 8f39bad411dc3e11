"""From target weights to intents, for any account."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm.house.sizing import Standing, Terms, intents_for
from agents.schemas.executor import IntentAnswer

SYMBOLS = ("A-USDT-PERP", "B-USDT-PERP", "C-USDT")
PRICES = {"A-USDT-PERP": Decimal(50_000), "B-USDT-PERP": Decimal("2.5"), "C-USDT": Decimal(100)}
LOT = Decimal("0.001")
TERMS = {symbol: Terms(can_short=symbol.endswith("PERP"), lot=LOT, min_notional=Decimal(5)) for symbol in SYMBOLS}
WEIGHTS = st.none() | st.floats(-3, 3)
HELD = st.fixed_dictionaries(
    {"A-USDT-PERP": st.decimals("-0.5", "0.5", places=3), "B-USDT-PERP": st.decimals(-5000, 5000, places=3)},
    optional={"C-USDT": st.decimals(0, 90, places=3)},
)


def standing(held=None, equity="10000", **changes):
    stated = {
        "equity": Decimal(equity),
        "reduce_only": False,
        "halted": False,
        "busy": frozenset(),
        "quantities": held or {},
        "prices": PRICES,
        "terms": TERMS,
    }
    return Standing(**{**stated, **changes})


def after(held, intents):
    quantities = {symbol: held.get(symbol, Decimal(0)) for symbol in SYMBOLS}
    for intent in intents:
        sign = 1 if intent["side"] == "buy" else -1
        quantities[intent["instrument"]] += sign * Decimal(intent["quantity"])
    return quantities


@given(st.fixed_dictionaries(dict.fromkeys(SYMBOLS, WEIGHTS)), HELD, st.floats(0, 2), st.booleans())
def test_intents_are_valid_on_the_grid_and_within_bounds(targets, held, cap, reduce_only):
    account = standing(held, reduce_only=reduce_only)
    intents = intents_for(targets, account, band=0.05, max_gross=cap)
    for intent in intents:
        IntentAnswer.model_validate_json(json.dumps(intent))
        quantity = Decimal(intent["quantity"])
        assert quantity % LOT == 0
        assert quantity * PRICES[intent["instrument"]] >= 5
    sides = [intent["side"] for intent in intents]
    assert sides == sorted(sides, reverse=True), "sales first"
    then = after(held, intents)
    assert then["C-USDT"] >= 0, "spot is never short"
    for intent in intents:
        symbol = intent["instrument"]
        now, left = held.get(symbol, Decimal(0)), then[symbol]
        if intent["reduce_only"] or reduce_only:
            assert abs(left) < abs(now)
            assert left * now >= 0
    if not reduce_only:
        moved = {intent["instrument"] for intent in intents}
        kept = sum(abs(quantity * PRICES[s]) for s, quantity in held.items() if s not in moved)
        gross = sum(abs(quantity * PRICES[s]) for s, quantity in then.items())
        assert gross <= Decimal(cap) * 10_000 + kept + 300, "new exposure stays within the cap"


def test_small_drift_is_not_traded_and_closing_always_is():
    held = {"A-USDT-PERP": Decimal("0.1")}
    assert intents_for({"A-USDT-PERP": 0.52}, standing(held), band=0.05, max_gross=1.0) == []
    (closing,) = intents_for({"A-USDT-PERP": 0.0}, standing(held), band=0.9, max_gross=1.0)
    assert (closing["side"], closing["quantity"], closing["reduce_only"]) == ("sell", "0.1", True)


def test_turning_a_position_is_one_order_that_may_open():
    held = {"A-USDT-PERP": Decimal("0.1")}
    (turn,) = intents_for({"A-USDT-PERP": -0.5}, standing(held), band=0.05, max_gross=1.0)
    assert (turn["side"], turn["quantity"], turn["reduce_only"]) == ("sell", "0.2", False)


@pytest.mark.parametrize(
    "changes",
    [
        {"equity": "0"},
        {"equity": "-50"},
        {"busy": frozenset({"A-USDT-PERP"})},
        {"prices": {}},
        {"reduce_only": True},
    ],
)
def test_nothing_is_wanted_where_nothing_can_be_done(changes):
    assert intents_for({"A-USDT-PERP": 1.0}, standing(**changes), band=0.05, max_gross=1.0) == []


def test_spot_leaves_cash_for_its_costs():
    (intent,) = intents_for({"C-USDT": 1.0}, standing(), band=0.05, max_gross=1.0)
    assert Decimal(intent["quantity"]) * PRICES["C-USDT"] == Decimal(9800)

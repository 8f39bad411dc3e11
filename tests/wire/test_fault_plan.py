"""Which calls fail: as scripted, or by seed and conversation and nothing else."""

import json
from collections import Counter

import pytest

from agents.schemas import AnalystReport
from tests.wire import LASTING, WEATHER, Fault, FaultPlan
from tests.wire.brain import reply_to
from tests.wire.faults import STATUS, spoilt
from tests.wire.talk import Ask, Offer, Said

SCHEMA = {"type": "object", "properties": {"summary": {}, "signals": {}, "confidence": {}}}


def ask(text: str = "What now?") -> Ask:
    return Ask(model="m", said=(Said(role="user", text=text),), schema=SCHEMA)


def test_a_script_is_followed_and_then_nothing_fails() -> None:
    plan = FaultPlan([Fault.HANG, None, Fault.EMPTY])
    assert [plan.fault_for(ask()) for _ in range(5)] == [Fault.HANG, None, Fault.EMPTY, None, None]


def test_always_is_always() -> None:
    plan = FaultPlan.always(Fault.RESET)
    assert {plan.fault_for(ask(str(number))) for number in range(50)} == {Fault.RESET}


def test_the_share_of_faults_is_the_one_asked_for_and_each_kind_is_met() -> None:
    plan = FaultPlan.seeded(0.2, seed=11)
    met = Counter(plan.fault_for(ask(str(number))) for number in range(5000))
    assert 0.18 < 1 - met[None] / 5000 < 0.22
    assert set(met) - {None} == set(WEATHER)
    assert not LASTING & set(met)


def test_the_order_of_arrival_does_not_matter() -> None:
    asks = [ask(str(number)) for number in range(200)]
    forward = FaultPlan.seeded(0.5, seed=1)
    backward = FaultPlan.seeded(0.5, seed=1)
    first = {one.digest: forward.fault_for(one) for one in asks}
    second = {one.digest: backward.fault_for(one) for one in reversed(asks)}
    assert first == second
    other = FaultPlan.seeded(0.5, seed=2)
    assert first != {one.digest: other.fault_for(one) for one in asks}


def test_a_call_that_is_sent_again_may_fare_better() -> None:
    plan = FaultPlan.seeded(0.5, seed=3)
    fates = [plan.fault_for(ask()) for _ in range(40)]
    assert None in fates
    assert set(fates) != {None}


@pytest.mark.parametrize("fault", [Fault.TRUNCATED_ANSWER, Fault.WRONG_TYPES, Fault.OFF_SCHEMA, Fault.FENCED])
def test_a_spoilt_answer_is_no_answer(fault: Fault) -> None:
    good = reply_to(ask())
    AnalystReport.model_validate_json(good.text)
    with pytest.raises(ValueError, match="validation error"):
        AnalystReport.model_validate_json(spoilt(fault, ask(), good).text)


def test_an_answer_in_the_form_of_a_tool_is_spoilt_in_that_form() -> None:
    forced = Ask(model="m", said=ask().said, offers=(Offer(name="report", parameters=SCHEMA),), forced="report")
    (call,) = spoilt(Fault.OFF_SCHEMA, forced, reply_to(forced)).calls
    assert call.name == "report"
    assert set(json.loads(call.arguments_json)) == {"recommendation", "conviction"}


def test_every_fault_is_a_status_or_happens_on_the_way_or_changes_the_reply() -> None:
    on_the_way = {Fault.HANG, Fault.RESET, Fault.TRUNCATED_BODY}
    offers = (Offer(name="get_quote", parameters={}), Offer(name="get_account", parameters={}))
    asking = Ask(model="m", said=ask().said, offers=(*offers, Offer(name="get_risk", parameters={})), schema=SCHEMA)
    good = reply_to(asking)
    changed = {fault for fault in Fault if spoilt(fault, asking, good) != good}
    assert changed | STATUS.keys() | on_the_way == set(Fault)
    assert not changed & (STATUS.keys() | on_the_way)

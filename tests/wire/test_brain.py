"""The makers' brain plays every role of a desk, and plays it the same each time."""

import json
from typing import Any

import pytest

from agents.roles.analyst import SPEC as ANALYST
from agents.roles.executor import SPEC as EXECUTOR
from agents.roles.forecaster import SPEC as FORECASTER
from agents.roles.risk import SPEC as RISK
from agents.schemas import ExecutorDecision, ForecasterReport
from agents.spec import AgentSpec
from tests.wire.brain import reply_to
from tests.wire.talk import Ask, Offer, Reply, Said
from tools.registry import discover, openai_schema

BTC = "BTC-USDT-PERP"
FACTS = {"instruments": [{"symbol": BTC, "lot": "0.001"}, {"symbol": "ETH-USDT", "lot": "0.01"}]}
RESULTS: dict[str, dict[str, Any]] = {
    "get_indicators": {"indicators": {BTC: {"rsi_14": 70.0}, "ETH-USDT": {"rsi_14": None}}},
    "get_forecast": {
        "horizon_s": 14400,
        "forecasts": [{"instrument": BTC, "p_up": 0.5, "q05": -0.02, "q50": 0.0, "q95": 0.02, "volatility": 0.01}],
    },
    "get_account": {"equity": "10000", "halted": False, "reduce_only": False},
    "get_quote": {"quotes": [{"instrument": BTC, "price": 64000.5}, {"instrument": "ETH-USDT", "price": None}]},
}
ROLES = pytest.mark.parametrize("spec", [ANALYST, FORECASTER, RISK, EXECUTOR], ids=lambda spec: spec.role)


def ask(spec: AgentSpec, *, answered: bool, note: str = "", revision: object = None) -> Ask:
    """What the brain is asked in the role of ``spec``, before or after the tools have answered."""
    user = f'<facts name="facts">\n{json.dumps(FACTS)}\n</facts>\n{note}'
    user += f'<untrusted source="revision">\n{json.dumps(revision)}\n</untrusted>'
    said = [Said(role="system", text=f"You are the {spec.role}."), Said(role="user", text=user)]
    if answered:
        said.append(Said(role="assistant", text="get_quote()"))
        said += [Said(role="tool", text=json.dumps(result), tool=name) for name, result in RESULTS.items()]
    functions = [openai_schema(discover()[name])["function"] for name in spec.tools]
    return Ask(
        model="m",
        said=tuple(said),
        offers=tuple(Offer(name=function["name"], parameters=function["parameters"]) for function in functions),
        schema=spec.answer_format.response_format["json_schema"]["schema"],
    )


@ROLES
def test_it_asks_for_the_tools_it_may_read_with(spec: AgentSpec) -> None:
    calls = reply_to(ask(spec, answered=False)).calls
    assert [call.name for call in calls] == [name for name in spec.tools if name != "propose_order"]
    for call in calls:
        discover()[call.name].args.model_validate_json(call.arguments_json)


@ROLES
@pytest.mark.parametrize("answered", [True, False], ids=["with tools", "without"])
def test_its_answer_is_valid(spec: AgentSpec, answered: bool) -> None:
    asked = ask(spec, answered=answered)
    reply = reply_to(asked if answered else Ask(model="m", said=asked.said, schema=asked.schema))
    assert not reply.calls
    spec.answer.model_validate_json(reply.text, context={"instruments": [BTC, "ETH-USDT"]})


def test_without_a_schema_the_role_is_in_the_words() -> None:
    said = (Said(role="system", text="You are the risk officer. Answer in JSON."), Said(role="user", text="Now."))
    RISK.answer.model_validate_json(reply_to(Ask(model="m", said=said)).text)


def test_the_forecast_is_the_tools() -> None:
    report = ForecasterReport.model_validate_json(reply_to(ask(FORECASTER, answered=True)).text)
    assert [(row.instrument, row.horizon_s, row.q05) for row in report.forecasts] == [(BTC, 14400, -0.02)]


def test_it_buys_a_little_or_holds() -> None:
    decisions = [_decision(ask(EXECUTOR, answered=True, note=f"{number}")) for number in range(60)]
    bought = [decision for decision in decisions if decision.intents]
    assert 25 < len(bought) < 55
    assert {(intent.instrument, intent.quantity) for row in bought for intent in row.intents} == {(BTC, "0.003")}


def test_after_a_ruling_it_holds() -> None:
    for number in range(20):
        asked = ask(EXECUTOR, answered=True, note=f"{number}", revision=[{"ruling": "refused"}])
        assert not _decision(asked).intents


def test_the_same_conversation_gets_the_same_reply() -> None:
    assert reply_to(ask(EXECUTOR, answered=True)) == reply_to(ask(EXECUTOR, answered=True))


def test_a_schema_it_does_not_know_is_filled() -> None:
    schema = {
        "type": "object",
        "properties": {
            "mood": {"enum": ["calm", "wild"]},
            "count": {"type": "integer", "minimum": 3},
            "note": {"anyOf": [{"type": "null"}, {"type": "string"}]},
            "parts": {"type": "ARRAY"},
        },
    }
    reply = reply_to(Ask(model="m", said=(Said(role="user", text="?"),), schema=schema))
    assert reply == Reply(text='{"mood": "calm", "count": 3, "note": null, "parts": []}')


def _decision(asked: Ask) -> ExecutorDecision:
    return ExecutorDecision.model_validate_json(reply_to(asked).text)

"""Answers: what is accepted, what is not, and what a provider is shown."""

import json

import pytest
from pydantic import ValidationError

from agents.roles import discover_roles
from agents.schemas import AnalystReport, ExecutorDecision, ForecasterReport, RiskReport
from agents.turn import RoleAgent
from prompts import load_prompt
from tests.agents.staging import GOOD, INTENT, PERPS
from trading.domain import ExecutionStyle, OrderType, Side

SPECS = list(discover_roles().values())
CONTEXT = {"instruments": PERPS}


def test_there_are_four_roles_and_only_the_executor_may_propose():
    assert {spec.role for spec in SPECS} == {"analyst", "forecaster", "risk", "executor"}
    assert [spec.role for spec in SPECS if "propose_order" in spec.tools] == ["executor"]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.role)
def test_answers_round_trip(spec):
    answer = spec.answer.model_validate_json(json.dumps(GOOD[spec.answer_name]), context=CONTEXT)
    text = answer.model_dump_json()
    assert spec.answer.model_validate_json(text, context=CONTEXT) == answer
    assert spec.answer.model_validate(answer.model_dump(mode="json"), strict=False) == answer


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.role)
def test_schema_is_strict_and_self_contained(spec):
    shown = spec.answer_format.response_format
    assert shown["json_schema"]["name"] == spec.answer_name
    assert shown["json_schema"]["strict"] is True

    def check(node):
        assert not {"$ref", "$defs", "title", "default", "minimum", "maxLength", "pattern"} & node.keys()
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
            assert all("description" in child for child in node["properties"].values())
            for child in node["properties"].values():
                check(child)
        if "items" in node:
            check(node["items"])

    check(shown["json_schema"]["schema"])


def refused(answer, value, complaint):
    with pytest.raises(ValidationError, match=complaint):
        answer.model_validate_json(json.dumps(value), context=CONTEXT)


def test_analyst_bounds():
    good = {"instrument": PERPS[0], "score": 1.0, "reason": "r"}
    report = {"summary": "s", "signals": [good], "confidence": 0.5}
    assert AnalystReport.model_validate_json(json.dumps(report), context=CONTEXT).signals[0].score == 1.0
    refused(AnalystReport, {**report, "signals": [{**good, "score": 1.01}]}, "less than or equal")
    refused(AnalystReport, {**report, "signals": [{**good, "score": "1"}]}, "valid number")
    refused(AnalystReport, {**report, "signals": [{**good, "instrument": "DOGE"}]}, "choose from BTC-USDT-PERP")
    refused(AnalystReport, {**report, "signals": [good, good]}, "more than one signal")
    refused(AnalystReport, {**report, "summary": "x" * 4001}, "at most 4000")


def test_forecast_quantiles_do_not_cross():
    row = GOOD["forecaster_report"]["forecasts"][0]

    def report(**changes):
        return {"summary": "s", "forecasts": [{**row, **changes}]}

    refused(ForecasterReport, report(q50=0.5), "quantiles cross")
    refused(ForecasterReport, report(p_up=1.2), "less than or equal")
    refused(ForecasterReport, report(q05=-1.5), "greater than or equal")
    refused(ForecasterReport, report(horizon_s=0), "greater than or equal")
    refused(ForecasterReport, report(horizon_s=14400.5), "valid integer")
    refused(ForecasterReport, {"summary": "s", "forecasts": [row, row]}, "two forecasts")


def test_objection_and_stance_belong_together():
    good = GOOD["risk_report"]
    refused(RiskReport, {**good, "stance": "object"}, "objection must be given")
    refused(RiskReport, {**good, "stance": "object", "objection": "  "}, "objection must be given")
    refused(RiskReport, {**good, "objection": "why"}, "objection must be given")
    refused(RiskReport, {**good, "stance": "panic"}, "Input should be")
    refused(RiskReport, {**good, "max_gross_leverage": -1}, "greater than or equal")


def test_executor_says_what_it_means():
    good = GOOD["executor_decision"]
    intent = ExecutorDecision.model_validate_json(json.dumps(good), context=CONTEXT).intents[0].intent()
    assert (intent.side, intent.order_type, str(intent.quantity)) == (Side.BUY, OrderType.MARKET, "2")
    refused(ExecutorDecision, {**good, "intents": []}, "at least one intent")
    refused(ExecutorDecision, {**good, "action": "hold"}, "at least one intent")
    refused(ExecutorDecision, {**good, "intents": [{**INTENT, "order_type": "limit"}]}, "limit_price belongs")
    refused(ExecutorDecision, {**good, "intents": [{**INTENT, "limit_price": "5"}]}, "limit_price belongs")
    refused(ExecutorDecision, {**good, "intents": [{**INTENT, "good_for_rounds": 0}]}, "greater than or equal")
    refused(ExecutorDecision, {**good, "intents": [INTENT] * 51}, "at most 50")


def test_a_worked_order_can_be_asked_for_and_must_fit():
    good = GOOD["executor_decision"]
    worked = {**INTENT, "style": "twap", "window_s": 14_400}
    answer = ExecutorDecision.model_validate_json(json.dumps({**good, "intents": [worked]}), context=CONTEXT)
    intent = answer.intents[0].intent()
    assert (intent.style, intent.window_s) == (ExecutionStyle.TWAP, 14_400)
    assert ExecutorDecision.model_validate_json(answer.model_dump_json()) == answer
    for rubbish, words in (
        ({"style": "vwap"}, "window_s belongs"),
        ({"window_s": 600}, "window_s belongs"),
        ({**worked, "window_s": 0}, "60 to 86400"),
        ({**worked, "window_s": 1e9}, "integer"),
        ({**worked, "window_s": "600"}, "integer"),
        ({**worked, "style": "slowly"}, "now"),
        ({**worked, "order_type": "stop", "trigger_price": "5"}, "plain market or limit"),
        ({**worked, "stop_loss": "5"}, "bracket"),
    ):
        refused(ExecutorDecision, {**good, "intents": [{**INTENT, **rubbish}]}, words)


def test_what_goes_at_once_is_written_down_as_before():
    answer = ExecutorDecision.model_validate_json(json.dumps(GOOD["executor_decision"]), context=CONTEXT)
    assert not {"style", "window_s"} & answer.intents[0].model_dump(mode="json").keys()


def test_working_is_shown_only_where_a_prompt_offers_it():
    spec = next(spec for spec in SPECS if spec.role == "executor")
    plain, offering = (
        RoleAgent(spec=spec, prompt=load_prompt(name), model="house/momentum", seed=1)
        for name in ("executor/default.v3", "executor/working")
    )
    for agent, is_shown in ((plain, False), (offering, True)):
        schema = agent.answer_format.response_format["json_schema"]["schema"]
        answer = schema["properties"]["intents"]["items"]
        proposed = next(one for one in agent.tool_schemas if one["function"]["name"] == "propose_order")["function"]
        order = proposed["parameters"]["properties"]["orders"]["items"]
        for shown in (answer, order):
            assert ({"style", "window_s"} <= shown["properties"].keys()) is is_shown
            assert "offered_with" not in json.dumps(shown)
        assert answer["required"] == list(answer["properties"])
    assert plain.answer_format == spec.answer_format, "asked as before, so that what was recorded is found again"
    assert plain.tools_sha256 != offering.tools_sha256

"""Answers: what is accepted, what is not, and what a provider is shown."""

import json

import pytest
from pydantic import ValidationError

from agents.roles import discover_roles
from agents.schemas import AnalystReport, ExecutorDecision, ForecasterReport, RiskReport
from tests.agents.staging import GOOD, INTENT, PERPS
from trading.domain import OrderType, Side

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

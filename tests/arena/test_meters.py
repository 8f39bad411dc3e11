"""What the meters show is what the decisions say, attempt by attempt."""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from arena.meters import Meters
from trading.domain import Decision, DecisionStatus, Dissent, ModelCall, ToolCall

CALL = ModelCall(
    role="analyst",
    model_requested="maker/a",
    model_answered="a-1",
    attempt=0,
    outcome="ok",
    tokens_in=100,
    tokens_out=10,
    usd=0.25,
    prompt_sha256="p",
    cassette_key="k1",
    latency_ms=400.0,
)
TOOL = ToolCall(
    role="analyst",
    tool="get_quote",
    effect="read",
    arguments_json="{}",
    outcome="ok",
    as_of_ms=0,
    result_sha256="r",
    latency_ms=1.0,
)
DECISION = Decision(decision_id="d", desk="mind", round_index=0, status=DecisionStatus.HELD, latency_ms=900.0)


def shown(*decisions: Decision) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels (in order of the labels' names), without the buckets."""
    meters = Meters()
    for decision in decisions:
        meters.count(decision)
    return {
        (sample.name.removeprefix("tradefloor_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(meters.exposition().decode())
        for sample in family.samples
        if "le" not in sample.labels and not sample.name.endswith("_created")
    }


def test_calls_tokens_dollars_and_time_add_up():
    found = shown(
        replace(DECISION, model_calls=(CALL, replace(CALL, cassette_key="k2", usd=0.5)), tool_calls=(TOOL,)), DECISION
    )
    assert found["llm_calls_total", "maker/a", "ok"] == 2
    assert found["llm_tokens_total", "in", "maker/a"] == 200
    assert found["llm_tokens_total", "out", "maker/a"] == 20
    assert found["llm_usd_total", "maker/a"] == 0.75
    assert found["llm_call_seconds_sum", "maker/a"] == pytest.approx(0.8)
    assert found["tool_calls_total", "ok", "get_quote"] == 1
    assert found["decisions_total", "mind", "held"] == 2
    assert found["decision_seconds_count", "mind"] == 2
    assert ("llm_retries_total", "maker/a") not in found


def test_what_is_not_known_is_not_counted_as_nothing():
    found = shown(replace(DECISION, model_calls=(replace(CALL, tokens_in=None, tokens_out=None, usd=None),)))
    assert found["llm_unpriced_calls_total", "maker/a"] == 1
    assert not any(name in ("llm_usd_total", "llm_tokens_total") for name, *_ in found)


def test_retries_hedges_and_failovers_are_told_apart():
    refused = replace(CALL, outcome="rate_limited", tokens_in=0, tokens_out=0, usd=0.0)
    found = shown(
        replace(
            DECISION,
            model_calls=(
                refused,
                refused,
                replace(CALL, substitute="maker/b"),
                replace(CALL, outcome="overtaken", cassette_key="k2"),
                replace(CALL, cassette_key="k2"),
            ),
        )
    )
    assert found["llm_retries_total", "maker/a"] == 1
    assert found["llm_failovers_total", "maker/a", "maker/b"] == 1
    assert found["llm_hedges_total", "maker/a"] == 1
    assert found["llm_calls_total", "maker/b", "ok"] == 1
    assert ("llm_retries_total", "maker/b") not in found


def test_abstentions_have_their_reason_and_dissent_its_model():
    found = shown(
        replace(DECISION, status=DecisionStatus.ABSTAINED, abstain_reason="risk: timeout"),
        replace(DECISION, dissent=(Dissent(role="risk", model="maker/a", said="x", combined="y"),)),
    )
    assert found["abstentions_total", "mind", "risk: timeout"] == 1
    assert found["panel_dissent_total", "maker/a"] == 1


def test_names_that_models_invent_do_not_become_series():
    invented = [replace(TOOL, tool=f"tool-{number}", outcome="unknown_tool") for number in range(50)]
    found = shown(replace(DECISION, tool_calls=tuple(invented)))
    assert found["tool_calls_total", "unknown_tool", "unknown"] == 50

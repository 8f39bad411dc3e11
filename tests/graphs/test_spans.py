"""What a trace of a decision says, and what it never says."""

import json
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as conventions
from opentelemetry.trace import SpanKind, StatusCode

from agents.llm import observe
from graphs import DeskGraph, DeskTeam
from tests.agents.staging import ROLES, Calls, Hang, Refusal, seat, team

pytestmark = pytest.mark.asyncio


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    observe.trace_with(provider)
    yield exporter
    observe.trace_with(None)
    provider.shutdown()


def children(exporter, parent):
    return [
        span
        for span in exporter.get_finished_spans()
        if span.parent is not None and span.parent.span_id == parent.context.span_id
    ]


async def test_a_decision_is_one_tree(spans):
    decision = await DeskGraph(None, "exit").decide(team("house/momentum"), seat())
    (root,) = [span for span in spans.get_finished_spans() if span.parent is None]
    assert root.name == "invoke_workflow desk"
    assert root.attributes["gen_ai.conversation.id"] == decision.decision_id
    assert root.attributes["tradefloor.status"] == decision.status.value
    agents = children(spans, root)
    assert sorted(span.name for span in agents) == sorted(f"invoke_agent {role}" for role in ROLES)
    inside = [child for agent in agents for child in children(spans, agent)]
    chats = [span for span in inside if span.name == "chat house/momentum"]
    assert len(chats) == len(decision.model_calls)
    assert len(inside) - len(chats) == len(decision.tool_calls)
    assert {span.context.trace_id for span in spans.get_finished_spans()} == {root.context.trace_id}


async def test_calls_are_told_in_the_words_of_the_conventions(spans, stage):
    await DeskGraph(None, "exit").decide(team("staged/x"), seat())
    call = next(span for span in spans.get_finished_spans() if span.name.startswith("chat"))
    assert call.kind is SpanKind.CLIENT
    assert call.attributes["gen_ai.operation.name"] == "chat"
    assert call.attributes["gen_ai.provider.name"] == "staged"
    assert call.attributes["gen_ai.request.model"] == "staged/x"
    assert call.attributes["gen_ai.usage.input_tokens"] == 100
    assert call.attributes["gen_ai.usage.output_tokens"] == 10
    assert call.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert call.attributes["tradefloor.role"] in ROLES
    assert "tradefloor.usd" not in call.attributes, "an unknown price is left out, not 0"
    known = {value for name, value in vars(conventions).items() if name.startswith("GEN_AI_")}
    told = {name for span in spans.get_finished_spans() for name in span.attributes}
    assert {name for name in told if name.startswith("gen_ai.")} <= known


async def test_failures_have_their_reason_and_nothing_of_their_text(spans, stage):
    stage.lines["analyst_report"] = [Refusal("I refuse, and my key is sk-planted")]
    decision = await DeskGraph(None, "exit").decide(team("staged/x"), seat())
    by_name = {span.name: span for span in spans.get_finished_spans() if span.status.status_code is StatusCode.ERROR}
    assert by_name["invoke_agent analyst"].attributes["error.type"] == "refused"
    assert by_name["invoke_workflow desk"].attributes["error.type"] == decision.abstain_reason == "analyst: refused"
    assert "sk-planted" not in "".join(span.to_json() for span in spans.get_finished_spans())


async def test_a_call_that_does_not_come_back_is_a_timeout(spans, stage):
    stage.lines["analyst_report"] = [Hang(5.0)]
    await DeskGraph(None, "exit").decide(team("staged/x"), seat(deadline_s=0.3))
    failed = [span for span in spans.get_finished_spans() if span.status.status_code is StatusCode.ERROR]
    assert "timeout" in {span.attributes["error.type"] for span in failed if span.name == "chat staged/x"}


async def test_tools_are_named_only_where_they_exist(spans, stage):
    stage.lines["analyst_report"] = [Calls([("get_quote", "{}"), ("sk-planted", "{}")])]
    await DeskGraph(None, "exit").decide(team("staged/x"), seat())
    told = [span for span in spans.get_finished_spans() if span.name.startswith("execute_tool")]
    assert [(span.name, span.attributes.get("error.type")) for span in told] == [
        ("execute_tool get_quote", None),
        ("execute_tool unknown", "unknown_tool"),
    ]


async def test_no_message_and_no_answer_is_in_a_trace(spans, stage):
    stage.lines["analyst_report"] = [{"summary": "SECRET-ANSWER", "signals": [], "confidence": 0.5}]
    await DeskGraph(None, "exit").decide(team("staged/x"), seat(feedback=("SECRET-MESSAGE",)))
    text = json.dumps([json.loads(span.to_json()) for span in spans.get_finished_spans()])
    assert "SECRET" not in text


async def test_each_member_of_a_panel_has_a_span(spans):
    models = {**dict.fromkeys(ROLES, "house/momentum"), "risk": ("house/momentum", "house/meanrev")}
    await DeskGraph(None, "exit").decide(DeskTeam(name="desk", models=models, seed=7), seat())
    asked = [span for span in spans.get_finished_spans() if span.name == "invoke_agent risk"]
    assert {span.attributes["gen_ai.request.model"] for span in asked} == {"house/momentum", "house/meanrev"}


async def test_without_a_provider_of_tracers_a_span_is_nothing(stage):
    assert observe.span("a", {}) is observe.span("b", {})
    stage.lines["analyst_report"] = [Refusal()]
    decision = await DeskGraph(None, "exit").decide(team("staged/x"), seat())
    assert decision.abstain_reason == "analyst: refused"

"""What holds for every tool, whoever adds it: the suite walks the registry."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.context import ToolContext
from tools.registry import MAX_RESULT_BYTES, Effect, Tool, discover, openai_schema, run_tool
from trading.domain import iso
from trading.marketdata import Tape

MakeContext = Callable[..., ToolContext]

ALL = frozenset(discover())
every_tool = pytest.mark.parametrize("tool", discover().values(), ids=lambda tool: tool.name)
rubbish = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def example(schema: dict[str, Any], name: str = "") -> Any:
    """A value that fits ``schema``, every property of an object filled."""
    if name == "instrument":
        return "BTC-USDT-PERP"
    if name == "instruments":
        return ["SOL-USDT", "BTC-USDT-PERP"]
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], name)
    match schema["type"]:
        case "object":
            return {key: example(value, key) for key, value in schema.get("properties", {}).items()}
        case "array":
            return [example(schema["items"])]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "string":
            return "0.25"
    raise AssertionError(f"no example for {schema}")


def example_arguments(tool: Tool) -> dict[str, Any]:
    found: dict[str, Any] = example(openai_schema(tool)["function"]["parameters"])
    return found


def strict_json(text: str) -> Any:
    """The parsed text; NaN and Infinity, which are not JSON, fail."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def keys_in(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set(node).union(*(keys_in(value) for value in node.values()))
    return set().union(*(keys_in(item) for item in node)) if isinstance(node, list) else set()


def other_future(tape: Tape, bar: int) -> Tape:
    """The same tape up to ``bar`` and another market from there on."""
    changed = {}
    for column in ("open", "high", "low", "close", "volume"):
        values = getattr(tape, column).copy()
        values[:, bar:] *= 3.5
        changed[column] = values
    return replace(tape, **changed)


@every_tool
def test_schema_is_what_a_model_can_read(tool: Tool) -> None:
    schema = openai_schema(tool)
    function = schema["function"]
    assert schema["type"] == "function"
    assert re.fullmatch(r"[a-z][a-z_]{2,63}", function["name"])
    assert 40 <= len(function["description"]) <= 1024
    assert function["parameters"]["type"] == "object"
    assert function["parameters"]["additionalProperties"] is False
    assert not keys_in(schema) & {"title", "$ref", "$defs"}
    assert len(json.dumps(schema)) < 3000


@every_tool
def test_effect_is_declared_and_only_proposals_reach_the_gate(tool: Tool, make_context: MakeContext) -> None:
    asked = []

    def preview(intents: object) -> list[object]:
        asked.append(intents)
        return []

    assert isinstance(tool.effect, Effect)
    if tool.effect in (Effect.READ, Effect.THINK):
        run_tool(tool.name, json.dumps(example_arguments(tool)), make_context(preview=preview), ALL)
        assert not asked


@every_tool
def test_answer_round_trips_and_speaks_of_the_view(tool: Tool, make_context: MakeContext) -> None:
    context = make_context()
    outcome = run_tool(tool.name, json.dumps(example_arguments(tool)), context, ALL)
    assert outcome.outcome == "ok", outcome.content
    assert outcome.effect == tool.effect
    assert outcome.as_of_ms == context.view.as_of_ms
    body = strict_json(outcome.content)
    assert body["as_of"] == iso(context.view.as_of_ms)
    assert body["source"]
    assert tool.result.model_validate_json(outcome.content).model_dump_json() == outcome.content


@every_tool
def test_answer_is_bounded_and_says_when_it_was_cut(tool: Tool, make_context: MakeContext, wide_tape: Tape) -> None:
    context = make_context(market=wide_tape)
    known = openai_schema(tool)["function"]["parameters"]["properties"]
    most = known.get("count", {}).get("maximum", 0)
    arguments = example_arguments(tool) | {"instruments": None, "count": most}
    outcome = run_tool(tool.name, json.dumps({key: arguments[key] for key in arguments if key in known}), context, ALL)
    assert outcome.outcome == "ok", outcome.content
    assert len(outcome.content.encode()) <= MAX_RESULT_BYTES
    tool.result.model_validate_json(outcome.content)


@every_tool
def test_answers_without_any_market_history(tool: Tool, make_context: MakeContext) -> None:
    context = make_context(bar=0)
    outcome = run_tool(tool.name, json.dumps(example_arguments(tool)), context, ALL)
    assert outcome.outcome in ("ok", "unavailable")
    strict_json(outcome.content)


@every_tool
def test_the_future_changes_nothing(tool: Tool, make_context: MakeContext, tape: Tape) -> None:
    arguments = json.dumps(example_arguments(tool))
    before = run_tool(tool.name, arguments, make_context(bar=1200), ALL)
    after = run_tool(tool.name, arguments, make_context(bar=1200, market=other_future(tape, 1200)), ALL)
    assert before == after


@every_tool
def test_what_is_shared_between_desks_knows_no_desk(tool: Tool, make_context: MakeContext) -> None:
    arguments = json.dumps(example_arguments(tool))
    first = make_context()
    poorer = replace(first.account, equity=Decimal(500), cash=Decimal(500), positions={}, open_orders=())
    second = replace(first, account=poorer)
    mine = run_tool(tool.name, arguments, first, ALL)
    theirs = run_tool(tool.name, arguments, second, ALL)
    alone = run_tool(tool.name, arguments, replace(second, memo={}), ALL)
    assert theirs == alone
    assert (theirs is mine) == tool.market_only


@every_tool
@rubbish
@given(text=st.text(max_size=60) | json_values.map(json.dumps))
def test_rubbish_never_raises(tool: Tool, make_context: MakeContext, text: str) -> None:
    outcome = run_tool(tool.name, text, make_context(), ALL)
    body = strict_json(outcome.content)
    if outcome.outcome != "ok":
        assert outcome.outcome in ("bad_arguments", "unavailable")
        assert set(body) == {"error", "what_to_do"}


@every_tool
@rubbish
@given(data=st.data(), value=json_values)
def test_one_wrong_value_never_raises(tool: Tool, make_context: MakeContext, data: st.DataObject, value: Any) -> None:
    arguments = example_arguments(tool)
    names = st.sampled_from(sorted(arguments)) if arguments else st.text(max_size=10)
    outcome = run_tool(tool.name, json.dumps(arguments | {data.draw(names): value}), make_context(), ALL)
    strict_json(outcome.content)
    assert len(outcome.content.encode()) <= MAX_RESULT_BYTES


@every_tool
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 3000, "\ud800", "\x00", "NaN", "1e999", '{"as_of": "now"}'])
def test_hostile_text_is_refused_in_words(tool: Tool, make_context: MakeContext, text: str) -> None:
    outcome = run_tool(tool.name, text, make_context(), ALL)
    assert outcome.outcome == "bad_arguments"
    assert len(outcome.content) < 3000


def test_prices_of_the_other_future_do_differ(tape: Tape) -> None:
    assert not np.allclose(other_future(tape, 1200).close[:, 1200:], tape.close[:, 1200:])

"""Running tools: who may call what, what models are told, and what is computed once."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tools.context import ToolContext
from tools.registry import Effect, discover, openai_schema, run_tool
from tools.tool import Args, Result, tool

MakeContext = Callable[..., ToolContext]
ALL = frozenset(discover())


def test_the_tools_of_the_four_roles_are_found() -> None:
    effects = {name: found.effect for name, found in discover().items()}
    expected = {
        "get_account": Effect.READ,
        "get_anomalies": Effect.READ,
        "get_candles": Effect.READ,
        "get_features": Effect.READ,
        "get_correlations": Effect.READ,
        "get_forecast": Effect.THINK,
        "get_indicators": Effect.READ,
        "get_limits": Effect.READ,
        "get_market_snapshot": Effect.READ,
        "get_positions": Effect.READ,
        "get_quote": Effect.READ,
        "get_regime": Effect.READ,
        "get_risk": Effect.THINK,
        "my_record": Effect.READ,
        "open_plans": Effect.READ,
        "propose_order": Effect.PROPOSE,
        "recall_lessons": Effect.READ,
        "recall_similar": Effect.READ,
    }
    assert effects.items() >= expected.items()


def test_a_tool_that_does_not_exist_is_answered_with_those_that_do(make_context: MakeContext) -> None:
    outcome = run_tool("place_order", "{}", make_context(), frozenset({"get_quote"}))
    assert (outcome.outcome, outcome.effect) == ("unknown_tool", "")
    assert json.loads(outcome.content)["what_to_do"] == "call one of: get_quote"


def test_a_tool_of_another_role_is_refused_before_it_runs(make_context: MakeContext) -> None:
    def preview(_: object) -> list[object]:
        raise AssertionError("the gate was asked")

    outcome = run_tool("propose_order", "{}", make_context(preview=preview), frozenset({"get_quote"}))
    assert (outcome.outcome, outcome.effect) == ("not_allowed", "propose")


@pytest.mark.parametrize("text", ["", "  ", "null", "{}"])
def test_no_arguments_may_be_written_in_any_way(make_context: MakeContext, text: str) -> None:
    assert run_tool("get_quote", text, make_context(), ALL).outcome == "ok"


def test_complaints_name_the_field_and_what_was_found(make_context: MakeContext) -> None:
    order = {"instrument": "SOL-USDT", "side": "hold", "quantity": "a lot"}
    outcome = run_tool("propose_order", json.dumps({"orders": [order]}), make_context(), ALL)
    error = json.loads(outcome.content)["error"]
    assert "orders.0.side" in error
    assert "'hold'" in error
    assert "orders.0.quantity" in error


def test_equal_arguments_share_one_computation(make_context: MakeContext) -> None:
    context = make_context()
    spelled = run_tool("get_candles", '{"instrument": "SOL-USDT", "count": 48}', context, ALL)
    default = run_tool("get_candles", '{"instrument":"SOL-USDT"}', context, ALL)
    assert spelled.content is default.content


def test_a_memo_that_outlives_its_round_gives_nothing_stale(make_context: MakeContext) -> None:
    earlier = make_context(bar=1200)
    later = replace(make_context(bar=1201), memo=earlier.memo)
    old = run_tool("get_quote", "{}", earlier, ALL)
    new = run_tool("get_quote", "{}", later, ALL)
    assert json.loads(new.content)["as_of"] > json.loads(old.content)["as_of"]


class _Plain(Args):
    pass


class _Answer(Result):
    pass


def test_a_declaration_without_types_or_words_is_refused() -> None:
    def wordless(args: _Plain, context: ToolContext) -> _Answer:
        raise NotImplementedError

    def untyped(args, context):  # type: ignore[no-untyped-def]
        """Words."""

    def wrong_result(args: _Plain, context: ToolContext) -> dict[str, int]:
        """Words."""
        return {}

    with pytest.raises(TypeError, match="docstring"):
        tool(effect=Effect.READ)(wordless)
    with pytest.raises(TypeError, match="first parameter"):
        tool(effect=Effect.READ)(untyped)
    with pytest.raises(TypeError, match="subclass of Result"):
        tool(effect=Effect.READ)(wrong_result)  # type: ignore[type-var]


def test_schemas_are_built_once() -> None:
    found = discover()["get_quote"]
    assert openai_schema(found) is openai_schema(found)

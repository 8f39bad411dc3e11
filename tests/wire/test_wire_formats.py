"""LiteLLM's own provider code gets from each maker what that maker meant, and is billed what it was."""

import json
from typing import Any

import pytest

from agents.llm.runtime import litellm_module
from agents.schemas import AnalystReport
from tests.wire import Makers, MakerSetup, serve_makers
from tests.wire.bill import PRICES
from tests.wire.callers import MODELS, THROUGH_LITELLM, Ask

pytestmark = THROUGH_LITELLM

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
EACH = pytest.mark.parametrize("maker", MODELS)


def with_results(question: list[dict[str, Any]], response: Any) -> list[dict[str, Any]]:
    """The conversation one turn later: every tool the model asked for has answered."""
    calls = response.choices[0].message.tool_calls
    answered = [
        {"role": "tool", "tool_call_id": call.id, "content": '{"indicators":{"BTC-USDT-PERP":{"rsi_14":62.0}}}'}
        for call in calls
    ]
    asked = {"role": "assistant", "content": None, "tool_calls": [call.model_dump() for call in calls]}
    return [*question, asked, *answered]


@EACH
@STREAMED
async def test_prose(makers: Makers, ask: Ask, maker: str, stream: bool) -> None:
    response = await ask(maker, [{"role": "user", "content": "Hello there"}], stream=stream)
    assert response.choices[0].message.content == f"{MODELS[maker].split('/')[1]} has read 11 characters."
    assert response.choices[0].finish_reason == "stop"
    (served,) = makers[maker].ledger.calls
    assert (served.kind, served.key_ok, served.streamed) == ("text", True, stream)


@EACH
@STREAMED
async def test_tools_are_asked_for_at_once_with_arguments(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str, stream: bool
) -> None:
    response = await ask(maker, question, stream=stream, **desk_options)
    calls = response.choices[0].message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("get_indicators", {}),
        ("get_quote", {"instrument": "BTC-USDT-PERP"}),
    ]
    assert response.choices[0].finish_reason == "tool_calls"
    assert len({call.id for call in calls}) == 2


@EACH
async def test_results_come_back_under_their_tools_names(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str
) -> None:
    first = await ask(maker, question, **desk_options)
    second = await ask(maker, with_results(question, first), **desk_options)
    report = AnalystReport.model_validate_json(second.choices[0].message.content)
    assert [(signal.instrument, signal.score) for signal in report.signals] == [("BTC-USDT-PERP", 0.12)]
    assert makers[maker].ledger.refused == ()


@EACH
@STREAMED
async def test_a_schema_is_answered(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str, stream: bool
) -> None:
    response = await ask(maker, question, stream=stream, response_format=desk_options["response_format"])
    report = AnalystReport.model_validate_json(response.choices[0].message.content)
    assert report.signals == ()


@EACH
async def test_a_forced_tool_stands_for_the_answer(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str
) -> None:
    schema = desk_options["response_format"]["json_schema"]["schema"]
    form = {"type": "function", "function": {"name": "analyst_report", "parameters": schema}}
    forced = {"type": "function", "function": {"name": "analyst_report"}}
    response = await ask(maker, question, tools=[form], tool_choice=forced)
    (call,) = response.choices[0].message.tool_calls
    assert call.function.name == "analyst_report"
    AnalystReport.model_validate_json(call.function.arguments)


async def test_without_native_schemas_the_answer_takes_the_form_of_a_tool(
    makers: Makers, ask: Ask, question: Any, desk_options: Any
) -> None:
    response = await ask("anthropic/claude-unlisted", question, response_format=desk_options["response_format"])
    AnalystReport.model_validate_json(response.choices[0].message.content)
    (served,) = makers["anthropic"].ledger.calls
    assert (served.kind, served.usd) == ("tools", None)
    assert response._hidden_params["response_cost"] is None


@EACH
@STREAMED
async def test_usage_and_cost_are_those_of_the_books(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, maker: str, stream: bool
) -> None:
    first = await ask(maker, question, **desk_options)
    second = await ask(maker, with_results(question, first), stream=stream, **desk_options)
    _, served = makers[maker].ledger.calls
    assert served.usage is not None
    assert (second.usage.prompt_tokens, second.usage.completion_tokens) == (
        served.usage.prompt,
        served.usage.completion,
    )
    if maker != "ollama":  # what runs at home has no price on LiteLLM's list under ollama_chat/
        assert served.usd is not None
        assert served.usd > 0
        assert litellm_module().completion_cost(second, model=MODELS[maker]) == pytest.approx(served.usd, rel=1e-9)
    if maker in {"openai", "gemini"}:
        assert second.usage.prompt_tokens_details.cached_tokens == served.usage.cached > 0
        assert second.usage.completion_tokens_details.reasoning_tokens == served.usage.thinking > 0


@STREAMED
async def test_a_marked_prompt_is_written_to_the_cache_and_then_read_from_it(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, stream: bool
) -> None:
    marked = {"type": "text", "text": question[0]["content"], "cache_control": {"type": "ephemeral"}}
    question = [{"role": "system", "content": [marked]}, question[1]]
    first = await ask("anthropic", question, **desk_options)
    second = await ask("anthropic", with_results(question, first), stream=stream, **desk_options)
    written, read = makers["anthropic"].ledger.calls
    assert written.usage is not None
    assert read.usage is not None
    assert (written.usage.cached, written.usage.cache_written) == (0, first.usage.cache_creation_input_tokens)
    assert read.usage.cached == second.usage.cache_read_input_tokens > 0
    cost = litellm_module().completion_cost(second, model=MODELS["anthropic"])
    assert cost == pytest.approx(read.usd, rel=1e-9)


@pytest.mark.parametrize("maker", ["openai", "anthropic", "gemini"])
async def test_a_wrong_key_is_refused_and_not_written_down(makers: Makers, ask: Ask, question: Any, maker: str) -> None:
    import openai

    with pytest.raises(openai.AuthenticationError):
        await ask(maker, question, api_key="sk-not-this-one")
    (served,) = makers[maker].ledger.calls
    assert not served.key_ok
    assert "sk-not-this-one" not in repr(served)


async def test_what_the_api_would_refuse_is_refused(makers: Makers, ask: Ask, question: Any) -> None:
    import openai

    orphan = {"role": "tool", "tool_call_id": "call_nobody_made", "content": "{}"}
    for maker in ("openai", "anthropic"):
        with pytest.raises(openai.BadRequestError):
            await ask(maker, [*question, orphan])
        assert len(makers[maker].ledger.refused) == 1
        assert makers[maker].ledger.calls == ()


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("xai", "xai/grok-4.20-reasoning-gv2"),
        ("deepseek", "deepseek/deepseek-v4-flash"),
        ("mistral", "mistral/mistral-large-latest"),
        ("openrouter", "openrouter/deepseek/deepseek-chat"),
    ],
)
async def test_other_makers_speak_the_same_format(
    makers: Makers, ask: Ask, question: Any, desk_options: Any, name: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_makers(MakerSetup(name=name, wire="openai")) as others:
        for variable, value in others.environment.items():
            monkeypatch.setenv(variable, value)
        response = await ask(model, question, **desk_options)
        (served,) = others[name].ledger.calls
    assert served.key_ok
    assert len(response.choices[0].message.tool_calls) == 2
    if served.usd is not None:
        assert response._hidden_params["response_cost"] == pytest.approx(served.usd, rel=1e-9)


async def test_prices_are_those_of_the_price_list() -> None:
    listed = litellm_module().model_cost
    makers = ("gemini", "xai", "mistral", "ollama")
    for model, price in PRICES.items():
        row = next(listed[name] for name in (model, *(f"{maker}/{model}" for maker in makers)) if name in listed)
        assert row["input_cost_per_token"] * 1e6 == pytest.approx(price.prompt)
        assert row["output_cost_per_token"] * 1e6 == pytest.approx(price.completion)
        assert row.get("cache_read_input_token_cost", 0) * 1e6 == pytest.approx(price.cached)

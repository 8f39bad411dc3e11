"""The client: usage, price, deadlines and failures, through LiteLLM's real path."""

import asyncio

import pytest

from agents.llm import CompletionRequest, complete
from agents.llm.runtime import litellm_module
from tests.agents.staging import Calls, Hang, Stage
from trading.domain.errors import ModelFailure, ModelUnavailable

pytestmark = pytest.mark.asyncio
FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "analyst_report", "strict": True, "schema": {"type": "object"}},
}


def request(model, **changes):
    stated = {
        "model": model,
        "messages": [{"role": "user", "content": "hello"}],
        "tools": [{"type": "function", "function": {"name": "get_quote", "parameters": {"type": "object"}}}],
        "tool_choice": "auto",
        "response_format": FORMAT,
        "seed": 11,
        "timeout_s": 5.0,
        "prompt_sha256": "p",
        "tools_sha256": "t",
    }
    return CompletionRequest(**{**stated, **changes})


@pytest.fixture
def stage(monkeypatch):
    litellm = litellm_module()
    found = Stage()
    rows = [*litellm.custom_provider_map, {"provider": "staged", "custom_handler": found}]
    monkeypatch.setattr(litellm, "custom_provider_map", rows)
    return found


async def test_everything_that_is_asked_reaches_the_provider(stage):
    completion = await complete(request("staged/x"))
    _, messages, parameters = stage.heard[0]
    assert messages == [{"role": "user", "content": "hello"}]
    assert parameters["seed"] == 11
    assert parameters["tools"][0]["function"]["name"] == "get_quote"
    assert parameters["response_format"] == FORMAT
    assert (completion.tokens_in, completion.tokens_out, completion.finish_reason) == (100, 10, "stop")
    assert completion.model_answered == "x"


async def test_price_comes_from_the_price_list_and_unknown_is_none(stage):
    row = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "litellm_provider": "staged", "mode": "chat"}
    caches = {"cache_creation_input_token_cost": 0.0, "cache_read_input_token_cost": 0.0}
    litellm_module().register_model({"staged/priced": {**row, **caches}})
    assert (await complete(request("staged/priced"))).usd == pytest.approx(100e-6 + 20e-6)
    assert (await complete(request("staged/unlisted"))).usd is None
    assert (await complete(request("house/momentum"))).usd == 0.0


async def test_tool_calls_come_through_as_written(stage):
    stage.lines["analyst_report"] = [Calls([("get_quote", "{broken"), ("", "")])]
    completion = await complete(request("staged/x"))
    assert [(call.name, call.arguments_json) for call in completion.tool_requests] == [
        ("get_quote", "{broken"),
        ("", ""),
    ]


async def test_half_a_character_cannot_reach_the_journal(stage):
    # A provider's JSON may spell "\ud800" alone; Python reads it, and no file can hold it.
    stage.lines["analyst_report"] = [Calls([("get_quote\ud800", '{"instrument": "\udcff"}')])]
    completion = await complete(request("staged/x"))
    (call,) = completion.tool_requests
    assert (call.name, call.arguments_json) == ("get_quote?", '{"instrument": "?"}')


async def test_timeout_is_ours_even_if_the_provider_ignores_it(stage):
    stage.lines["analyst_report"] = [Hang()]
    started = asyncio.get_running_loop().time()
    with pytest.raises(ModelUnavailable) as caught:
        await complete(request("staged/x", timeout_s=0.2))
    assert caught.value.reason == "timeout"
    assert asyncio.get_running_loop().time() - started < 1.5


async def test_unknown_house_model_is_a_typed_failure():
    with pytest.raises(ModelFailure) as caught:
        await complete(request("house/oracle"))
    assert caught.value.reason == "unknown_model"


async def test_provider_texts_stay_out_of_failures(stage):
    stage.lines["analyst_report"] = [RuntimeError("key sk-very-secret was wrong")]
    with pytest.raises(ModelFailure) as caught:
        await complete(request("staged/x"))
    assert "sk-very-secret" not in str(caught.value)


async def test_cassette_key_follows_everything_the_answer_depends_on():
    base = request("staged/x")
    changes = [
        {"model": "staged/y"},
        {"seed": 12},
        {"tool_choice": "none"},
        {"prompt_sha256": "q"},
        {"tools_sha256": "u"},
    ]
    keys = {request(**{"model": "staged/x", **change}).cassette_key for change in changes}
    assert len(keys) == len(changes)
    assert base.cassette_key not in keys
    assert request("staged/x", timeout_s=9.0).cassette_key == base.cassette_key

"""Where the schema of an answer goes."""

import pytest

from agents.llm import CompletionRequest
from agents.llm.shape import shaped
from agents.roles import discover_roles

SPEC = discover_roles()["risk"]
TOOL = {"type": "function", "function": {"name": "get_account", "parameters": {"type": "object", "properties": {}}}}


def shape(model, tool_choice):
    request = CompletionRequest(
        model=model,
        messages=({"role": "system", "content": "You are."}, {"role": "user", "content": "Go."}),
        tools=(TOOL,),
        tool_choice=tool_choice,
        response_format=SPEC.answer_format.response_format,
        seed=1,
        timeout_s=1.0,
        prompt_sha256="p",
        tools_sha256="t",
    )
    return request, shaped(request)


@pytest.mark.parametrize(
    ("model", "tool_choice", "native"),
    [
        ("house/momentum", "auto", True),
        ("openai/gpt-5", "auto", True),
        ("gemini/gemini-2.5-pro", "auto", False),
        ("gemini/gemini-2.5-pro", "none", True),
        ("anthropic/claude-sonnet-4-5", "auto", False),
        ("openrouter/deepseek/deepseek-r1", "auto", False),
        ("openrouter/deepseek/deepseek-r1", "none", False),
        ("ollama_chat/llama3", "auto", False),
    ],
)
def test_schema_is_native_only_where_it_does_not_get_in_the_way_of_tools(model, tool_choice, native):
    request, (messages, response_format) = shape(model, tool_choice)
    if native:
        assert response_format is request.response_format
        assert messages == list(request.messages)
    else:
        assert response_format is None
        assert messages[0]["content"].startswith("You are.")
        assert '"max_gross_leverage"' in messages[0]["content"]
        assert messages[1:] == list(request.messages[1:])
    assert request.messages[0]["content"] == "You are.", "the request itself is not touched"

"""The form in which an answer is asked for: by what the model can do and whether tools are on offer."""

import pytest

from agents.llm import CompletionRequest
from agents.llm.shape import next_method, shaped
from agents.roles import discover_roles

SPEC = discover_roles()["risk"]
TOOL = {"type": "function", "function": {"name": "get_account", "parameters": {"type": "object", "properties": {}}}}


def request(model, tool_choice="auto", method="schema", tools=(TOOL,)):
    return CompletionRequest(
        model=model,
        messages=({"role": "system", "content": "You are."}, {"role": "user", "content": "Go."}),
        tools=tools,
        tool_choice=tool_choice,
        response_format=SPEC.answer_format.response_format,
        seed=1,
        timeout_s=1.0,
        prompt_sha256="p",
        tools_sha256="t",
        method=method,
    )


@pytest.mark.parametrize(
    ("model", "tool_choice", "first", "later"),
    [
        ("house/momentum", "auto", "schema", []),
        ("openai/gpt-5.6", "auto", "schema", ["tool", "text"]),
        ("openai/gpt-5", "none", "schema", ["tool", "text"]),
        ("anthropic/claude-opus-5-5", "auto", "schema", ["tool", "text"]),
        ("anthropic/claude-3-opus-20240229", "auto", "tool", ["text"]),
        ("gemini/gemini-3.8-flash", "auto", "tool", ["text"]),
        ("gemini/gemini-3.8-flash", "none", "schema", ["tool", "text"]),
        ("openrouter/nvidia/nemotron-3-ultra-550b-a55b", "none", "tool", ["text"]),
        ("openrouter/nobody/has-heard-of-it", "auto", "tool", ["text"]),
        ("ollama_chat/llama3.1", "auto", "tool", ["text"]),
        ("vllm/served", "none", "schema", ["tool", "text"]),
        ("deepseek/deepseek-reasoner", "auto", "text", []),
    ],
)
def test_best_form_first_and_another_one_each_time_it_is_refused(model, tool_choice, first, later):
    asked = request(model, tool_choice)
    assert shaped(asked).method == first
    seen = []
    while (method := next_method(asked)) is not None:
        seen.append(method)
        asked = request(model, tool_choice, method)
        assert shaped(asked).method == method
    assert seen == later


def test_a_schema_goes_natively_and_leaves_the_messages_alone():
    asked = request("openai/gpt-5.6")
    sent = shaped(asked)
    assert sent.response_format is asked.response_format
    assert list(sent.messages) == list(asked.messages)
    assert (list(sent.tools), sent.tool_choice, sent.answer_tool) == ([TOOL], "auto", None)


def test_as_a_tool_the_answer_stands_beside_the_others_until_it_must_be_given():
    beside = shaped(request("gemini/gemini-3.8-flash"))
    assert [tool["function"]["name"] for tool in beside.tools] == ["get_account", SPEC.answer_name]
    assert beside.tools[1]["function"]["parameters"] == SPEC.answer_format.response_format["json_schema"]["schema"]
    assert beside.tool_choice == "auto"
    assert beside.response_format is None
    assert SPEC.answer_name in beside.messages[0]["content"]
    forced = shaped(request("gemini/gemini-3.8-flash", "none", "tool"))
    assert [tool["function"]["name"] for tool in forced.tools] == [SPEC.answer_name]
    assert forced.tool_choice == {"type": "function", "function": {"name": SPEC.answer_name}}


def test_as_text_the_schema_stands_in_the_system_message_and_the_request_is_not_touched():
    asked = request("gemini/gemini-3.8-flash", "none", "text")
    sent = shaped(asked)
    assert sent.messages[0]["content"].startswith("You are.")
    assert '"max_gross_leverage"' in sent.messages[0]["content"]
    assert list(sent.messages[1:]) == list(asked.messages[1:])
    assert (sent.response_format, sent.answer_tool) == (None, None)
    assert asked.messages[0]["content"] == "You are."


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("openai/gpt-5.6", 1),
        ("anthropic/claude-opus-5-5", 1),  # wants tools declared as long as the conversation speaks of them
        ("gemini/gemini-3.8-flash", 0),  # refuses a schema beside tools
        ("ollama_chat/llama3.1", 0),  # would call them all the same
        ("deepseek/deepseek-reasoner", 0),
    ],
)
@pytest.mark.parametrize("method", ["schema", "text"])
def test_tools_that_may_not_be_called_any_more_are_sent_only_where_they_do_no_harm(model, sent, method):
    assert len(shaped(request(model, "none", method)).tools) == sent


def test_a_model_without_tools_is_offered_none():
    assert shaped(request("deepseek/deepseek-reasoner")).tools == ()
    assert shaped(request("deepseek/deepseek-reasoner")).tool_choice is None


def test_a_system_message_is_made_where_there_is_none():
    asked = request("gemini/gemini-3.8-flash", "none", "text")
    bare = CompletionRequest(**{**{f: getattr(asked, f) for f in asked.__slots__}, "messages": asked.messages[1:]})
    assert [message["role"] for message in shaped(bare).messages] == ["system", "user"]

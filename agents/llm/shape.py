"""The form in which a model is asked for its answer: a JSON schema, a tool that stands for the answer, or text.

Which forms a model can take follows from its abilities and from whether tools are on offer, and from nothing that
happened before, so that a replay asks in the same form. The answer is validated the same way whatever the form was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import to_json

from agents.llm.catalogue import catalogue
from agents.llm.request import AnswerMethod, CompletionRequest
from agents.llm.runtime import litellm_module

Message = Mapping[str, Any]

_ORDER: tuple[AnswerMethod, ...] = ("schema", "tool", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """A request as it is sent. ``answer_tool`` names the tool whose call is the answer, None in the other forms."""

    method: AnswerMethod
    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]]
    tool_choice: str | Mapping[str, Any] | None
    response_format: Mapping[str, Any] | None = None
    answer_tool: str | None = None


def shaped(request: CompletionRequest) -> Shaped:
    """``request`` in the best form that its model can take, no earlier one than the request allows.

    A request for free text has no form to choose. What comes back shares messages, tools and schemas with the
    request: whoever changes them works on a copy.
    """
    if request.response_format["type"] == "text":
        return _with_text(request)
    offers_tools = bool(request.tools) and request.tool_choice != "none"
    forms = _forms(request.model, beside_tools=offers_tools)
    first = _ORDER.index(request.method)
    method = next((form for form in forms if _ORDER.index(form) >= first), forms[-1])
    if method == "schema":
        return _with_schema(request)
    if method == "tool":
        return _with_tool(request, offers_tools=offers_tools)
    return _with_text(request)


def next_method(request: CompletionRequest) -> AnswerMethod | None:
    """The form to try when the provider refuses ``request`` as it was sent; None after the last."""
    offers_tools = bool(request.tools) and request.tool_choice != "none"
    forms = _forms(request.model, beside_tools=offers_tools)
    sent = shaped(request).method
    return next((form for form in forms if _ORDER.index(form) > _ORDER.index(sent)), None)


def _with_schema(request: CompletionRequest) -> Shaped:
    tools = _tools_to_send(request)
    return Shaped(
        method="schema",
        messages=list(request.messages),
        tools=tools,
        tool_choice=request.tool_choice if tools else None,
        response_format=request.response_format,
    )


def _with_tool(request: CompletionRequest, *, offers_tools: bool) -> Shaped:
    schema = request.response_format["json_schema"]
    name = str(schema["name"])
    answer = {
        "type": "function",
        "function": {
            "name": name,
            "description": "Gives your answer. Call it once, with the whole answer as its arguments.",
            "parameters": schema["schema"],
        },
    }
    text = f"Give your answer by calling the tool `{name}`: its arguments are the JSON object that is asked for."
    return Shaped(
        method="tool",
        messages=_instructed(request.messages, text),
        tools=[*request.tools, answer] if offers_tools else [answer],
        tool_choice="auto" if offers_tools else {"type": "function", "function": {"name": name}},
        answer_tool=name,
    )


def _with_text(request: CompletionRequest) -> Shaped:
    tools = _tools_to_send(request)
    return Shaped(
        method="text",
        messages=_instructed(request.messages, _schema_in_words(request)),
        tools=tools,
        tool_choice=request.tool_choice if tools else None,
    )


def _schema_in_words(request: CompletionRequest) -> str:
    schema = request.response_format.get("json_schema")
    if schema is None:
        return ""
    return (
        f"The JSON schema of your answer ({schema['name']}):\n{to_json(schema['schema']).decode()}\n"
        "Write the JSON object and nothing else: no explanation, no code fence."
    )


def _tools_to_send(request: CompletionRequest) -> Sequence[Mapping[str, Any]]:
    """The tools on offer. Those that may not be called any more are sent only where they do no harm.

    Some providers refuse a schema beside them, and some do not know how to forbid their use.
    """
    provider = catalogue().provider_of(request.model)
    if _is_custom(provider):
        return request.tools
    if "tools" not in catalogue().abilities(request.model):
        return ()
    return request.tools if request.tool_choice != "none" or _takes_both(provider) else ()


def _instructed(messages: Sequence[Message], text: str) -> list[Message]:
    """The messages with ``text`` at the end of the system message."""
    found = list(messages)
    if not text:
        return found
    if found and found[0]["role"] == "system":
        found[0] = {**found[0], "content": f"{found[0]['content']}\n\n{text}"}
    else:
        found.insert(0, {"role": "system", "content": text})
    return found


@cache
def _forms(model: str, *, beside_tools: bool) -> tuple[AnswerMethod, ...]:
    """The forms that ``model`` can take, the best first."""
    known = catalogue()
    provider = known.provider_of(model)
    if provider is None or _is_custom(provider):
        return ("schema",)  # one of ours, or nobody's, as the call itself will say
    able = known.abilities(model)
    forms: list[AnswerMethod] = []
    if "json_schema" in able and (not beside_tools or _takes_both(provider)):
        forms.append("schema")
    if "tools" in able:
        forms.append("tool")
    return (*forms, "text")


def _takes_both(provider: str | None) -> bool:
    return catalogue().provider(provider).schema_beside_tools


def _is_custom(provider: str | None) -> bool:
    return any(row["provider"] == provider for row in litellm_module().custom_provider_map)

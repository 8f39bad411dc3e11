"""How the schema of an answer reaches a model: natively where that works, else as text in the system message.

Several providers refuse a schema beside tools, or force the answer and so never call a tool. As long as tools are on
offer these get the schema as text; the answer is validated the same way either way.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic_core import to_json

from agents.llm.request import CompletionRequest
from agents.llm.runtime import litellm_module

_SCHEMA_BESIDE_TOOLS = frozenset({"openai", "azure", "xai"})

Message = Mapping[str, Any]


def shaped(request: CompletionRequest) -> tuple[list[Message], Mapping[str, Any] | None]:
    """The messages to send and the ``response_format``, None where the messages carry the schema."""
    messages = list(request.messages)
    if request.response_format["type"] == "text":
        return messages, None
    offers_tools = bool(request.tools) and request.tool_choice != "none"
    if _takes_schema(request.model, beside_tools=offers_tools):
        return messages, request.response_format
    schema = request.response_format["json_schema"]
    text = f"The JSON schema of your answer ({schema['name']}):\n{to_json(schema['schema']).decode()}"
    if messages and messages[0]["role"] == "system":
        messages[0] = {**messages[0], "content": f"{messages[0]['content']}\n\n{text}"}
    else:
        messages.insert(0, {"role": "system", "content": text})
    return messages, None


@cache
def _takes_schema(model: str, *, beside_tools: bool) -> bool:
    litellm = litellm_module()
    import openai

    try:
        _, provider, _, _ = litellm.get_llm_provider(model=model)
    except openai.OpenAIError:
        return True  # the call itself will say that nobody serves the model
    if any(row["provider"] == provider for row in litellm.custom_provider_map):
        return True
    if beside_tools and provider not in _SCHEMA_BESIDE_TOOLS:
        return False
    return bool(litellm.supports_response_schema(model=model))

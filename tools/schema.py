"""How a tool is described to a model: the OpenAI function format, without what models do not read."""

from functools import cache
from typing import Any

from tools.tool import Tool

JsonObject = dict[str, Any]


OFFERED_WITH = "offered_with"
"""Marks a property that is shown only where it is on offer: without it models are asked as they were before it came."""


def is_offered(schema: JsonObject, offers: frozenset[str]) -> bool:
    """Whether a property is shown where ``offers`` are on offer."""
    return schema.get(OFFERED_WITH) is None or schema[OFFERED_WITH] in offers


@cache
def openai_schema(tool: Tool, offers: frozenset[str] = frozenset()) -> JsonObject:
    """The tool in OpenAI's function format, the same object every time; treat it as read-only.

    It holds no references, no titles and none of the docstrings of our classes, which speak to programmers.
    """
    schema = tool.args.model_json_schema()
    schema.pop("description", None)
    definitions = schema.pop("$defs", {})
    parameters = _plain(schema, definitions, offers)
    parameters.setdefault("properties", {})
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _plain(node: Any, definitions: JsonObject, offers: frozenset[str], *, names: bool = False) -> Any:
    """``node`` with references resolved and titles dropped; ``names``: its keys are properties, kept if on offer."""
    if isinstance(node, list):
        return [_plain(item, definitions, offers) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = dict(definitions[str(node["$ref"]).rsplit("/", 1)[-1]])
        target.pop("description", None)
        return _plain(target | {key: value for key, value in node.items() if key != "$ref"}, definitions, offers)
    if names:
        kept = {key: value for key, value in node.items() if is_offered(value, offers)}
    else:
        kept = {key: value for key, value in node.items() if key not in ("title", OFFERED_WITH)}
    return {
        key: _plain(value, definitions, offers, names=not names and key == "properties") for key, value in kept.items()
    }

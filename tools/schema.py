"""How a tool is described to a model: the OpenAI function format, without what models do not read."""

from functools import cache
from typing import Any

from tools.tool import Tool

JsonObject = dict[str, Any]


@cache
def openai_schema(tool: Tool) -> JsonObject:
    """The tool in OpenAI's function format, the same object every time; treat it as read-only.

    It holds no references, no titles and none of the docstrings of our classes, which speak to programmers.
    """
    schema = tool.args.model_json_schema()
    schema.pop("description", None)
    definitions = schema.pop("$defs", {})
    parameters = _plain(schema, definitions)
    parameters.setdefault("properties", {})
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _plain(node: Any, definitions: JsonObject, *, names: bool = False) -> Any:
    """``node`` with references resolved and titles dropped; ``names``: its keys are property names, kept all."""
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = dict(definitions[str(node["$ref"]).rsplit("/", 1)[-1]])
        target.pop("description", None)
        return _plain(target | {key: value for key, value in node.items() if key != "$ref"}, definitions)
    kept = node if names else {key: value for key, value in node.items() if key != "title"}
    return {key: _plain(value, definitions, names=not names and key == "properties") for key, value in kept.items()}

"""The base of every answer, and its schema in the strict subset that all large providers accept."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from tools.schema import is_offered

INSTRUMENTS = "instruments"
"""Key of the validation context under which the instruments of the round stand."""

FREE_TEXT: Mapping[str, Any] = {"type": "text"}
"""The ``response_format`` of an answer without a schema."""

_KEPT = frozenset({"type", "properties", "required", "items", "enum", "anyOf", "additionalProperties", "description"})


class Answer(BaseModel):
    """Base of what a role answers: every field is required, no other is accepted, nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Words(Answer):
    """Words for a person, of no shape at all: shown, never parsed."""


def _known_instrument(symbol: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get(INSTRUMENTS)
    if known is not None and symbol not in known:
        raise ValueError(f"not an instrument of this round; choose from {', '.join(known)}")
    return symbol


InstrumentName = Annotated[str, Field(max_length=40, description="Exact symbol"), AfterValidator(_known_instrument)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(max_length=4000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFormat:
    """An answer type as a model is asked for it: its name, ``response_format``, and the digest of both."""

    name: str
    response_format: Mapping[str, Any]
    sha256: str


@cache
def answer_format(answer: type[Answer], name: str, offers: frozenset[str] = frozenset()) -> AnswerFormat:
    """The ``response_format`` for ``answer``, with the fields on offer. The same object every time; read-only.

    Bounds that some providers refuse in a schema (lengths, ranges, patterns) are left out: they stand in the
    descriptions, and the answer is validated against them all the same.
    """
    if answer is Words:
        return AnswerFormat(name=name, response_format=FREE_TEXT, sha256=hashlib.sha256(b"words").hexdigest())
    schema = answer.model_json_schema()
    strict = _strict(schema, schema.get("$defs", {}), offers)
    wrapped = {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": strict}}
    digest = hashlib.sha256(json.dumps(wrapped, sort_keys=True).encode()).hexdigest()
    return AnswerFormat(name=name, response_format=wrapped, sha256=digest)


def _strict(node: dict[str, Any], definitions: dict[str, Any], offers: frozenset[str]) -> dict[str, Any]:
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        return _strict({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions, offers)
    kept = {key: value for key, value in node.items() if key in _KEPT}
    if "properties" in kept:
        shown = {name: child for name, child in kept["properties"].items() if is_offered(child, offers)}
        kept["properties"] = {name: _strict(child, definitions, offers) for name, child in shown.items()}
        kept["required"] = list(kept["properties"])
        kept["additionalProperties"] = False
    if "items" in kept:
        kept["items"] = _strict(kept["items"], definitions, offers)
    if "anyOf" in kept:
        kept["anyOf"] = [_strict(child, definitions, offers) for child in kept["anyOf"]]
    return kept

"""Every tool there is, and the one way to run one: a model's text in, bounded JSON out, never an exception for it."""

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal

from pydantic import ValidationError

import tools
from tools.context import ToolContext
from tools.schema import openai_schema
from tools.tool import Args, Effect, Result, Tool, tool
from trading.domain.errors import BadArguments, ToolFailure, Unavailable

__all__ = ["Effect", "Outcome", "Tool", "ToolOutcome", "discover", "openai_schema", "run_tool", "tool"]

MAX_RESULT_BYTES = 16_000
MAX_ARGUMENTS_CHARS = 16_000
_MAX_COMPLAINTS = 5

Outcome = Literal["ok", "bad_arguments", "unknown_tool", "not_allowed", "unavailable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What came of a tool call. ``content`` is the JSON that the model is shown, a result or an error.

    ``effect`` is empty for a tool that does not exist. ``as_of_ms`` is the instant of the market view.
    """

    tool: str
    effect: str
    outcome: Outcome
    content: str
    as_of_ms: int


@cache
def discover() -> Mapping[str, Tool]:
    """Every tool declared in a module of this folder, by name, in alphabetical order."""
    found: dict[str, Tool] = {}
    for module in pkgutil.iter_modules(tools.__path__, prefix="tools."):
        for value in vars(importlib.import_module(module.name)).values():
            if not isinstance(value, Tool):
                continue
            if found.setdefault(value.name, value) is not value:
                raise TypeError(f"two tools are named {value.name!r}; names must differ")
    return MappingProxyType(dict(sorted(found.items())))


def run_tool(
    name: str,
    arguments_json: str,
    context: ToolContext,
    allowed: frozenset[str],
    own: Mapping[str, Tool] = MappingProxyType({}),
) -> ToolOutcome:
    """Run the tool ``name`` on the arguments as a model wrote them. ``own`` are tools that are the caller's alone.

    Whatever the model got wrong comes back as ``{"error", "what_to_do"}``. Results that follow from the market
    alone are computed once a round and shared through the context's memo.
    """
    found = own.get(name) or discover().get(name)
    as_of_ms = context.view.as_of_ms
    if found is None or name not in allowed:
        return _refused(name, found, as_of_ms, allowed)
    raw_key = f"{as_of_ms}|{name}|{arguments_json}" if found.market_only else ""
    remembered = context.memo.get(raw_key) if raw_key else None
    if isinstance(remembered, ToolOutcome):
        return remembered
    outcome: Outcome = "ok"
    try:
        content = _answer(found, _parsed(found, arguments_json), context)
    except BadArguments as error:
        outcome, content = "bad_arguments", _complaint(str(error), "mend the arguments and call the tool again")
    except ToolFailure as error:
        outcome, content = "unavailable", _complaint(str(error), "go on without it; asking again now gives the same")
    done = ToolOutcome(tool=name, effect=found.effect, outcome=outcome, content=content, as_of_ms=as_of_ms)
    if raw_key and outcome == "ok":
        context.memo[raw_key] = done
    return done


def _answer(found: Tool, args: Args, context: ToolContext) -> str:
    if not found.market_only:
        return _bounded(found(args, context))
    canonical = f"{found.name}|{args.model_dump_json()}"
    return context.once(canonical, str, lambda: _bounded(found(args, context)))


def _parsed(found: Tool, arguments_json: str) -> Args:
    """The validated arguments; models write nothing, or null, where a tool needs none."""
    if len(arguments_json) > MAX_ARGUMENTS_CHARS:
        raise BadArguments(f"arguments of {len(arguments_json)} characters; at most {MAX_ARGUMENTS_CHARS} are read")
    text = arguments_json.strip()
    try:
        return found.args.model_validate_json("{}" if text in ("", "null") else text.encode("utf-8", "replace"))
    except ValidationError as error:
        raise BadArguments(_complaints(error)) from None


def _complaints(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False)
    lines = []
    for item in found[:_MAX_COMPLAINTS]:
        where = ".".join(str(part) for part in item["loc"]) or "arguments"
        seen = "" if item["type"] == "json_invalid" else f", found {repr(item['input'])[:80]}"
        lines.append(f"{where}: {item['msg']}{seen}")
    if len(found) > _MAX_COMPLAINTS:
        lines.append(f"and {len(found) - _MAX_COMPLAINTS} more")
    return "; ".join(lines)


def _bounded(result: Result) -> str:
    """The result as JSON within MAX_RESULT_BYTES, its bulk cut and a note added where it would be longer."""
    content = result.model_dump_json()
    count = len(getattr(result, result.bulk)) if result.bulk else 0
    while (size := len(content.encode())) > MAX_RESULT_BYTES:
        if count <= 1:
            raise Unavailable(f"the answer has {size} bytes and at most {MAX_RESULT_BYTES} are passed on")
        count = max(1, min(count - 1, int(0.97 * count * MAX_RESULT_BYTES / size)))
        content = result.cut_to(count).model_dump_json()
    return content


def _refused(name: str, found: Tool | None, as_of_ms: int, allowed: Iterable[str]) -> ToolOutcome:
    outcome: Outcome = "unknown_tool" if found is None else "not_allowed"
    error = f"there is no tool {name[:80]!r}" if found is None else f"the tool {name!r} is not yours to call"
    mine = ", ".join(sorted(allowed))
    return ToolOutcome(
        tool=name[:80],
        effect=found.effect if found else "",
        outcome=outcome,
        content=_complaint(error, f"call one of: {mine}" if mine else "answer without tools"),
        as_of_ms=as_of_ms,
    )


def _complaint(error: str, what_to_do: str) -> str:
    return json.dumps({"error": error[:2000], "what_to_do": what_to_do})

"""What a house model can know: a chat request, read back into facts, reports and tool results."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.random import Generator, default_rng
from pydantic_core import from_json, to_json

_SLOT = re.compile(r'<(facts|untrusted) (?:name|source)="([a-z_]+)">\n(.*?)\n</\1>', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A chat request, understood. ``slots`` holds the prompt's fenced values, ``results`` the tool results by tool.

    ``asked`` is whether tools were called already; results that were errors are left out.
    """

    answer_name: str
    offered: frozenset[str]
    slots: Mapping[str, Any]
    results: Mapping[str, Mapping[str, Any]]
    asked: bool
    seed: int
    messages: Sequence[Mapping[str, Any]] = field(repr=False)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The trusted facts of the round; empty when the prompt has none."""
        return self.slots.get("facts") or {}

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instruments of the round."""
        return tuple(row["symbol"] for row in self.facts.get("instruments", ()))

    def rng(self) -> Generator:
        """Randomness that follows from the seed of the request and its messages, and from nothing else."""
        digest = hashlib.sha256(str(self.seed).encode() + to_json(list(self.messages))).digest()
        return default_rng(int.from_bytes(digest[:8]))


def read_conversation(
    messages: Sequence[Mapping[str, Any]],
    *,
    tools: Sequence[Mapping[str, Any]],
    tool_choice: str,
    response_format: Mapping[str, Any] | None,
    seed: int,
) -> Conversation:
    """Understand a chat request in the OpenAI format."""
    slots: dict[str, Any] = {}
    results: dict[str, Mapping[str, Any]] = {}
    called: dict[str, str] = {}
    for message in messages:
        match message["role"]:
            case "user":
                for _, name, text in _SLOT.findall(message["content"]):
                    slots[name] = from_json(text)
            case "assistant":
                for call in message.get("tool_calls") or ():
                    called[call["id"]] = call["function"]["name"]
            case "tool":
                result = from_json(message["content"])
                if "error" not in result:
                    results[called.get(message["tool_call_id"], "")] = result
    schema = (response_format or {}).get("json_schema") or {}
    return Conversation(
        answer_name=schema.get("name", ""),
        offered=frozenset(tool["function"]["name"] for tool in tools) if tool_choice != "none" else frozenset(),
        slots=slots,
        results=results,
        asked=bool(called),
        seed=seed,
        messages=messages,
    )

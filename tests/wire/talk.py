"""What is asked of a model and what it says, in no provider's terms."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

_FACTS = re.compile(r'<facts name="[a-z_]+">\n(.*?)\n</facts>', re.DOTALL)
_UNTRUSTED = re.compile(r'<untrusted source="([a-z_]+)">\n(.*?)\n</untrusted>', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One turn of the conversation so far. ``tool`` names the tool of a tool's result."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    tool: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A tool the model may call, with the JSON schema of its arguments."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request for the next message.

    ``offers`` is empty where tools are switched off. ``forced`` names the tool that must be called. ``schema`` is the
    JSON schema the answer must have, None for prose. ``marks_cache``: the request asks for prompt caching.
    """

    model: str
    said: tuple[Said, ...]
    offers: tuple[Offer, ...] = ()
    forced: str | None = None
    schema: Mapping[str, Any] | None = None
    streamed: bool = False
    wants_stream_usage: bool = True
    marks_cache: bool = False

    @cached_property
    def digest(self) -> str:
        """Digest of what was said and offered; ids that libraries draw at random are not in it."""
        parts = [self.model, *(f"{said.role}:{said.tool}:{said.text}" for said in self.said)]
        parts += [offer.name for offer in self.offers]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """The trusted facts in the prompt; empty when there are none."""
        found = _FACTS.search("\n".join(said.text for said in self.said if said.role == "user"))
        return json.loads(found.group(1)) if found else {}

    @cached_property
    def reports(self) -> Mapping[str, Any]:
        """What others wrote into the prompt, by source."""
        text = "\n".join(said.text for said in self.said if said.role == "user")
        return {source: json.loads(value) for source, value in _UNTRUSTED.findall(text)}

    @cached_property
    def results(self) -> Mapping[str, Mapping[str, Any]]:
        """The last result of each tool that answered with a JSON object and no error."""
        found: dict[str, Mapping[str, Any]] = {}
        for said in self.said:
            value = _object(said.text) if said.role == "tool" else None
            if value is not None and "error" not in value:
                found[said.tool] = value
        return found

    @cached_property
    def instructions(self) -> str:
        """What system and user said, without what others wrote into it."""
        return _UNTRUSTED.sub("", "\n".join(said.text for said in self.said if said.role in {"system", "user"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """A call the model makes."""

    name: str
    arguments: Mapping[str, Any]

    @property
    def arguments_json(self) -> str:
        """The arguments as JSON text."""
        return json.dumps(self.arguments, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The model's next message: text, calls, or neither.

    ``cut``: it ran out of tokens. ``refused``: it declined. ``filtered``: the provider stopped it half way.
    ``blocked``: the provider did not let the prompt through to it.
    """

    text: str = ""
    calls: tuple[ToolUse, ...] = ()
    cut: bool = False
    refused: bool = False
    filtered: bool = False
    blocked: bool = False

    @property
    def kind(self) -> str:
        """One word for it."""
        if self.refused or self.filtered or self.blocked:
            return "refusal"
        if self.calls:
            return "tools"
        return "text" if self.text else "empty"


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None

"""What models were asked and what they answered: the newest in memory while a season plays, the rest on its cassette.

The journal keeps digests alone. What neither has is gone, and is shown by its digest.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.llm import CassetteStore, Complete, Completion, CompletionRequest
from trading.domain.errors import ModelFailure, TradefloorError

MOST_CALLS = 4_096
"""Calls kept in memory: those of about 500 decisions."""

MOST_CHARS = 60_000
"""Characters of one message that are given; prompts are far shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation: who speaks (``system``, ``user``, ``assistant``, ``tool``) and the words."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One call in words: the messages that were sent and the answer, or why there was none."""

    messages: tuple[Message, ...]
    answer: str
    failure: str | None = None


class Transcripts:
    """The newest calls of a running season by their cassette key. Any thread may ask."""

    def __init__(self, most: int = MOST_CALLS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._calls: OrderedDict[str, tuple[tuple[Mapping[str, Any], ...], Completion | ModelFailure]] = OrderedDict()

    def listen(self, road: Complete) -> Complete:
        """``road`` with every call on it taken down."""

        async def heard(request: CompletionRequest) -> Completion:
            messages = tuple(request.messages)
            try:
                answer = await road(request)
            except ModelFailure as failure:
                self._keep(request.cassette_key, messages, failure)
                raise
            self._keep(request.cassette_key, messages, answer)
            return answer

        return heard

    def find(self, key: str) -> Spoken | None:
        """The call of that key, None where it was not heard or is too long ago."""
        with self._lock:
            found = self._calls.get(key)
        return None if found is None else _spoken(found[0], found[1])

    def _keep(self, key: str, messages: tuple[Mapping[str, Any], ...], outcome: Completion | ModelFailure) -> None:
        with self._lock:
            self._calls[key] = (messages, outcome)
            self._calls.move_to_end(key)
            while len(self._calls) > self._most:
                self._calls.popitem(last=False)


def on_cassette(path: Path, keys: Sequence[str]) -> tuple[dict[str, Spoken], str | None]:
    """What a cassette holds of ``keys``, and in one line why it cannot be read; None where it can."""
    if not path.is_file():
        return {}, None
    found: dict[str, Spoken] = {}
    try:
        with CassetteStore(path, writable=False) as store:
            for key in keys:
                asked, outcome = store.conversation(key), store.find(key)
                if asked is not None and outcome is not None:
                    found[key] = _spoken([json.loads(store.message(one)) for one in asked.messages], outcome)
    except (TradefloorError, ValueError) as error:
        return {}, str(error)
    return found, None


def _spoken(messages: Sequence[Mapping[str, Any]], outcome: Completion | ModelFailure) -> Spoken:
    said = tuple(Message(role=str(one.get("role", "")), text=_words(one)) for one in messages)
    if isinstance(outcome, ModelFailure):
        return Spoken(messages=said, answer="", failure=str(outcome))
    asked = [f"{one.name}({one.arguments_json})" for one in outcome.tool_requests]
    return Spoken(messages=said, answer="\n".join(filter(None, [outcome.content, *asked]))[:MOST_CHARS])


def _words(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    parts = [content if isinstance(content, str) else "" if content is None else json.dumps(content)]
    for call in message.get("tool_calls") or ():
        function = call.get("function", {})
        parts.append(f"{function.get('name', '')}({function.get('arguments', '')})")
    return "\n".join(part for part in parts if part)[:MOST_CHARS]

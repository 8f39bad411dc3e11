"""A streamed answer: told piece by piece while it is written, and put together again as if it had come whole."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from agents.llm.request import Hear

if TYPE_CHECKING:
    import openai

STREAM: Mapping[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
"""What is asked of LiteLLM for a stream that ends with its usage."""

_OPENING = ("<think>", "<thinking>", "<budget:thinking>")
"""How models without a field for their thoughts begin them, LiteLLM's list: in whole answers it takes them out."""

_SIGNS_OF_LIFE = ("content", "tool_calls", "reasoning_content", "thinking_blocks")


class CutShort(Exception):
    """The stream ended before the answer did."""


class Prose:
    """What of a model's text is meant to be read. Thoughts that it writes out before its answer, in tags, are not."""

    def __init__(self) -> None:
        self._held = ""
        self._closing: str | None = None
        self._has_begun = False

    def feed(self, text: str) -> str:
        """What can be shown now that ``text`` came."""
        if self._has_begun:
            return text
        self._held += text
        if self._closing is None:
            start = self._held.lstrip()
            opening = next((tag for tag in _OPENING if start.startswith(tag)), None)
            if opening is None:
                return "" if any(tag.startswith(start) for tag in _OPENING) else self._begin(self._held)
            self._closing = f"</{opening[1:]}"
        _, closing, rest = self._held.partition(self._closing)
        return self._begin(rest) if closing else ""

    def rest(self) -> str:
        """What was held back in vain, once the text is over."""
        return "" if self._has_begun or self._closing is not None else self._begin(self._held)

    def _begin(self, text: str) -> str:
        self._has_begun, self._held = True, ""
        return text


@dataclass(slots=True, kw_only=True)
class Listening:
    """A stream being read. ``deadline`` bounds it: to ``until_s`` (on the clock of the loop) once there is life in it.

    ``shown`` are the pieces that ``hear`` was told.
    """

    hear: Hear
    deadline: asyncio.Timeout
    until_s: float
    is_alive: bool = False
    shown: list[str] = field(default_factory=list)
    _prose: Prose = field(default_factory=Prose)
    _refusal: str = ""

    async def whole(self, litellm: Any, stream: Any) -> Any:
        """The answer as LiteLLM would have given it whole, its connection closed whatever happens.

        Usage that the provider did not tell is None. Raises CutShort, and what LiteLLM raises.
        """
        _tap(stream, self._note_refusal)
        async with aclosing(stream):
            async for chunk in stream:
                if chunk.choices:
                    self._take(chunk.choices[0].delta)
        self._show(self._prose.rest())
        has_usage = any(getattr(chunk, "usage", None) is not None for chunk in stream.chunks)
        if not _has_ended(stream, has_usage=has_usage):
            raise CutShort
        response = litellm.stream_chunk_builder(stream.chunks, logging_obj=stream.logging_obj)
        return self._restored(response, stream, has_usage=has_usage)

    def _take(self, delta: Any) -> None:
        if not self.is_alive and any(getattr(delta, sign, None) for sign in _SIGNS_OF_LIFE):
            self.is_alive = True
            self.deadline.reschedule(self.until_s)
        if delta.content:
            self._show(self._prose.feed(readable(delta.content)))

    def _show(self, text: str) -> None:
        if text:
            self.shown.append(text)
            self.hear(text)

    def _note_refusal(self, chunk: Any) -> None:
        for choice in getattr(chunk, "choices", None) or ():
            self._refusal += getattr(getattr(choice, "delta", None), "refusal", None) or ""

    def _restored(self, response: Any, stream: Any, *, has_usage: bool) -> Any:
        """What LiteLLM loses of a stream, or makes up for it, put right."""
        if not getattr(response, "choices", None):
            raise CutShort
        message = response.choices[0].message
        message.content = "".join(self.shown)
        if self._refusal:
            message.provider_specific_fields = {"refusal": self._refusal}
        told = [(chunk.hidden_params or {}).get("provider_response_model") for chunk in stream.chunks]
        response.model = next((model for model in reversed(told) if model), None)
        if not has_usage:
            response.usage = None  # LiteLLM guesses it with a tokenizer of its own
        return response


def readable(text: object) -> str:
    """Text that every file and page can hold: JSON may spell half a surrogate pair, which no encoding has."""
    return str(text).encode("utf-8", "replace").decode()


def _has_ended(stream: Any, *, has_usage: bool) -> bool:
    """Whether the provider said that its answer is over.

    LiteLLM ends every stream with a reason of its own. Of Gemini it makes one up for each chunk; there the usage, which
    stands in the last one, has to do.
    """
    return stream.received_finish_reason is not None or (stream.intermittent_finish_reason is not None and has_usage)


def _tap(stream: Any, look: Callable[[Any], None]) -> None:
    """Let ``look`` see the chunks of OpenAI's client too: LiteLLM passes over those that only say why it declines."""
    import openai

    if isinstance(stream.completion_stream, openai.AsyncStream):
        stream.completion_stream = _Tap(stream.completion_stream, look)


class _Tap:
    """A stream of OpenAI's client that somebody else sees as well."""

    def __init__(self, chunks: "openai.AsyncStream[Any]", look: Callable[[Any], None]) -> None:
        self._chunks = chunks
        self._look = look

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        chunk = await anext(self._chunks)
        self._look(chunk)
        return chunk

    async def aclose(self) -> None:
        await self._chunks.close()

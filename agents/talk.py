"""A conversation with a desk: a model speaks for it and looks things up; it cannot trade or change the desk."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from agents.llm import Complete, Completion, Hear, ToolRequest
from agents.llm.observe import span
from agents.schemas import Words
from agents.spec import AgentSpec
from agents.transcript import Transcript
from agents.turn import MAX_TOOL_ROUNDS, MAX_TOOLS_AT_ONCE, TOO_MANY_TOOLS, CallLog, RoleAgent, Turn, about
from prompts import load_prompt
from tools.context import ToolContext
from tools.registry import Effect, discover
from trading.domain.errors import ModelFailure

MAX_WORDS_CHARS = 16_000
PIECE_CHARS = 24
"""About how long the pieces of an answer are that came whole."""

_PARAGRAPH = "\n\n"
_FENCE = re.compile(r"<(?=/?(?:facts|untrusted)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of the conversation, by the person or by the desk."""

    by: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted:
    """The desk begins to look something up. ``tool`` and ``arguments_json`` are as its model wrote them."""

    call_id: str
    tool: str
    arguments_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolEnded:
    """What was looked up, or why not. ``content`` is what the model gets, ``as_of_ms`` the instant it speaks of."""

    call_id: str
    tool: str
    outcome: str
    as_of_ms: int
    latency_ms: float
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the answer; all of them in order are the answer. A rule's answer is cut once it is whole."""

    text: str


Watch = Callable[[ToolStarted | ToolEnded | Piece], None]
"""Is told of every look-up and of every piece of the answer as it happens, on the loop that speaks."""


@cache
def spokesman_spec() -> AgentSpec:
    """Who speaks for a desk: it may call every tool that changes nothing and asks for nothing."""
    harmless = tuple(name for name, tool in discover().items() if tool.effect in (Effect.READ, Effect.THINK))
    return AgentSpec(
        role="desk", prompt="desk/talk", tools=harmless, reads=("decisions",), answer=Words, answer_name="words"
    )


def spokesman(model: str, *, seed: int, prompt: str | None = None) -> RoleAgent:
    """The agent that speaks for a desk with the mind of ``model``, set up by another ``prompt`` where one is named."""
    spec = spokesman_spec()
    return RoleAgent(spec=spec, prompt=load_prompt(prompt or spec.prompt), model=model, seed=seed)


async def talk(
    agent: RoleAgent,
    conversation: Sequence[Said],
    slots: Mapping[str, object],
    *,
    context: ToolContext,
    complete: Complete,
    deadline: float,
    log: CallLog,
    watch: Watch | None = None,
) -> str:
    """What ``agent`` answers to the last message. ``log`` is filled on the way.

    ``watch`` is told of every look-up and every piece as it comes, and the answer is all that was said, in paragraphs.
    Without it nothing is streamed, and what was said beside look-ups is no part of the answer. Raises ModelFailure when
    the model could not be reached, refused, or said nothing, also after pieces of its answer were heard.
    """
    turn = Turn(
        agent=agent,
        context=context,
        complete=complete,
        deadline=deadline,
        log=log,
        transcript=Transcript(
            [
                *agent.prompt.messages(slots),
                *({"role": said.by, "content": without_fences(said.text)} for said in conversation),
            ]
        ),
    )
    with span(f"invoke_agent {agent.spec.role}", about(agent)):
        return await (_last_words(turn) if watch is None else _speak(turn, watch))


def pieces(text: str) -> Iterator[Piece]:
    """``text`` in pieces that end between words where they can. A piece is cut by length, not as a model wrote it."""
    start = 0
    while start < len(text):
        end = text.find(" ", start + PIECE_CHARS) + 1 or len(text)
        end = min(end, start + 4 * PIECE_CHARS)
        yield Piece(text=text[start:end])
        start = end


class _Voice:
    """What is said in a turn, message by message, without blanks around it and no longer than may be."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._said = ""
        self._blank = ""
        self._has_begun = False

    @property
    def text(self) -> str:
        """All of it."""
        return self._said

    def hear(self, text: str) -> None:
        """A piece of the message that is being written."""
        text = self._blank + (text if self._has_begun else text.lstrip())
        words = text.rstrip()
        self._blank = text[len(words) :]
        if words:
            self._tell(words if self._has_begun or not self._said else f"{_PARAGRAPH}{words}")
            self._has_begun = True

    def end(self, message: str) -> None:
        """The message is over. One of which no piece came is told now."""
        if not self._has_begun:
            for piece in pieces(message.strip()):
                self.hear(piece.text)
        self._blank, self._has_begun = "", False

    def _tell(self, words: str) -> None:
        words = words[: MAX_WORDS_CHARS - len(self._said)]
        if words:
            self._said += words
            self._watch(Piece(text=words))


async def _speak(turn: Turn, watch: Watch) -> str:
    voice = _Voice(watch)
    async for completion in _messages(turn, watch, voice.hear):
        voice.end(completion.content)
    return voice.text


async def _last_words(turn: Turn) -> str:
    last = ""
    async for completion in _messages(turn, _unwatched, None):
        last = completion.content.strip()
    return last[:MAX_WORDS_CHARS]


async def _messages(turn: Turn, watch: Watch, hear: Hear | None) -> AsyncIterator[Completion]:
    """What the model says, message by message, looking up in between what it asks for. Raises ModelFailure."""
    completion = await turn.ask(with_tools=bool(turn.agent.allowed), hear=hear)
    for asked in range(1, MAX_TOOL_ROUNDS + 1):
        if not completion.tool_requests:
            break
        yield completion
        turn.transcript.add_tool_requests(completion)
        await _look_up(turn, completion.tool_requests, watch)
        completion = await turn.ask(with_tools=asked < MAX_TOOL_ROUNDS, hear=hear)
    if not completion.content.strip():
        raise ModelFailure(f"{turn.agent.model} had nothing to say", reason="empty")
    yield completion


async def _look_up(turn: Turn, requests: Sequence[ToolRequest], watch: Watch) -> None:
    for request in requests[:MAX_TOOLS_AT_ONCE]:
        watch(ToolStarted(call_id=request.call_id, tool=request.name, arguments_json=request.arguments_json))
        await asyncio.sleep(0)  # whoever listens on this loop hears of it before it is done
        if request.name in turn.agent.own:  # they may read files, which would hold up everybody on this loop
            await asyncio.to_thread(turn.run_tools, [request])
        else:
            turn.run_tools([request])
        done = turn.log.tool_calls[-1]
        watch(
            ToolEnded(
                call_id=request.call_id,
                tool=done.tool,
                outcome=done.outcome,
                as_of_ms=done.as_of_ms,
                latency_ms=done.latency_ms,
                content=str(turn.transcript.messages[-1]["content"]),
            )
        )
    for request in requests[MAX_TOOLS_AT_ONCE:]:
        turn.transcript.add_tool_result(request.call_id, TOO_MANY_TOOLS)


def _unwatched(_: ToolStarted | ToolEnded | Piece) -> None:
    """Nobody looks."""


def without_fences(text: str) -> str:
    """``text`` without the tags that mark what is trusted in a prompt, so that nobody can write facts of their own."""
    return _FENCE.sub("&lt;", text)

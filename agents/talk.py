"""A conversation with a desk: a model speaks for it and looks things up; it cannot trade or change the desk."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from agents.llm import Complete, ToolRequest
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


Watch = Callable[[ToolStarted | ToolEnded], None]
"""Is told of every look-up as it happens, on the loop that speaks."""


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
    """What ``agent`` answers to the last message. ``log`` is filled on the way, ``watch`` told of every look-up.

    Raises ModelFailure when the model could not be reached, refused, or said nothing.
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
        return await _speak(turn, watch or _unwatched)


async def _speak(turn: Turn, watch: Watch) -> str:
    tools = bool(turn.agent.allowed)
    completion = await turn.ask(with_tools=tools)
    for asked in range(1, MAX_TOOL_ROUNDS + 1):
        if not completion.tool_requests:
            break
        turn.transcript.add_tool_requests(completion)
        await _look_up(turn, completion.tool_requests, watch)
        completion = await turn.ask(with_tools=asked < MAX_TOOL_ROUNDS)
    text = completion.content.strip()
    if not text:
        raise ModelFailure(f"{turn.agent.model} had nothing to say", reason="empty")
    return text[:MAX_WORDS_CHARS]


async def _look_up(turn: Turn, requests: Sequence[ToolRequest], watch: Watch) -> None:
    for request in requests[:MAX_TOOLS_AT_ONCE]:
        watch(ToolStarted(call_id=request.call_id, tool=request.name, arguments_json=request.arguments_json))
        await asyncio.sleep(0)  # whoever listens on this loop hears of it before it is done
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


def _unwatched(_: ToolStarted | ToolEnded) -> None:
    """Nobody looks."""


def without_fences(text: str) -> str:
    """``text`` without the tags that mark what is trusted in a prompt, so that nobody can write facts of their own."""
    return _FENCE.sub("&lt;", text)

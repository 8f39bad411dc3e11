"""A conversation with a desk: a model speaks for it and looks things up; it cannot trade or change the desk."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from agents.llm import Complete
from agents.llm.observe import span
from agents.schemas import Words
from agents.spec import AgentSpec
from agents.transcript import Transcript
from agents.turn import MAX_TOOL_ROUNDS, CallLog, RoleAgent, Turn, about
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
) -> str:
    """What ``agent`` answers to the last message. ``log`` is filled on the way.

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
        return await _speak(turn)


async def _speak(turn: Turn) -> str:
    tools = bool(turn.agent.allowed)
    completion = await turn.ask(with_tools=tools)
    for asked in range(1, MAX_TOOL_ROUNDS + 1):
        if not completion.tool_requests:
            break
        turn.transcript.add_tool_requests(completion)
        turn.run_tools(completion.tool_requests)
        completion = await turn.ask(with_tools=asked < MAX_TOOL_ROUNDS)
    text = completion.content.strip()
    if not text:
        raise ModelFailure(f"{turn.agent.model} had nothing to say", reason="empty")
    return text[:MAX_WORDS_CHARS]


def without_fences(text: str) -> str:
    """``text`` without the tags that mark what is trusted in a prompt, so that nobody can write facts of their own."""
    return _FENCE.sub("&lt;", text)

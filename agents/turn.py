"""One turn of one role: messages, tool calls, and a validated answer, within bounds.

A turn is at most :data:`MAX_TOOL_ROUNDS` rounds of tool calls, an answer, and one chance to mend it, which is asked for
in another form: as text, with what was wrong. Whatever does not come to a valid answer is a ModelFailure with a reason,
never a default.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import monotonic, perf_counter
from typing import Any

from pydantic import ValidationError

from agents.llm import AnswerMethod, Attempt, Complete, Completion, CompletionRequest, Hear, ToolRequest, epoch_of
from agents.llm.observe import Attributes, span
from agents.schemas import Answer, AnswerFormat, answer_format
from agents.schemas.answer import INSTRUMENTS
from agents.spec import AgentSpec
from agents.transcript import Transcript
from prompts import Prompt
from tools.context import ToolContext
from tools.registry import Tool, discover, openai_schema, run_tool
from trading.domain import ModelCall, ToolCall
from trading.domain.errors import ModelFailure

MAX_TOOL_ROUNDS = 3
MAX_TOOLS_AT_ONCE = 12
MAX_ANSWER_CHARS = 16_000
MAX_ANSWER_TOKENS = 8_192
"""What a model may write at once, its reasoning included."""

_QUOTED_CHARS = 2_000
TOO_MANY_TOOLS = f'{{"error":"more than {MAX_TOOLS_AT_ONCE} tool calls at once","what_to_do":"ask for fewer"}}'
"""What a model gets for the tool calls of one message that are too many."""


@dataclass(frozen=True, kw_only=True)
class RoleAgent:
    """A role as one desk staffs it: the spec, the prompt version and the model behind it.

    ``fallbacks`` may answer in its place, and are then named; ``hedge`` sends a slow call a second time. ``own_tools``
    are on no desk's list; they come on top of those of its spec.
    """

    spec: AgentSpec
    prompt: Prompt
    model: str
    seed: int
    fallbacks: tuple[str, ...] = ()
    hedge: bool = False
    own_tools: tuple[Tool, ...] = ()

    def without_tools(self) -> "RoleAgent":
        """The same agent with nothing to call."""
        return replace(self, spec=replace(self.spec, tools=()), own_tools=())

    @cached_property
    def own(self) -> Mapping[str, Tool]:
        """Its own tools by name."""
        return {tool.name: tool for tool in self.own_tools}

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The tools it may call."""
        return frozenset((*self.spec.tools, *self.own))

    @cached_property
    def tool_schemas(self) -> Sequence[Mapping[str, Any]]:
        """Its tools in the OpenAI function format."""
        own = (*(discover()[name] for name in self.spec.tools), *self.own_tools)
        return [openai_schema(tool, self.prompt.offers) for tool in own]

    @cached_property
    def answer_format(self) -> AnswerFormat:
        """The answer as its model is asked for it."""
        return answer_format(self.spec.answer, self.spec.answer_name, self.prompt.offers)

    @cached_property
    def tools_sha256(self) -> str:
        """Digest of its tools and its answer format."""
        return hashlib.sha256(f"{self.tool_schemas!r}|{self.answer_format.sha256}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLog:
    """What a turn did, in order. It is filled as the turn goes, so it is there when the turn fails."""

    model_calls: list[ModelCall] = field(default_factory=list)
    tool_calls: list[ToolCall] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn under way: who speaks, with what, until when (``deadline`` on the monotonic clock, seconds)."""

    agent: RoleAgent
    context: ToolContext
    complete: Complete
    deadline: float
    log: CallLog
    transcript: Transcript

    async def ask(self, *, with_tools: bool, method: AnswerMethod = "schema", hear: Hear | None = None) -> Completion:
        """One model call, every attempt at it recorded; ``hear`` listens to free text. Raises ModelFailure."""
        agent = self.agent
        desk = self.context.account.desk
        remaining_s = self.deadline - monotonic()
        request = CompletionRequest(
            model=agent.model,
            messages=self.transcript.messages,
            tools=agent.tool_schemas,
            tool_choice="auto" if with_tools else "none",
            response_format=agent.answer_format.response_format,
            seed=agent.seed,
            timeout_s=remaining_s,
            prompt_sha256=self.transcript.sha256,
            tools_sha256=agent.tools_sha256,
            method=method,
            fallbacks=agent.fallbacks,
            hedge=agent.hedge,
            max_tokens=MAX_ANSWER_TOKENS,
            epoch=epoch_of(desk, self.context.as_of),
            metadata={"role": agent.spec.role, "desk": desk},
            hear=hear,
        )
        started = perf_counter()
        try:
            completion = await self.complete(request)
        except ModelFailure as failure:
            unknown = Attempt(model=agent.model, outcome=failure.reason, latency_ms=_ms_since(started))
            self._record(request, failure.attempts or (unknown,))
            raise
        self._record(request, completion.attempts or (_only_attempt(agent.model, completion, _ms_since(started)),))
        if completion.refusal:
            raise ModelFailure(f"{agent.model} refused: {completion.refusal[:200]}", reason="refused")
        return completion

    def run_tools(self, requests: Sequence[ToolRequest]) -> None:
        """Run the tool calls of one message and append their results."""
        for number, request in enumerate(requests):
            started = perf_counter()
            if number >= MAX_TOOLS_AT_ONCE:
                self.transcript.add_tool_result(request.call_id, TOO_MANY_TOOLS)
                continue
            name = request.name if request.name in self.agent.allowed else "unknown"
            named = {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": name,
                "gen_ai.tool.type": "function",
            }
            with span(f"execute_tool {name}", named) as call:
                done = run_tool(request.name, request.arguments_json, self.context, self.agent.allowed, self.agent.own)
                if done.outcome != "ok":
                    call.fail(done.outcome)
            self.transcript.add_tool_result(request.call_id, done.content)
            self.log.tool_calls.append(
                ToolCall(
                    role=self.agent.spec.role,
                    tool=done.tool,
                    effect=done.effect,
                    arguments_json=request.arguments_json[:_QUOTED_CHARS],
                    outcome=done.outcome,
                    as_of_ms=done.as_of_ms,
                    result_sha256=hashlib.sha256(done.content.encode()).hexdigest(),
                    latency_ms=_ms_since(started),
                )
            )

    def _record(self, request: CompletionRequest, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self.log.model_calls.append(
                ModelCall(
                    role=self.agent.spec.role,
                    model_requested=request.model,
                    model_answered=attempt.model_answered,
                    attempt=len(self.log.model_calls),
                    outcome=attempt.outcome,
                    tokens_in=attempt.tokens_in,
                    tokens_out=attempt.tokens_out,
                    usd=attempt.usd,
                    prompt_sha256=request.prompt_sha256,
                    cassette_key=request.cassette_key,
                    latency_ms=attempt.latency_ms,
                    substitute=None if attempt.model == request.model else attempt.model,
                )
            )


def _only_attempt(model: str, completion: Completion, latency_ms: float) -> Attempt:
    return Attempt(
        model=model,
        outcome="ok",
        model_answered=completion.model_answered,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        usd=completion.usd,
        latency_ms=latency_ms,
    )


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000


async def run_role(
    agent: RoleAgent,
    slots: Mapping[str, object],
    *,
    context: ToolContext,
    complete: Complete,
    deadline: float,
    log: CallLog,
) -> Answer:
    """The role's validated answer. ``log`` is filled on the way.

    Raises ModelFailure when the model could not be reached, refused, or gave no valid answer after one repair.
    """
    turn = Turn(
        agent=agent,
        context=context,
        complete=complete,
        deadline=deadline,
        log=log,
        transcript=Transcript(agent.prompt.messages(slots)),
    )
    with span(f"invoke_agent {agent.spec.role}", about(agent)):
        return await _answer(turn)


def about(agent: RoleAgent) -> Attributes:
    """What a trace says of an agent."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": agent.spec.role,
        "gen_ai.request.model": agent.model,
        "tradefloor.prompt": agent.prompt.reference,
    }


async def _answer(turn: Turn) -> Answer:
    spec, instruments = turn.agent.spec, tuple(turn.context.instruments)
    completion = await _speak(turn)
    try:
        return _validated(spec, completion, instruments)
    except ModelFailure as failure:
        turn.transcript.add({"role": "assistant", "content": completion.content[:_QUOTED_CHARS] or "(nothing)"})
        turn.transcript.add({"role": "user", "content": _repair_text(spec, failure)})
    return _validated(spec, await turn.ask(with_tools=False, method="text"), instruments)


async def _speak(turn: Turn) -> Completion:
    """The first message of the role that asks for no tool."""
    for _ in range(MAX_TOOL_ROUNDS):
        completion = await turn.ask(with_tools=bool(turn.agent.allowed))
        if not completion.tool_requests:
            return completion
        turn.transcript.add_tool_requests(completion)
        turn.run_tools(completion.tool_requests)
    return await turn.ask(with_tools=False)


def _validated(spec: AgentSpec, completion: Completion, instruments: Sequence[str]) -> Answer:
    text = _unfenced(completion.content)
    if completion.tool_requests and not text:
        raise ModelFailure(f"{spec.role} goes on calling tools and does not answer", reason="tool_loop")
    if not text:
        raise ModelFailure(f"{spec.role} answered nothing", reason="empty")
    if len(text) > MAX_ANSWER_CHARS:
        raise ModelFailure(
            f"the answer has {len(text)} characters; at most {MAX_ANSWER_CHARS} are read", reason="too_long"
        )
    try:
        return spec.answer.model_validate_json(text, context={INSTRUMENTS: instruments})
    except ValidationError as error:
        malformed = any(item["type"] == "json_invalid" for item in error.errors(include_url=False))
        raise ModelFailure(_complaints(error), reason="malformed_json" if malformed else "invalid_answer") from None


def _unfenced(content: str) -> str:
    """The answer without a code fence around the whole of it, which many models cannot leave out."""
    text = content.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text.split("\n", 1)[1].rsplit("```", 1)[0].strip()
    return text


def _complaints(error: ValidationError) -> str:
    lines = [
        f"{'.'.join(str(part) for part in item['loc']) or 'answer'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False)[:8]
    ]
    return "; ".join(lines)[:_QUOTED_CHARS]


def _repair_text(spec: AgentSpec, failure: ModelFailure) -> str:
    return (
        f"Your answer cannot be used: {failure}\n"
        f"Answer once more, with nothing but one JSON object of the schema {spec.answer_name!r}. No tools, no prose. "
        "This is the last chance; without a valid answer the desk abstains this round."
    )

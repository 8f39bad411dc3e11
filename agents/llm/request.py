"""One call of a model: what is asked, what was tried, and what came back."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

AnswerMethod = Literal["schema", "tool", "text"]
"""How a model is told the shape of its answer: a native JSON schema, a tool named like the schema whose arguments are
the answer, or the schema as text."""

Hear = Callable[[str], None]
"""Is told of an answer piece by piece, on the loop that asks; all pieces in order are the content of the completion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """What is asked of ``model`` (an id of the catalogue or of LiteLLM). ``timeout_s`` bounds the whole call.

    Messages, tools and ``response_format`` are in the OpenAI chat format. ``prompt_sha256`` digests the messages and
    ``tools_sha256`` the tools and the format: the caller has both at hand, so nothing is hashed twice. ``method`` is
    the first that may be used; a model without the ability gets the next one. ``fallbacks`` are asked in their order
    when ``model`` cannot be reached; ``hedge`` lets a slow call be sent a second time. ``max_tokens`` bounds the
    answer. ``epoch`` names the desk and instant that ask, and so tells apart requests that are the same otherwise.

    ``hear`` listens while the answer is written, for which the model is asked for a stream. It is heard of free text
    only, of no rule, and of nothing that was recorded. Once it heard a piece, nobody else is asked for the answer.
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]
    tool_choice: Literal["auto", "none"]
    response_format: Mapping[str, Any]
    seed: int
    timeout_s: float
    prompt_sha256: str
    tools_sha256: str
    method: AnswerMethod = "schema"
    fallbacks: tuple[str, ...] = ()
    hedge: bool = False
    max_tokens: int | None = None
    epoch: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    hear: Hear | None = field(default=None, repr=False, compare=False)

    @property
    def cassette_key(self) -> str:
        """Digest of everything the answer may depend on."""
        parts = (
            self.model,
            self.prompt_sha256,
            self.tools_sha256,
            self.tool_choice,
            str(self.seed),
            self.method,
            str(self.max_tokens),
            self.epoch,
            *self.fallbacks,
        )
        return hashlib.sha256("|".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """A tool call as the model wrote it."""

    call_id: str
    name: str
    arguments_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request that was sent to ``model``, or that could not be sent.

    ``outcome`` is ``"ok"``, ``"overtaken"`` for the slower of two hedged requests, or the reason of the failure.
    Usage and price are 0 where the provider refused the request, and None where it is not known what was billed.
    """

    model: str
    outcome: str
    model_answered: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    usd: float | None = None
    latency_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A model's answer. Unknown usage and price are None; house models use no tokens and cost nothing, which is 0.

    ``attempts`` is everything that was tried, as it ended; empty where a single attempt was all, as the client gives
    it. ``substitute`` names the fallback that answered, None when it was the model asked for.
    """

    content: str
    tool_requests: tuple[ToolRequest, ...]
    finish_reason: str
    refusal: str | None
    model_answered: str | None
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    attempts: tuple[Attempt, ...] = ()
    substitute: str | None = None


Complete = Callable[[CompletionRequest], Awaitable[Completion]]
"""Whatever answers requests: the client here, a cassette, a gateway that fails over.

It raises :class:`~trading.domain.errors.ModelFailure` with a reason, and nothing else on purpose.
"""


def epoch_of(desk: str, as_of: str) -> str:
    """The epoch of what a desk asks at an instant (ISO 8601)."""
    return f"{desk}@{as_of}"

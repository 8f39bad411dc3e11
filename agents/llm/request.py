"""One call of a model: what is asked and what came back."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """What is asked of ``model`` (a LiteLLM id). ``timeout_s`` bounds the whole call.

    Messages, tools and ``response_format`` are in the OpenAI chat format. ``prompt_sha256`` digests the messages and
    ``tools_sha256`` the tools and the format: the caller has both at hand, so nothing is hashed twice.
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
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def cassette_key(self) -> str:
        """Digest of everything the answer may depend on."""
        parts = (self.model, self.prompt_sha256, self.tools_sha256, self.tool_choice, str(self.seed))
        return hashlib.sha256("|".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """A tool call as the model wrote it."""

    call_id: str
    name: str
    arguments_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A model's answer. Unknown usage and price are None; house models use no tokens and cost nothing, which is 0."""

    content: str
    tool_requests: tuple[ToolRequest, ...]
    finish_reason: str
    refusal: str | None
    model_answered: str | None
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None


Complete = Callable[[CompletionRequest], Awaitable[Completion]]
"""Whatever answers requests: the client here, a cassette, a gateway that fails over.

It raises :class:`~trading.domain.errors.ModelFailure` with a reason, and nothing else on purpose.
"""

"""Spans of what agents do, in the words of OpenTelemetry's conventions for generative AI.

Nothing is recorded until :func:`trace_with` names a provider of tracers. A span tells who was asked, how it ended and
what it used; it never holds a message, an answer or an argument.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from agents.llm.catalogue import catalogue
from agents.llm.request import Complete, Completion, CompletionRequest
from trading.domain.errors import ModelFailure

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider

Value = str | int | float | bool | tuple[str, ...]
Attributes = Mapping[str, Value | None]

_PROVIDERS: Mapping[str, str] = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""The conventions' names of providers, where they are not LiteLLM's."""


class Span(Protocol):
    """A span under way."""

    def note(self, attributes: Attributes) -> None:
        """Add what became known; None is left out."""
        ...

    def fail(self, reason: str) -> None:
        """Say that it did not end well, and why in a word."""
        ...


@dataclass(slots=True)
class _Tracing:
    tracer: "Tracer | None" = None


_TRACING = _Tracing()


def trace_with(provider: "TracerProvider | None") -> None:
    """Record spans with the tracers of ``provider`` from now on, or none at all."""
    _TRACING.tracer = provider.get_tracer("tradefloor") if provider is not None else None


def span(name: str, attributes: Attributes, *, remote: bool = False) -> AbstractContextManager[Span]:
    """A span around a block, below the one that is open there. ``remote`` is for what happens at a provider.

    An exception that leaves the block fails it, with the reason of a ModelFailure or else with its kind.
    """
    tracer = _TRACING.tracer
    return _NOT_RECORDED if tracer is None else _Recorded(tracer, name, attributes, remote=remote)


def traced(inner: Complete) -> Complete:
    """``inner`` with a span around every request."""

    async def complete(request: CompletionRequest) -> Completion:
        if _TRACING.tracer is None:
            return await inner(request)
        with span(f"chat {request.model}", _asked(request), remote=True) as call:
            completion = await inner(request)
            call.note(_answered(completion))
            if completion.refusal:
                call.fail("refused")
            return completion

    return complete


def _asked(request: CompletionRequest) -> Attributes:
    provider = catalogue().provider_of(request.model) or request.model.partition("/")[0]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(provider, provider),
        "gen_ai.request.model": request.model,
        "gen_ai.request.seed": request.seed,
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.output.type": "text" if request.response_format["type"] == "text" else "json",
        "tradefloor.role": request.metadata.get("role"),
        "tradefloor.desk": request.metadata.get("desk"),
    }


def _answered(completion: Completion) -> Attributes:
    return {
        "gen_ai.response.model": completion.model_answered,
        "gen_ai.response.finish_reasons": (completion.finish_reason,) if completion.finish_reason else None,
        "gen_ai.usage.input_tokens": completion.tokens_in,
        "gen_ai.usage.output_tokens": completion.tokens_out,
        "tradefloor.usd": completion.usd,
    }


class _NotRecorded:
    def note(self, attributes: Attributes) -> None:
        pass

    def fail(self, reason: str) -> None:
        pass


_NOT_RECORDED: AbstractContextManager[Span] = nullcontext(_NotRecorded())


class _Recorded:
    """A span that is recorded, as a context manager."""

    def __init__(self, tracer: "Tracer", name: str, attributes: Attributes, *, remote: bool) -> None:
        from opentelemetry.trace import SpanKind

        self._current = tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT if remote else SpanKind.INTERNAL,
            attributes=_known(attributes),
            record_exception=False,  # a message may quote what does not belong in a trace
            set_status_on_exception=False,
        )

    def __enter__(self) -> Self:
        self._span = self._current.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.fail(error.reason if isinstance(error, ModelFailure) else type(error).__name__)
        self._current.__exit__(kind, error, trace)

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(_known(attributes))

    def fail(self, reason: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attribute("error.type", reason)
        self._span.set_status(Status(StatusCode.ERROR, reason))


def _known(attributes: Attributes) -> dict[str, Value]:
    return {key: value for key, value in attributes.items() if value is not None}

"""Why a call of a model failed, in our own words: from what LiteLLM raises to typed failures."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from agents.llm.request import Attempt
from trading.domain.errors import ModelFailure, ModelUnavailable

if TYPE_CHECKING:
    import openai

_UNREACHABLE = {
    401: "auth",
    403: "auth",
    404: "unknown_model",
    408: "timeout",
    429: "rate_limited",
}
_CONTENT_POLICY = "ContentPolicyViolationError"
_CONTEXT_WINDOW = "ContextWindowExceededError"
_UNREADABLE = 422
"""The status that LiteLLM makes up for a response it cannot convert."""


def unanswered(model: str, outcome: str, *, billed: bool) -> Attempt:
    """An attempt without an answer. What a provider billed for one is not known, unless it is nothing."""
    unknown = None if billed else 0
    return Attempt(model=model, outcome=outcome, tokens_in=unknown, tokens_out=unknown, usd=None if billed else 0.0)


def timed_out(model: str, timeout_s: float) -> ModelUnavailable:
    """The failure of a call that did not come back in time."""
    return ModelUnavailable(
        f"{model}: no answer within {timeout_s:.1f} s",
        reason="timeout",
        attempts=(unanswered(model, "timeout", billed=True),),
    )


def garbled(model: str, what: str) -> ModelUnavailable:
    """The failure of a call whose response could not be read."""
    return ModelUnavailable(
        f"{model}: the provider's response cannot be read ({what})",
        reason="garbled",
        attempts=(unanswered(model, "garbled", billed=True),),
    )


def as_failure(model: str, error: "openai.OpenAIError") -> ModelFailure:
    """The typed failure for what LiteLLM raised.

    The provider's own text is left out: it may repeat keys and prompts, and it differs from call to call.
    """
    import httpx

    kind = type(error).__name__
    received = next((cause.response for cause in _causes(error) if isinstance(cause, httpx.HTTPStatusError)), None)
    # LiteLLM reads statuses out of texts: of a broken connection even out of "received 403 of 807 bytes".
    is_broken = _any(error, (httpx.NetworkError, httpx.ProtocolError))
    claimed = None if is_broken else _status(error)
    status = claimed if received is None else received.status_code
    if received is None and (status == _UNREADABLE or _any(error, (ValueError, TypeError, KeyError))):
        return garbled(model, kind)
    reason, message = _reason(kind, status)
    is_connected = not _any(error, (httpx.ConnectError, httpx.ConnectTimeout))
    refused_here = received is None and status is not None and status < 500 and reason != "timeout"
    billed = received is None and is_connected and not refused_here
    failure = ModelUnavailable if status is None or status >= 500 or status in _UNREACHABLE else ModelFailure
    return failure(
        f"{model}: {message}",
        reason=reason,
        status=None if received is None else received.status_code,
        retry_after_s=None if received is None else _retry_after_s(received.headers),
        attempts=(unanswered(model, reason, billed=billed),),
    )


def _reason(kind: str, status: int | None) -> tuple[str, str]:
    """The reason and its wording."""
    if kind == _CONTENT_POLICY:
        return "refused", "the provider's content policy refused the request"
    if kind == _CONTEXT_WINDOW:
        return "context_window", "the conversation is longer than the model reads"
    if status in _UNREACHABLE:
        return _UNREACHABLE[status], f"the provider answered {status} ({kind})"
    if status is not None and 400 <= status < 500:
        return "bad_request", f"the provider refused the request as sent ({kind}, {status})"
    if status is not None and status > 500:
        return "unavailable", f"the provider answered {status} ({kind})"
    return "unavailable", f"the provider could not be reached, or failed ({kind})"


def _status(error: "openai.OpenAIError") -> int | None:
    """The HTTP status, which LiteLLM passes on as a number or as the text a provider wrote in its error."""
    found = str(getattr(error, "status_code", ""))
    return int(found) if found.isascii() and found.isdigit() else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exceptions that led to this one, it first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _any(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    return any(isinstance(cause, kinds) for cause in _causes(error))


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The wait that the provider asked for: milliseconds, seconds or a date, whichever header it sent."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            return max(0.0, float(text) * unit_s)
        except ValueError:
            pass
        try:
            return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
        except (TypeError, ValueError):
            continue
    return None

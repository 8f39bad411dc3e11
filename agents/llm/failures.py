"""Why a call of a model failed, in our own words: from LiteLLM's exceptions to typed failures."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

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


def timed_out(model: str, timeout_s: float) -> ModelUnavailable:
    """The failure of a call that did not come back in time."""
    return ModelUnavailable(f"{model}: no answer within {timeout_s:.1f} s", reason="timeout")


def garbled(model: str, error: Exception | None) -> ModelUnavailable:
    """The failure of a call whose response could not be read."""
    kind = f" ({type(error).__name__})" if error is not None else ": it holds no choice"
    return ModelUnavailable(f"{model}: the provider's response cannot be read{kind}", reason="garbled")


def as_failure(model: str, error: "openai.OpenAIError") -> ModelFailure:
    """The typed failure for what LiteLLM raised.

    The provider's own text is left out: it may repeat keys and prompts, and it differs from call to call.
    """
    kind = type(error).__name__
    status = _status(error)
    if kind == _CONTENT_POLICY:
        return ModelFailure(
            f"{model}: the provider's content policy refused the request", reason="refused", status=status
        )
    if kind == _CONTEXT_WINDOW:
        return ModelFailure(
            f"{model}: the conversation is longer than the model reads", reason="context_window", status=status
        )
    if status in _UNREACHABLE:
        return ModelUnavailable(
            f"{model}: the provider answered {status} ({kind})",
            reason=_UNREACHABLE[status],
            status=status,
            retry_after_s=_retry_after_s(error),
        )
    if status is not None and 400 <= status < 500:
        return ModelFailure(
            f"{model}: the provider refused the request as sent ({kind}, {status})",
            reason="bad_request",
            status=status,
        )
    return ModelUnavailable(
        f"{model}: the provider could not be reached ({kind})",
        reason="unavailable",
        status=status,
        retry_after_s=_retry_after_s(error),
    )


def _status(error: "openai.OpenAIError") -> int | None:
    """The HTTP status, which LiteLLM passes on as a number or as the text a provider wrote in its error."""
    found = str(getattr(error, "status_code", ""))
    return int(found) if found.isascii() and found.isdigit() else None


def _retry_after_s(error: "openai.OpenAIError") -> float | None:
    """The wait that the provider asked for: milliseconds, seconds or a date, whichever header it sent."""
    response = getattr(error, "response", None)
    headers: Mapping[str, str] = (
        getattr(error, "litellm_response_headers", None) or getattr(response, "headers", None) or {}
    )
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

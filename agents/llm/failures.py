"""Why a call of a model failed, in our own words: from LiteLLM's exceptions to typed failures."""

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


def as_failure(model: str, error: "openai.OpenAIError") -> ModelFailure:
    """The typed failure for what LiteLLM raised.

    The provider's own text is left out: it may repeat keys and prompts, and it differs from call to call.
    """
    kind = type(error).__name__
    status = _status(error)
    if kind == _CONTENT_POLICY:
        return ModelFailure(f"{model}: the provider's content policy refused the request", reason="refused")
    if kind == _CONTEXT_WINDOW:
        return ModelFailure(f"{model}: the conversation is longer than the model reads", reason="context_window")
    if status in _UNREACHABLE:
        return ModelUnavailable(f"{model}: the provider answered {status} ({kind})", reason=_UNREACHABLE[status])
    if status is not None and 400 <= status < 500:
        return ModelFailure(
            f"{model}: the provider refused the request as sent ({kind}, {status})", reason="bad_request"
        )
    return ModelUnavailable(f"{model}: the provider could not be reached ({kind})", reason="unavailable")


def _status(error: "openai.OpenAIError") -> int | None:
    """The HTTP status, which LiteLLM passes on as a number or as the text a provider wrote in its error."""
    found = str(getattr(error, "status_code", ""))
    return int(found) if found.isascii() and found.isdigit() else None

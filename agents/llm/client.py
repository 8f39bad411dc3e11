"""The client: one completion through LiteLLM, with a deadline, typed failures, usage and price."""

import asyncio
import logging
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from agents.llm.catalogue import catalogue
from agents.llm.failures import as_failure, garbled, timed_out
from agents.llm.keys import is_rule_based
from agents.llm.request import Completion, CompletionRequest, ToolRequest
from agents.llm.runtime import litellm_module
from agents.llm.shape import Shaped, shaped
from agents.llm.streaming import STREAM, CutShort, Listening, readable
from trading.domain.errors import ModelFailure

_LOG = logging.getLogger("tradefloor.llm")


async def complete(request: CompletionRequest) -> Completion:
    """Ask the model once. Raises ModelFailure or ModelUnavailable with a reason; never retries, never falls back."""
    litellm = litellm_module()
    import openai

    sent, listening = shaped(request), None
    try:
        # A rule answers in no time, and must do so on a slow machine too: only others have a deadline.
        async with asyncio.timeout(None if is_rule_based(request.model) else request.timeout_s) as deadline:
            listening = _listening(request, deadline)
            response = await litellm.acompletion(**_arguments(request, sent), **(STREAM if listening else {}))
            if listening is not None:
                response = await listening.whole(litellm, response)
        return _completion(request.model, response, sent.answer_tool)
    except TimeoutError:
        raise _in_time(request, listening) from None
    except CutShort:
        raise _broken_off(garbled(request.model, "it ends before the answer does"), listening) from None
    except openai.OpenAIError as error:
        _tell(request.model, error)
        raise _broken_off(as_failure(request.model, error), listening) from error
    except Exception as error:  # the border to LiteLLM: a body it cannot read makes it raise whatever it stumbles over
        _tell(request.model, error)
        raise _broken_off(garbled(request.model, type(error).__name__), listening) from error


def _arguments(request: CompletionRequest, sent: Shaped) -> dict[str, Any]:
    """What LiteLLM is called with. It takes out of schemas, in place, what a provider does not know: of a copy."""
    known = catalogue()
    if not is_rule_based(request.model):
        sent = deepcopy(sent)
    return {
        "model": known.litellm_id(request.model),
        "messages": sent.messages,
        "tools": list(sent.tools) or None,
        "tool_choice": sent.tool_choice,
        "response_format": sent.response_format,
        "seed": request.seed,
        "max_tokens": _answer_tokens(known.litellm_id(request.model), request.max_tokens),
        "api_base": known.provider(known.provider_of(request.model)).address,
        "timeout": _timeouts(request.model),
        "num_retries": 0,
        "max_retries": 0,  # the providers' own clients retry as well, unless told not to
        "metadata": dict(request.metadata),
        # LiteLLM looks for tools of its own MCP gateway otherwise, which needs a package we do not have.
        "_skip_mcp_handler": True,
    }


def _listening(request: CompletionRequest, deadline: asyncio.Timeout) -> Listening | None:
    """Where somebody listens to free text of an LLM, a reader of its stream, with a deadline for its first word."""
    if request.hear is None or is_rule_based(request.model) or request.response_format["type"] != "text":
        return None
    now_s = asyncio.get_running_loop().time()
    until_s = now_s + request.timeout_s
    deadline.reschedule(min(until_s, now_s + catalogue().pace(request.model).first_s))
    return Listening(hear=request.hear, deadline=deadline, until_s=until_s)


def _in_time(request: CompletionRequest, listening: Listening | None) -> ModelFailure:
    """The failure of a call whose deadline has passed: that of the first word, or that of the whole."""
    within_s = request.timeout_s
    if listening is not None and not listening.is_alive:
        within_s = min(within_s, catalogue().pace(request.model).first_s)
    return _broken_off(timed_out(request.model, within_s), listening)


def _broken_off(failure: ModelFailure, listening: Listening | None) -> ModelFailure:
    """``failure``, saying so where a part of the answer had been heard already."""
    if listening is None or not listening.shown:
        return failure
    return type(failure)(
        f"{failure}, in the middle of its answer",
        reason=failure.reason,
        status=failure.status,
        retry_after_s=failure.retry_after_s,
        attempts=failure.attempts,
    )


def _tell(model: str, error: Exception) -> None:
    """Log what a failure leaves out. A house model that fails is a bug of ours and is said aloud."""
    trace = _LOG.isEnabledFor(logging.DEBUG)
    if is_rule_based(model):
        _LOG.error("%s failed, which is a bug of ours: %s", model, type(error).__name__, exc_info=trace)
    else:
        _LOG.debug("%s: %s", model, type(error).__name__)  # its text and trace may repeat a key


@cache
def _answer_tokens(litellm_id: str, asked: int | None) -> int | None:
    """The bound of the answer, no more than the model can write: providers refuse to be asked for more."""
    listed: Mapping[str, Mapping[str, Any]] = litellm_module().model_cost
    row = listed.get(litellm_id) or listed.get(litellm_id.split("/", 1)[-1]) or {}
    most = row.get("max_output_tokens")
    return min(asked, most) if asked and isinstance(most, int) and most > 0 else asked


@cache
def _timeouts(model: str) -> Any:
    """Connect and read limits of the model's provider. LiteLLM takes the former from OpenAI's format only.

    The same for every call, whatever time is left to it: LiteLLM keeps a client, and its connections, for each value.
    """
    import httpx

    pace = catalogue().pace(model)
    return httpx.Timeout(pace.read_s, connect=pace.connect_s)


def _completion(model: str, response: Any, answer_tool: str | None) -> Completion:
    if not getattr(response, "choices", None):
        raise garbled(model, "no choice")
    choice = response.choices[0]
    message = choice.message
    requests = tuple(
        ToolRequest(
            call_id=readable(call.id or f"call_{number}"),
            name=readable(call.function.name or ""),
            arguments_json=readable(call.function.arguments or ""),
        )
        for number, call in enumerate(message.tool_calls or ())
    )
    content, requests = _answered(message.content, requests, answer_tool)
    tokens_in, tokens_out = _usage(model, response)
    refused = choice.finish_reason == "content_filter"
    return Completion(
        content=content,
        tool_requests=requests,
        finish_reason=readable(choice.finish_reason or ""),
        refusal=_refusal(message) or ("stopped by a content filter" if refused else None),
        model_answered=readable(response.model) if response.model else None,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        usd=None if tokens_in is None else _usd(model, response),
    )


def _answered(
    content: object, requests: tuple[ToolRequest, ...], answer_tool: str | None
) -> tuple[str, tuple[ToolRequest, ...]]:
    """Text and tool calls, where a call of ``answer_tool`` is the answer and no tool call.

    An answer that came together with questions is dropped: it was given before their results were known.
    """
    text = readable(content) if isinstance(content, str) else ""
    if answer_tool is None:
        return text, requests
    answers = [request.arguments_json for request in requests if request.name == answer_tool]
    questions = tuple(request for request in requests if request.name != answer_tool)
    return (answers[0] if answers and not questions else text), questions


def _refusal(message: Any) -> str | None:
    """What a model said in place of an answer, where it said so in a field of its own."""
    fields: Mapping[str, Any] = getattr(message, "provider_specific_fields", None) or {}
    said = getattr(message, "refusal", None) or fields.get("refusal")
    return readable(said) if said else None


def _usage(model: str, response: Any) -> tuple[int | None, int | None]:
    """Prompt and completion tokens. LiteLLM says 0 where a provider said nothing; a real prompt has at least one."""
    usage = getattr(response, "usage", None)
    if usage is None or (not usage.prompt_tokens and not is_rule_based(model)):
        return None, None
    return int(usage.prompt_tokens), int(usage.completion_tokens)


def _usd(model: str, response: Any) -> float | None:
    """The price of the call by the catalogue, else by LiteLLM's list; None where neither knows the model."""
    hidden: Mapping[str, Any] = getattr(response, "hidden_params", None) or {}
    cost = hidden.get("response_cost")
    if is_rule_based(model):
        return None if cost is None else float(cost)
    stated = catalogue().stated_price(model)
    tokens_in, tokens_out = _usage(model, response)
    if stated is not None and tokens_in is not None and tokens_out is not None:
        details = getattr(response.usage, "prompt_tokens_details", None)
        return stated.usd(
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cache_read=getattr(details, "cached_tokens", None) or 0,
            cache_written=getattr(details, "cache_creation_tokens", None) or 0,
        )
    if cost is None or (not cost and catalogue().price(model) is None):
        return None
    return float(cost)

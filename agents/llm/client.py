"""The client: one completion through LiteLLM, with a deadline, typed failures, usage and price."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from agents.llm.failures import as_failure, timed_out
from agents.llm.keys import is_rule_based
from agents.llm.request import Completion, CompletionRequest, ToolRequest
from agents.llm.runtime import litellm_module
from agents.llm.shape import shaped
from trading.domain.errors import ModelFailure

_LOG = logging.getLogger("tradefloor.llm")


async def complete(request: CompletionRequest) -> Completion:
    """Ask the model once. Raises ModelFailure or ModelUnavailable with a reason; never retries, never falls back."""
    litellm = litellm_module()
    import openai

    messages, response_format = shaped(request)
    try:
        async with asyncio.timeout(request.timeout_s):
            response = await litellm.acompletion(
                model=request.model,
                messages=messages,
                tools=list(request.tools) or None,
                tool_choice=request.tool_choice if request.tools else None,
                response_format=response_format,
                seed=request.seed,
                timeout=request.timeout_s,
                num_retries=0,
                max_retries=0,  # the providers' own clients retry as well, unless told not to
                metadata=dict(request.metadata),
                # LiteLLM looks for tools of its own MCP gateway otherwise, which needs a package we do not have.
                _skip_mcp_handler=True,
            )
    except TimeoutError:
        raise timed_out(request.model, request.timeout_s) from None
    except openai.OpenAIError as error:
        if is_rule_based(request.model):
            trace = _LOG.isEnabledFor(logging.DEBUG)
            _LOG.error("%s failed, which is a bug of ours", request.model, exc_info=trace)
        raise as_failure(request.model, error) from error
    return _completion(request.model, response)


def _completion(model: str, response: Any) -> Completion:
    if not getattr(response, "choices", None):
        raise ModelFailure(f"{model}: the response holds no choice", reason="empty")
    choice = response.choices[0]
    message = choice.message
    requests = tuple(
        ToolRequest(
            call_id=_utf8(call.id or f"call_{number}"),
            name=_utf8(call.function.name or ""),
            arguments_json=_utf8(call.function.arguments or ""),
        )
        for number, call in enumerate(message.tool_calls or ())
    )
    tokens_in, tokens_out = _usage(model, response)
    refused = choice.finish_reason == "content_filter"
    refusal = getattr(message, "refusal", None) or ("stopped by a content filter" if refused else None)
    return Completion(
        content=_utf8(message.content) if isinstance(message.content, str) else "",
        tool_requests=requests,
        finish_reason=_utf8(choice.finish_reason or ""),
        refusal=_utf8(refusal) if refusal else None,
        model_answered=_utf8(response.model) if response.model else None,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        usd=None if tokens_in is None else _usd(model, response),
    )


def _utf8(text: object) -> str:
    """Text that every file and page can hold: JSON may spell half a surrogate pair, which no encoding has."""
    return str(text).encode("utf-8", "replace").decode()


def _usage(model: str, response: Any) -> tuple[int | None, int | None]:
    """Prompt and completion tokens. LiteLLM says 0 where a provider said nothing; a real prompt has at least one."""
    usage = getattr(response, "usage", None)
    if usage is None or (not usage.prompt_tokens and not is_rule_based(model)):
        return None, None
    return int(usage.prompt_tokens), int(usage.completion_tokens)


def _usd(model: str, response: Any) -> float | None:
    """The price of the call, None where the price list does not have the model."""
    hidden: Mapping[str, Any] = getattr(response, "hidden_params", None) or {}
    cost = hidden.get("response_cost")
    if not cost and not is_rule_based(model) and not _is_priced(model):
        return None
    return None if cost is None else float(cost)


def _is_priced(model: str) -> bool:
    listed: Mapping[str, Mapping[str, Any]] = litellm_module().model_cost
    rows = (listed.get(model), listed.get(model.split("/", 1)[-1]))
    return any(row is not None and row.get("input_cost_per_token") is not None for row in rows)

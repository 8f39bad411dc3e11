"""The LiteLLM provider ``house``: hands a chat request to the script of the model and wraps the reply.

No tokens are used and nothing is paid, so usage and price are reported as 0.
"""

from typing import Any

from litellm.llms.custom_llm import CustomLLM, CustomLLMError
from litellm.types.utils import ChatCompletionMessageToolCall, Function, ModelResponse

from agents.llm.house import HOUSE_PREFIX, house_models
from agents.llm.house.conversation import read_conversation
from agents.llm.house.script import Reply, reply_to
from agents.llm.house.strategies import discover_strategies


class HouseProvider(CustomLLM):
    """Answers ``house/...`` from the request alone."""

    async def acompletion(  # type: ignore[override]  # LiteLLM calls it by keyword and passes more than we need
        self,
        *,
        model: str,
        messages: list[dict[str, Any]],
        model_response: ModelResponse,
        optional_params: dict[str, Any],
        logging_obj: Any,
        **_: object,
    ) -> ModelResponse:
        """One reply. Raises CustomLLMError 404 for a strategy that does not exist."""
        strategy = discover_strategies().get(model)
        if strategy is None:
            raise CustomLLMError(  # type: ignore[no-untyped-call]  # LiteLLM did not annotate it
                status_code=404, message=f"no house model {model!r}; there are {', '.join(house_models())}"
            )
        conversation = read_conversation(
            messages,
            tools=optional_params.get("tools") or (),
            tool_choice=optional_params.get("tool_choice") or "auto",
            response_format=optional_params.get("response_format"),
            seed=optional_params.get("seed") or 0,
        )
        # LiteLLM builds a log record of each success even when nobody listens, a fifth of the whole call.
        logging_obj.model_call_details["has_logged_async_success"] = True
        return _fill(model_response, model, reply_to(conversation, strategy))


def _fill(response: ModelResponse, model: str, reply: Reply) -> ModelResponse:
    calls: list[Any] = [
        ChatCompletionMessageToolCall(
            id=f"call_{number}", type="function", function=Function(name=name, arguments=arguments)
        )
        for number, (name, arguments) in enumerate(reply.calls)
    ]
    response.model = f"{HOUSE_PREFIX}{model}"
    choice = response.choices[0]  # the blank response has one, and a usage of 0
    choice.finish_reason = "tool_calls" if calls else "stop"
    choice.message.content = reply.content
    choice.message.tool_calls = calls or None
    response.hidden_params["response_cost"] = 0.0
    return response


def register(litellm: Any) -> None:
    """Make ``house/...`` known to LiteLLM, with a price of 0, beside the providers that are registered already."""
    others = [row for row in litellm.custom_provider_map if row["provider"] != "house"]
    litellm.custom_provider_map = [*others, {"provider": "house", "custom_handler": HouseProvider()}]
    row = {
        "litellm_provider": "house",
        "mode": "chat",
        "input_cost_per_token": 0.0,
        "output_cost_per_token": 0.0,
        "cache_creation_input_token_cost": 0.0,
        "cache_read_input_token_cost": 0.0,
        "max_input_tokens": 1_000_000,
        "supports_function_calling": True,
        "supports_response_schema": True,
    }
    litellm.register_model(dict.fromkeys(house_models(), row))

"""Which models can be asked at all: is the id known, and is the key there."""

import os

from agents.llm.house import HOUSE_PREFIX, house_models
from agents.llm.runtime import litellm_module
from trading.domain.errors import ConfigError


def is_rule_based(model: str) -> bool:
    """Whether ``model`` is one of the house's own, which is no LLM."""
    return model.startswith(HOUSE_PREFIX)


def required_keys(model: str) -> tuple[str, ...]:
    """The environment variables ``model`` needs and that are not set. Raises ConfigError for an id nobody serves."""
    if is_rule_based(model):
        if model not in house_models():
            raise ConfigError(f"model {model!r}: the house has {', '.join(house_models())}")
        return ()
    litellm = litellm_module()
    import openai

    try:
        _, provider, _, _ = litellm.get_llm_provider(model=model)
    except openai.OpenAIError:
        raise ConfigError(
            f"model {model!r}: no provider serves it; write provider/model as LiteLLM does, such as "
            "anthropic/claude-sonnet-4-5, or a house model such as house/momentum"
        ) from None
    if any(row["provider"] == provider for row in litellm.custom_provider_map):
        return ()
    missing = litellm.validate_environment(model=model).get("missing_keys") or []
    return tuple(str(name) for name in missing if not os.environ.get(str(name)))


def check_model(model: str) -> None:
    """Raise ConfigError when ``model`` is not known or its key is not set. Asks nobody."""
    missing = required_keys(model)
    if missing:
        raise ConfigError(f"model {model!r}: {' and '.join(missing)} not set; set it in the environment or in .env")

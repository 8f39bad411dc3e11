"""Which models can be asked at all: is the id known, and is the key there."""

import os
from collections.abc import Mapping

from agents.llm.house import HOUSE_PREFIX, house_models
from agents.llm.runtime import litellm_module
from trading.domain.errors import ConfigError

_KEYS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "dashscope": ("DASHSCOPE_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
    "nvidia_nim": ("NVIDIA_NIM_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
    "xai": ("XAI_API_KEY",),
    "zai": ("ZAI_API_KEY",),
}
"""The variable that holds a provider's key; where there are several, any of them will do."""

_LOCAL = frozenset({"ollama", "ollama_chat", "hosted_vllm", "vllm", "lm_studio", "llamafile"})
"""Providers on the own machine, which need no key."""


def is_rule_based(model: str) -> bool:
    """Whether ``model`` is one of the house's own, which is no LLM."""
    return model.startswith(HOUSE_PREFIX)


def required_keys(model: str) -> tuple[str, ...]:
    """The environment variables that ``model`` needs and that are unset or empty.

    Raises ConfigError for an id that nobody serves.
    """
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
    if provider in _LOCAL or any(row["provider"] == provider for row in litellm.custom_provider_map):
        return ()
    if provider in _KEYS:
        names = _KEYS[provider]
        return () if any(os.environ.get(name) for name in names) else names[:1]
    missing = litellm.validate_environment(model=model).get("missing_keys") or []
    return tuple(str(name) for name in missing)


def check_model(model: str) -> None:
    """Raise ConfigError when ``model`` is not known or its key is not set. Asks nobody."""
    missing = required_keys(model)
    if missing:
        raise ConfigError(f"model {model!r}: {' and '.join(missing)} not set; set it in the environment or in .env")

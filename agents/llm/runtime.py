"""LiteLLM, imported late and quietened: no network at import, no telemetry, no logging of prompts."""

import os
import warnings
from functools import cache
from typing import Any


@cache
def litellm_module() -> Any:
    """LiteLLM with our settings and the house provider registered. The first call takes a second or two."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm

        litellm.ModelResponse()  # its schema is built at first use, with warnings about LiteLLM's own types

    from agents.llm.house.provider import register

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.drop_params = True  # a provider without a seed or a format is asked without it
    register(litellm)
    return litellm

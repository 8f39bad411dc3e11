"""LiteLLM, imported late and quietened: no network at import, no telemetry, no logging of prompts."""

import logging
import os
import warnings
from functools import cache
from typing import Any

# Set before anything of this package can import LiteLLM, which fetches a price list and a list of headers otherwise.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")
os.environ.setdefault("LITELLM_LOG", "ERROR")


@cache
def litellm_module() -> Any:
    """LiteLLM with our settings and the house provider registered. The first call takes a second or two."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm

        litellm.ModelResponse()  # their schemas are built at first use, with warnings about LiteLLM's own types
        litellm.ModelResponseStream()

    from agents.llm.house.provider import register

    # It sets its own level on import, and warns of every house model that it has no list price for.
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.drop_params = True  # a provider without a seed or a format is asked without it
    # It prepares a request in a thread; a deadline that falls in that time leaves a coroutine nobody will await.
    warnings.filterwarnings("ignore", r"coroutine '[^']*completion[^']*' was never awaited", RuntimeWarning)
    register(litellm)
    return litellm

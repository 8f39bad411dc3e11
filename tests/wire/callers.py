"""What tests that call the makers through LiteLLM share: an id for each wire format, and the marks of such a module."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

Ask = Callable[..., Awaitable[Any]]
"""The ``ask`` fixture: one call through LiteLLM."""

TIMEOUT_S = 0.5

MODELS = {
    "openai": "openai/gpt-5.4-mini",
    "anthropic": "anthropic/claude-haiku-5-5",
    "gemini": "gemini/gemini-3.8-flash",
    "ollama": "ollama_chat/llama3.1",
}
"""A model of each maker, by the maker's name; all but the last have a price."""

THROUGH_LITELLM = [
    pytest.mark.asyncio(loop_scope="module"),
    # What LiteLLM's streams of chunks make pydantic remark on, once for each process.
    pytest.mark.filterwarnings("ignore:Item 'summary' on TypedDict:UserWarning"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),
    # A call that is given up leaves its connection to the garbage collector.
    pytest.mark.filterwarnings("ignore:.*Connection.__del__:pytest.PytestUnraisableExceptionWarning"),
]
"""Its tests share an event loop, since LiteLLM keeps its connections; `clients_closed` closes them."""

"""House models: rule-based contestants (no LLM) that speak the chat and tool protocol through LiteLLM.

They know what is in the messages, the tool schemas and the response format, and nothing else. One file a strategy.
"""

from agents.llm.house.strategies import discover_strategies

HOUSE_PREFIX = "house/"


def house_models() -> tuple[str, ...]:
    """The ids of all house models, such as ``house/momentum``."""
    return tuple(f"{HOUSE_PREFIX}{name}" for name in discover_strategies())


__all__ = ["HOUSE_PREFIX", "house_models"]

"""The road to every model: one request, one completion, typed failures. LiteLLM is imported here and nowhere else.

House models (``house/...``) are a LiteLLM provider and take the same road. What is asked is decided in ``agents.turn``.
"""

from agents.llm.catalogue import Catalogue, catalogue
from agents.llm.client import complete
from agents.llm.connections import close_connections
from agents.llm.gateway import Gateway
from agents.llm.keys import check_model, is_rule_based, required_keys, unreachable
from agents.llm.limiter import Limiter
from agents.llm.request import AnswerMethod, Attempt, Complete, Completion, CompletionRequest, ToolRequest

__all__ = [
    "AnswerMethod",
    "Attempt",
    "Catalogue",
    "Complete",
    "Completion",
    "CompletionRequest",
    "Gateway",
    "Limiter",
    "ToolRequest",
    "catalogue",
    "check_model",
    "close_connections",
    "complete",
    "is_rule_based",
    "required_keys",
    "unreachable",
]

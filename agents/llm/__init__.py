"""The road to every model: one request, one completion, typed failures. LiteLLM is imported here and nowhere else.

House models (``house/...``) are a LiteLLM provider and take the same road. What is asked is decided in ``agents.turn``.
"""

from agents.llm.budget import Budget
from agents.llm.cassette import Cassette
from agents.llm.cassette_store import CassetteStore
from agents.llm.catalogue import Catalogue, catalogue
from agents.llm.client import complete as _ask_once
from agents.llm.connections import close_connections
from agents.llm.gateway import Gateway
from agents.llm.keys import check_model, is_rule_based, required_keys, unreachable
from agents.llm.limiter import Limiter
from agents.llm.observe import traced
from agents.llm.purse import BUDGET_REASONS, SEASON_BUDGET, Charge, Purse
from agents.llm.request import (
    AnswerMethod,
    Attempt,
    Complete,
    Completion,
    CompletionRequest,
    Hear,
    ToolRequest,
    epoch_of,
)

complete: Complete = traced(_ask_once)
"""Asks a model once, with a span where spans are recorded. The client's own words hold otherwise."""

__all__ = [
    "BUDGET_REASONS",
    "SEASON_BUDGET",
    "AnswerMethod",
    "Attempt",
    "Budget",
    "Cassette",
    "CassetteStore",
    "Catalogue",
    "Charge",
    "Complete",
    "Completion",
    "CompletionRequest",
    "Gateway",
    "Hear",
    "Limiter",
    "Purse",
    "ToolRequest",
    "catalogue",
    "check_model",
    "close_connections",
    "complete",
    "epoch_of",
    "is_rule_based",
    "required_keys",
    "unreachable",
]

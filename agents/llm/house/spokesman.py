"""What a house model says when it is spoken to: always the same report, with the account and the last decision."""

from collections.abc import Mapping
from typing import Any

from agents.llm.house.conversation import Conversation
from agents.llm.house.strategies import Strategy

CALLS = (("get_account", "{}"), ("get_positions", "{}"))
"""The tools the report rests on."""


def report(conversation: Conversation, strategy: Strategy) -> str:
    """Who it is, how its account stands and what it decided last; what it was not told is left out."""
    sentences = [f"{strategy.name} is a rule-based house model, no LLM: it gives this report whatever it is asked."]
    sentences.append(strategy.summary)
    account = conversation.results.get("get_account")
    if account is not None:
        sentences.append(_account(account))
        sentences.append(_positions(conversation.results.get("get_positions") or {}))
    for decision in (conversation.slots.get("decisions") or [])[:1]:
        reason = decision.get("abstain_reason") or decision.get("rationale") or "no reason given"
        sentences.append(f"Last decision, {decision['at']}: {decision['status']}. {reason}")
    return "\n".join(sentences)


def _account(account: Mapping[str, Any]) -> str:
    leverage = account["leverage"]
    exposure = "not known" if leverage is None else f"{leverage:.2f} of equity"
    return (
        f"As of {account['as_of']}: equity {account['equity']} {account['quote']}, "
        f"{account['drawdown']:.2%} below its peak, gross exposure {exposure}."
    )


def _positions(found: Mapping[str, Any]) -> str:
    rows = found.get("positions") or ()
    held = ", ".join(f"{row['quantity']} {row['instrument']}" for row in rows)
    return f"Positions: {held or 'none'}."

"""What a house model says when it is spoken to: by key words of the question, from its tools and its decisions.

What stands in square brackets says where a sentence is from: the name of a tool, or the id of a decision.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agents.llm.house.conversation import Conversation
from agents.llm.house.strategies import Strategy

CALLS = (("get_account", "{}"), ("get_positions", "{}"))
"""The tools the report rests on."""

_WHY = re.compile(r"\b(why|reasons?|explain|how come|what made|rationale|decid\w*|decision)\b", re.IGNORECASE)
_SIDES = {
    "buy": re.compile(r"\b(buy\w*|bought|long)\b", re.IGNORECASE),
    "sell": re.compile(r"\b(sell\w*|sold|short\w*|cut)\b", re.IGNORECASE),
}
_HELD = re.compile(r"\b(hold\w*|held|nothing|wait\w*)\b", re.IGNORECASE)

Decision = Mapping[str, Any]


def report(conversation: Conversation, strategy: Strategy) -> str:
    """Asked why, the decision that the question is about; else how the account stands and what was decided last.

    What it was not told is left out.
    """
    question = _question(conversation)
    decisions = conversation.slots.get("decisions") or []
    sentences = [f"{strategy.name} is a rule-based house model, no LLM: it answers by key words, from its records."]
    meant = _meant(question, decisions, conversation.symbols) if _WHY.search(question) else None
    if meant is not None:
        sentences.extend(_explained(meant))
        return "\n".join(sentences)
    sentences.append(strategy.summary)
    account = conversation.results.get("get_account")
    if account is not None:
        sentences.append(_account(account))
        sentences.append(_positions(conversation.results.get("get_positions") or {}))
    sentences += [
        f"Last decision, {last['at']}: {last['status']}. {_reason(last)}{_cited(last)}" for last in decisions[:1]
    ]
    return "\n".join(sentences)


def _question(conversation: Conversation) -> str:
    """The last message of the person. In the first message only our own words can stand."""
    said = [message["content"] for message in conversation.messages[1:] if message["role"] == "user"]
    return str(said[-1] or "") if said else ""


def _meant(question: str, decisions: Sequence[Decision], symbols: Sequence[str]) -> Decision | None:
    """The newest decision that traded what the question names; else the newest that traded; else the newest."""
    bases = {symbol: symbol.partition("-")[0] for symbol in symbols}
    named = [symbol for symbol, base in bases.items() if re.search(rf"\b{re.escape(base)}\b", question, re.IGNORECASE)]
    sides = [side for side, words in _SIDES.items() if words.search(question)]
    traded = [decision for decision in decisions if decision["status"] == "acted"]
    fits = [
        decision
        for decision in traded
        if any(
            (not sides or line.split(" ", 1)[0] in sides) and (not named or any(symbol in line for symbol in named))
            for line in decision.get("gate") or ()
        )
    ]
    if _HELD.search(question) and not sides:
        fits = [decision for decision in decisions if decision["status"] == "held"]
    return next(iter([*fits, *traded, *decisions]), None)


def _explained(decision: Decision) -> list[str]:
    confidence = decision.get("confidence")
    sure = "" if confidence is None else f" with confidence {confidence:.2f}"
    lines = [f"Decision of {decision['at']}: {decision['status']}{sure}.{_cited(decision)}", _reason(decision)]
    lines += [f"{role.capitalize()}: {note}" for role, note in (decision.get("notes") or {}).items()]
    lines += [f"Gate: {line}." for line in decision.get("gate") or ()]
    if decision.get("tools"):
        lines.append(f"It had looked at {', '.join(dict.fromkeys(decision['tools']))}.")
    return lines


def _reason(decision: Decision) -> str:
    return str(decision.get("abstain_reason") or decision.get("rationale") or "no reason given")


def _cited(decision: Decision) -> str:
    return f" [{decision['id']}]" if decision.get("id") else ""


def _account(account: Mapping[str, Any]) -> str:
    leverage = account["leverage"]
    exposure = "not known" if leverage is None else f"{leverage:.2f} of equity"
    return (
        f"As of {account['as_of']}: equity {account['equity']} {account['quote']}, "
        f"{account['drawdown']:.2%} below its peak, gross exposure {exposure}. [get_account]"
    )


def _positions(found: Mapping[str, Any]) -> str:
    rows = found.get("positions") or ()
    held = ", ".join(f"{row['quantity']} {row['instrument']}" for row in rows)
    return f"Positions: {held or 'none'}. [get_positions]"

"""What happened to a desk since it last decided, in the words in which its roles are told."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.domain.decision import IntentEdit
from trading.domain.money import money_text


def feedback_line(row: Mapping[str, Any]) -> str:
    """One thing that happened to a desk, in words."""
    match row["event"]:
        case "filled":
            return f"Filled: {row['side']} {row['quantity']} {row['instrument']} at {row['price']}, fee {row['fee']}."
        case "worked":
            done = f"{row['side']} {row['filled']} of {row['quantity']} {row['instrument']}"
            return f"Worked so far: {done} at {row['price']} on average, fee {row['fee']}."
        case "work_ended":
            left = f"{row['left']} of it is left"
            return f"Your {row['side']} of {row['instrument']} is not worked any further, {left}: {row['reason']}."
        case "ruled":
            return (
                f"The gate {row['ruling']} your {row['side']} of {row['instrument']} by {row['rule']}: {row['message']}"
            )
        case "approval_answered" if row["by"] is None:
            return "Nobody approved your proposal in time, so nothing was sent."
        case "approval_answered" if row["edits"]:
            told = "; ".join(IntentEdit.of(edit).words for edit in row["edits"])
            return f"{row['by']} changed your proposal: {told}. {row['note']}"
        case "approval_answered":
            return f"{row['by']} did not approve your proposal: {row['note']}"
        case "breaker_tripped":
            return f"Breaker {row['rule']} tripped: {row['value']} of {row['limit']}; state {row['state']}."
        case "breaker_cleared":
            return f"Breaker {row['rule']} was set back by its rule; state {row['state']}."
        case "limits_changed":
            told = "; ".join(f"{each['name']} from {each['old']} to {each['new']}" for each in row["changes"])
            return f"Limits changed: {told}."
        case "budget_warned" | "budget_degraded":
            spent, limit = (amount_words(row["measure"], row[name]) for name in ("spent", "limit"))
            rest = (
                "be brief" if row["event"] == "budget_warned" else "the desk goes on with cheaper models or fewer roles"
            )
            return f"Of the {row['scope']}'s budget of {limit}, {spent} is spent: {rest}."
        case "liquidated":
            return f"Your perpetual positions were liquidated: equity {row['equity']} was below {row['maintenance']}."
        case _:
            return f"Order {row['order_id']} ended unfilled: {row['reason']}."


def amount_words(measure: str, amount: str) -> str:
    """An amount of ``"usd"`` or ``"tokens"`` as a person reads it; dollars to a millionth."""
    return f"${money_text(round(Decimal(amount), 6))}" if measure == "usd" else f"{amount} tokens"

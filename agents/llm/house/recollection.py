"""How house models use trade memory: by rule, from the statistics of comparable situations alone."""

from collections.abc import Mapping
from typing import Any

from agents.llm.house.conversation import Conversation
from agents.llm.house.strategies.strategy import Targets

_TEMPERED = 0.5
"""What is left of a new position that comparable situations speak against."""

_LEAST = 5
"""Fewer comparable situations than this speak neither for nor against."""


def recollections(conversation: Conversation) -> dict[str, Mapping[str, Any]]:
    """What the memory tool told, by instrument; empty for a desk without memory."""
    found = conversation.results.get("recall_similar", {}).get("recollections", ())
    return {row["instrument"]: row for row in found}


def tempered(
    targets: Targets, held: Mapping[str, float], recalled: Mapping[str, Mapping[str, Any]]
) -> tuple[Targets, str]:
    """Targets with new risk halved where memory speaks against it, and a sentence that says so.

    It does where the whole 95 % interval of the market's move after comparable situations lies on the other side, or
    that of the desk's own results in them lies below zero. What only shrinks a position is left as it is.
    """
    changed: dict[str, float | None] = dict(targets)
    said = []
    for symbol, target in targets.items():
        row, now = recalled.get(symbol), held.get(symbol, 0.0)
        if row is None or target is None or abs(target) <= abs(now):
            continue
        if why := _against(row, 1.0 if target > 0 else -1.0):
            base = now if now * target > 0 else 0.0
            changed[symbol] = base + _TEMPERED * (target - base)
            said.append(f"{symbol} halved, {why}")
    return changed, f"Memory: {'; '.join(said)}." if said else ""


def _against(row: Mapping[str, Any], side: float) -> str:
    move, own = row["move"], row["own"]
    if move is not None and move["n"] >= _LEAST and move["ci95"] is not None:
        far = max(side * bound for bound in move["ci95"])
        if far < 0.0:
            return f"after {move['n']} comparable states the market moved {move['mean']:+.2%} on average"
    if own is not None and own["n"] >= _LEAST and own["ci95"] is not None and own["ci95"][1] < 0.0:
        return f"{own['n']} comparable positions brought {own['mean']:+.2%} on average"
    return ""

"""Go by memory: take the side to which the market moved after comparable situations, where that is more than noise."""

from collections.abc import Mapping
from typing import Any

from agents.llm.house.strategies.strategy import Row, Score, Strategy, follow_scores

_LEAST = 6
"""Comparable situations that it takes to have a view."""


def score(_: Row) -> Score:
    """No view without memory."""
    return Score(0.0, "no memory to go by")


def recall(row: Mapping[str, Any]) -> Score:
    """The mean move after comparable situations over the half-width of its interval, once that is left behind."""
    move = row["move"]
    if move is None or move["n"] < _LEAST or move["ci95"] is None:
        return Score(0.0, f"{row['comparable']} comparable situations, too few to go by")
    low, high = move["ci95"]
    half_width = (high - low) / 2.0
    strength = move["mean"] / half_width if half_width > 0.0 else 0.0
    kept = max(-1.0, min(1.0, strength - 0.5 if strength > 0 else strength + 0.5)) if abs(strength) > 0.5 else 0.0
    said = f"after {move['n']} comparable situations the market moved {move['mean']:+.2%}"
    return Score(round(kept, 4), f"{said}, 95 % interval {low:+.2%} to {high:+.2%}")


STRATEGY = Strategy(
    name="recall",
    summary="Takes the side to which the market moved after situations like this one, as its memory holds them.",
    score=score,
    targets=follow_scores,
    band=0.5,
    recall=recall,
)

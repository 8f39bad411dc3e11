"""What variants do, as a word for each case, and whether one does other things than another."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.domain import Decision, DecisionStatus, Side

ACTIONS = ("hold", "buy", "sell", "buy and sell", "abstain")

_SWAPS = 2000
_SEED = 20_252


def action_of(decision: Decision) -> str:
    """One of :data:`ACTIONS`."""
    if decision.status is DecisionStatus.ABSTAINED:
        return "abstain"
    sides = {intent.side for intent in decision.intents}
    if len(sides) > 1:
        return "buy and sell"
    return {Side.BUY: "buy", Side.SELL: "sell"}[sides.pop()] if sides else "hold"


def signature(decision: Decision) -> str:
    """What it did in so many words, such as ``buy BTC-USDT-PERP, sell ETH-USDT-PERP``, without quantities."""
    traded = sorted(f"{intent.side.value} {intent.instrument}" for intent in decision.intents)
    return ", ".join(traded) or action_of(decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How two distributions of actions over the same tries differ.

    ``shares`` holds the share of each action of the first and of the second. ``distance`` is the total variation
    distance, 0 to 1; ``p_value`` is from swapping the two within tries at random, None without any.
    """

    shares: dict[str, tuple[float, float]]
    distance: float
    p_value: float | None
    tries: int


def action_shift(first: Sequence[str], second: Sequence[str]) -> Shift:
    """Compare paired actions, aligned by try. Under the null either of a pair might have come from either side."""
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} actions are not aligned")
    if not first:
        return Shift(shares={}, distance=0.0, p_value=None, tries=0)
    one, other = (_one_hot(actions) for actions in (first, second))
    gaps = one - other
    observed = _distance(gaps.sum(axis=0)[np.newaxis])[0]
    signs = np.random.default_rng(_SEED).choice((-1.0, 1.0), (_SWAPS, len(first)))
    drawn = _distance(signs @ gaps)
    counts = Counter(first), Counter(second)
    return Shift(
        shares={
            name: (counts[0][name] / len(first), counts[1][name] / len(second))
            for name in ACTIONS
            if counts[0][name] or counts[1][name]
        },
        distance=float(observed) / len(first),
        p_value=float((1 + (drawn >= observed - 1e-9).sum()) / (1 + _SWAPS)),
        tries=len(first),
    )


def _one_hot(actions: Sequence[str]) -> np.ndarray:
    return np.array([[float(action == name) for name in ACTIONS] for action in actions])


def _distance(sums: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(sums).sum(axis=1) / 2.0)

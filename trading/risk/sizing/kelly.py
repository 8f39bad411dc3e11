"""Kelly's fraction of an edge, made smaller by all that is not known of it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An estimated edge: ``mean`` and ``deviation`` of the return over a period, from ``observations`` periods.

    ``confidence`` is the forecaster's own, from 0 to 1.
    """

    mean: float
    deviation: float
    observations: int
    confidence: float = 1.0


def kelly_bet(win: float, odds: float) -> float:
    """The fraction of wealth to bet at ``odds`` to 1 when the bet is won with probability ``win``; 0 without an edge.

    win - (1 - win) / odds. Kelly (1956).
    """
    if not 0 <= win <= 1 or not odds > 0:
        raise ValueError(f"probability {win} at odds {odds}: expected 0 to 1, at odds above 0")
    return max(0.0, win - (1.0 - win) / odds)


def kelly_weight(edge: Edge, *, fraction: float = 0.5) -> float:
    """``fraction`` of the Kelly weight mean / deviation^2, shrunk by how little is known of the mean.

    The mean keeps the share t^2 / (1 + t^2) of itself, t its distance from 0 in standard errors (the least-squares
    shrinkage to 0), times the confidence. Merton (1969); MacLean, Thorp and Ziemba (2010). Without deviation: 0.
    """
    numbers = (edge.mean, edge.deviation, edge.confidence, fraction)
    if not all(map(math.isfinite, numbers)) or edge.deviation < 0 or edge.observations < 1:
        raise ValueError(f"{edge}: expected finite numbers, a deviation of 0 or more, an observation at least")
    if not 0 <= edge.confidence <= 1 or not 0 < fraction <= 1:
        raise ValueError(f"confidence {edge.confidence}, fraction {fraction}: expected 0 to 1, and above 0 to 1")
    if edge.deviation**2 == 0:
        return 0.0
    strength = (edge.mean / edge.deviation) ** 2 * edge.observations
    kept = strength / (1.0 + strength)
    return fraction * edge.confidence * kept * edge.mean / edge.deviation**2

"""Chance: the baseline that any claim of skill has to beat."""

from agents.llm.house.strategies.strategy import Evidence, Strategy, Targets, no_view

_CHANGES = 0.05
"""Probability that an instrument gets a new position in a round."""


def targets(evidence: Evidence) -> Targets:
    """Now and then, for each instrument by itself, a new side drawn from short, flat and long."""
    rng = evidence.rng()
    draws = rng.random(len(evidence.symbols))
    sides = rng.integers(-1, 2, len(evidence.symbols))
    return {
        symbol: float(side) * evidence.share if draw < _CHANGES else None
        for symbol, draw, side in zip(evidence.symbols, draws, sides, strict=True)
    }


STRATEGY = Strategy(
    name="random",
    summary="Draws its positions by lot, seeded by the request.",
    score=no_view,
    targets=targets,
    because=lambda *_: "drawn by lot",
    band=0.5,
)

"""Buy equal parts once and hold: the benchmark that costs least."""

from agents.llm.house.strategies.strategy import Evidence, Strategy, Targets, always_in

_BOUGHT = 0.25
"""From this part of an equal share on, an instrument counts as bought."""


def targets(evidence: Evidence) -> Targets:
    """An equal share of what is not held yet."""
    bought = evidence.share * _BOUGHT
    return {symbol: None if evidence.held.get(symbol, 0.0) > bought else evidence.share for symbol in evidence.symbols}


STRATEGY = Strategy(
    name="buyhold",
    summary="Buys an equal part of every instrument once and holds it.",
    score=always_in,
    targets=targets,
)

"""Equal parts, rebalanced when they have drifted."""

from agents.llm.house.strategies.strategy import Evidence, Strategy, Targets, always_in


def targets(evidence: Evidence) -> Targets:
    """An equal share of each."""
    return dict.fromkeys(evidence.symbols, evidence.share)


STRATEGY = Strategy(
    name="equalweight",
    summary="Holds an equal part of every instrument and rebalances when one has drifted by a tenth.",
    score=always_in,
    targets=targets,
    band=0.1,
)

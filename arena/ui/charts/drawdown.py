"""How far a curve stands below its highest point so far."""

from collections.abc import Sequence


def drawdowns(equity: Sequence[float]) -> list[float]:
    """Each point against the highest up to it, as a fraction that is not above zero. All must be finite."""
    highest, found = 0.0, []
    for value in equity:
        highest = max(highest, value)
        found.append(value / highest - 1 if highest > 0 else 0.0)
    return found

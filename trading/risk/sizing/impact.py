"""How much an edge can bear: the size at which the square-root impact of trading eats what more of it would earn."""

import math


def affordable_quantity(
    edge: float, daily_volume: float, daily_volatility: float, *, cost: float = 0.0, constant: float = 1.0
) -> float:
    """The quantity (base units) that earns most after square-root impact, by an expected move ``edge`` of the price.

    Maximises q * (edge - cost - impact(q)): impact takes two thirds of the net edge, so q = volume * (2 (edge - cost) /
    (3 constant volatility))^2. ``cost`` are fees and spread as a fraction. 0 without an edge left.
    """
    if not daily_volatility >= 0 or not constant > 0:
        raise ValueError(f"daily volatility {daily_volatility}, constant {constant}: expected 0 or more, and above 0")
    left = edge - cost
    if not left > 0 or not daily_volume > 0:
        return 0.0
    if daily_volatility == 0:
        return math.inf
    return daily_volume * (2.0 * left / (3.0 * constant * daily_volatility)) ** 2

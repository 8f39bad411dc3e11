"""What it takes to get out: days to close a position, and the price of closing it fast."""

import math

_IMPACT = 1.0
"""Constant of the square-root law, near 1 in most markets measured. Toth et al. (2011)."""
_PARTICIPATION = 0.1


def days_to_close(quantity: float, daily_volume: float, participation: float = _PARTICIPATION) -> float | None:
    """Days to trade ``quantity`` (base units, any sign) at ``participation`` of a day's volume; None without volume."""
    if not 0 < participation <= 1:
        raise ValueError(f"participation {participation}: expected a fraction of the volume, above 0 and at most 1")
    if not quantity:
        return 0.0
    return abs(quantity) / (participation * daily_volume) if daily_volume > 0 else None


def square_root_impact(
    quantity: float, daily_volume: float, daily_volatility: float, *, constant: float = _IMPACT
) -> float:
    """Expected price move against a trade of ``quantity``, as a fraction: constant * volatility * sqrt(q / volume).

    Almgren et al. (2005); Toth et al. (2011). Infinity where nothing is traded.
    """
    if daily_volatility < 0 or math.isnan(daily_volatility):
        raise ValueError(f"daily volatility {daily_volatility}: expected a fraction of 0 or more")
    if not quantity:
        return 0.0
    return constant * daily_volatility * math.sqrt(abs(quantity) / daily_volume) if daily_volume > 0 else math.inf

"""How far the market is from closing an account's perpetuals by force."""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginUse:
    """``used`` is maintenance margin over equity: at 1 the account is liquidated.

    ``falling`` and ``rising`` are how far all prices may move together before that happens, as positive fractions;
    None where no such move does it.
    """

    used: float
    falling: float | None
    rising: float | None


def margin_use(weights: Mapping[str, float], maintenance: Mapping[str, float]) -> MarginUse:
    """Margin use of ``weights`` (signed values over equity), by the ``maintenance`` fraction of each perpetual.

    Spot is held without margin: it has no entry in ``maintenance``, but moves equity like the rest. When every price
    moves by x, equity is 1 + x * net and maintenance (1 + x) * used; they meet at x = (used - 1) / (net - used).
    """
    net = sum(weights.values())
    used = sum(abs(weight) * maintenance.get(symbol, 0.0) for symbol, weight in weights.items())
    if not any(weights.get(symbol) for symbol in maintenance):
        return MarginUse(used=0.0, falling=None, rising=None)
    if used >= 1.0:
        return MarginUse(used=used, falling=0.0, rising=0.0)
    slope = net - used
    meets = (used - 1.0) / slope if slope else math.inf
    return MarginUse(
        used=used,
        falling=-meets if -1.0 < meets < 0.0 else None,
        rising=meets if 0.0 < meets < math.inf else None,
    )

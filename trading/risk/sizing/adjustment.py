"""What a mood may change: bounded factors on sizes and protective levels, from readings that fade and may be doubted.

The joint for social and news sources. Off by default; it can never lift a limit, because limits are applied after it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A source's word on an instrument: ``score`` from -1 (fear) to 1 (greed), when it was known, and how good it is.

    ``quality`` goes from 0 (worthless) to 1.
    """

    score: float
    known_ms: int
    quality: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentRules:
    """``most`` is by how much a factor may differ from 1 at full score, one each: 0.2 keeps it from 0.8 to 1.2.

    ``half_life_ms`` halves a reading's weight; older than ``oldest_ms`` it counts nothing. ``contrarian`` trades less
    the greedier the crowd is.
    """

    enabled: bool = False
    size: float = 0.2
    stop: float = 0.15
    take_profit: float = 0.15
    correlation: float = 0.1
    half_life_ms: int = 6 * 3_600_000
    oldest_ms: int = 48 * 3_600_000
    contrarian: bool = False

    def __post_init__(self) -> None:
        parts = (self.size, self.stop, self.take_profit, self.correlation)
        if not all(math.isfinite(part) and 0 <= part <= 0.5 for part in parts):
            raise ValueError(f"adjustments {parts}: expected fractions from 0 to 0.5")
        if self.half_life_ms < 1 or self.oldest_ms < 1:
            raise ValueError(f"half life {self.half_life_ms} ms, oldest {self.oldest_ms} ms: expected 1 ms or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """Factors on a size, on the distances of stop-loss and take-profit, and on the correlation at which two positions
    count as one. ``mood`` is the weighted score, ``weight`` what is left of the evidence: 0 to 1.
    """

    size: float = 1.0
    stop: float = 1.0
    take_profit: float = 1.0
    correlation: float = 1.0
    mood: float = 0.0
    weight: float = 0.0


NEUTRAL = Adjustment()
"""What changes nothing."""


def adjustment(
    readings: Sequence[Reading], *, side: int, as_of_ms: int, rules: AdjustmentRules | None = None
) -> Adjustment:
    """Factors for a position on ``side`` (1 long, -1 short) from the readings known at ``as_of_ms``.

    A mood with the position makes it larger, its target further and its stop wider; one against it the other way. The
    correlation threshold falls in any strong mood: crowds make things move as one. Readings from after the instant do
    not exist. Several readings are averaged by quality and age; the whole is as strong as the best of them.
    """
    rules = rules or AdjustmentRules()
    if side not in (-1, 1):
        raise ValueError(f"side {side}: expected 1 for long or -1 for short")
    if not rules.enabled:
        return NEUTRAL
    weights = [_weight(reading, as_of_ms, rules) for reading in readings]
    total = math.fsum(weights)
    if total <= 0:
        return NEUTRAL
    scores = [max(-1.0, min(1.0, reading.score)) if math.isfinite(reading.score) else 0.0 for reading in readings]
    mood = math.fsum(weight * score for weight, score in zip(weights, scores, strict=True)) / total
    strength = max(weights)
    lean = mood * strength * side * (-1.0 if rules.contrarian else 1.0)
    return Adjustment(
        size=1.0 + rules.size * lean,
        stop=1.0 + rules.stop * lean,
        take_profit=1.0 + rules.take_profit * lean,
        correlation=1.0 - rules.correlation * abs(mood) * strength,
        mood=mood,
        weight=strength,
    )


def _weight(reading: Reading, as_of_ms: int, rules: AdjustmentRules) -> float:
    age = as_of_ms - reading.known_ms
    known = math.isfinite(reading.score) and math.isfinite(reading.quality)
    if not known or age < 0 or age > rules.oldest_ms:
        return 0.0
    return max(0.0, min(1.0, reading.quality)) * math.pow(0.5, age / rules.half_life_ms)

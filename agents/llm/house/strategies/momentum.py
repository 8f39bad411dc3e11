"""Follow the trend of one and three days of hourly candles, measured in its own volatility."""

from math import sqrt, tanh

from agents.llm.house.strategies.strategy import Row, Score, Strategy, follow_scores

_WEAK = 0.3
"""Below this size a trend is taken for noise."""


def score(row: Row) -> Score | None:
    """tanh of the mean of two t-statistics: returns over 24 and 72 candles over their standard deviations."""
    short, long, volatility = row.get("return_24"), row.get("return_72"), row.get("volatility_24")
    if short is None or long is None or not volatility:
        return None
    strength = tanh((short / sqrt(24) + long / sqrt(72)) / (2 * volatility))
    kept = strength if abs(strength) >= _WEAK else 0.0
    return Score(kept, f"returns {short:+.2%} over 24 and {long:+.2%} over 72 candles, {volatility:.2%} deviation each")


STRATEGY = Strategy(
    name="momentum",
    summary="Goes with the trend of the last 24 and 72 candles, scaled by volatility.",
    score=score,
    targets=follow_scores,
    band=0.5,
)

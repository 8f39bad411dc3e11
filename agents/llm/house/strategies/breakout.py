"""Channel breakout: with a close outside the last 48 candles, out when the middle is crossed."""

from agents.llm.house.strategies.strategy import Evidence, Row, Score, Strategy, Targets


def score(row: Row) -> Score | None:
    """Where the close stands in the channel of 48 candles: -1 at or below its low, +1 at or above its high."""
    close, high, low = row.get("close"), row.get("donchian_high_48"), row.get("donchian_low_48")
    if close is None or high is None or low is None or high <= low:
        return None
    place = max(-1.0, min(1.0, 2 * (close - low) / (high - low) - 1))
    return Score(place, f"close {close:g} in a channel from {low:g} to {high:g}")


def targets(evidence: Evidence) -> Targets:
    """A full share with a breakout, kept until the close is in the other half of the channel."""
    wanted: dict[str, float | None] = {}
    for symbol in evidence.symbols:
        found = evidence.scores.get(symbol)
        held = evidence.held.get(symbol, 0.0)
        if found is None:
            wanted[symbol] = None
        elif abs(found) >= 1.0:
            wanted[symbol] = evidence.share if found > 0 else -evidence.share
        else:
            wanted[symbol] = None if held * found > 0 else 0.0
    return wanted


STRATEGY = Strategy(
    name="breakout",
    summary="Goes with a close outside the range of 48 candles and leaves when the middle is crossed.",
    score=score,
    targets=targets,
    band=0.5,
)

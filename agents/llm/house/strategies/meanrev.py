"""Fade stretched prices: against a close far from its mean of 48 candles."""

from agents.llm.house.strategies.strategy import Evidence, Row, Score, Strategy, Targets

_ENTER = 2.0
_FULL = 3.0
_ENTRY_SCORE = _ENTER / _FULL


def score(row: Row) -> Score | None:
    """Minus the z-score of the close, full at three deviations."""
    z = row.get("zscore_48")
    if z is None:
        return None
    return Score(max(-1.0, min(1.0, -z / _FULL)), f"close {z:+.2f} deviations from its mean of 48 candles")


def targets(evidence: Evidence) -> Targets:
    """An equal share against a stretch of two deviations, held until the price is back at its mean."""
    wanted: dict[str, float | None] = {}
    for symbol in evidence.symbols:
        found = evidence.scores.get(symbol)
        held = evidence.held.get(symbol, 0.0)
        if found is None or (held * found > 0 and abs(found) < _ENTRY_SCORE):
            wanted[symbol] = None
        elif abs(found) >= _ENTRY_SCORE:
            wanted[symbol] = evidence.share if found > 0 else -evidence.share
        else:
            wanted[symbol] = 0.0
    return wanted


STRATEGY = Strategy(
    name="meanrev",
    summary="Trades against a close two deviations from its 48-candle mean and leaves when it is back.",
    score=score,
    targets=targets,
    band=0.5,
)

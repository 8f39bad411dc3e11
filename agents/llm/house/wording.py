"""Why a house model did what it did, in words and numbers that a reader can check."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.llm.house.strategies.strategy import Evidence, Strategy, Targets

Row = Mapping[str, Any]

_NAMED = 3
"""More instruments than this in one rationale help nobody."""


def reasons(strategy: Strategy, evidence: Evidence, targets: Targets, analyst: Row, intents: Sequence[Row]) -> str:
    """One clause for each traded instrument: from which weight to which, and what spoke for it."""
    signals = {row["instrument"]: row["reason"] for row in analyst.get("signals", ())}
    symbols = list(dict.fromkeys(intent["instrument"] for intent in intents))
    clauses = []
    for symbol in symbols[:_NAMED]:
        why = strategy.because(evidence, symbol) if strategy.because else signals.get(symbol, "not scored")
        held, wanted = evidence.held.get(symbol), targets.get(symbol)
        clauses.append(f"{symbol} from {_weight(held)} to {_weight(wanted)} of equity: {why}.")
    more = len(symbols) - _NAMED
    return " ".join([*clauses, *([f"And {more} more."] if more > 0 else [])])


def _weight(weight: float | None) -> str:
    return f"{100 * (weight or 0.0):.0f} %"

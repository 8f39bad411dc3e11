"""Follow the forecaster: long where it leans up, short where it leans down, more with more conviction."""

from agents.llm.house.strategies.strategy import Evidence, Strategy, Targets, no_view

_LEAN = 0.004
"""A probability within this of one half is no forecast to trade on."""
_FULL_LEAN = 0.01
"""A lean this far gets a full share: honest forecasts over hours stay close to one half."""


def targets(evidence: Evidence) -> Targets:
    """An equal share times how far ``p_up`` leans; a position is left when the lean is gone."""
    wanted: dict[str, float | None] = dict.fromkeys(evidence.symbols)
    for symbol, row in evidence.forecasts.items():
        lean = row["p_up"] - 0.5
        if symbol in wanted:
            strength = max(-1.0, min(1.0, lean / _FULL_LEAN))
            wanted[symbol] = evidence.share * strength if abs(lean) >= _LEAN else 0.0
    return wanted


def _because(evidence: Evidence, symbol: str) -> str:
    row = evidence.forecasts.get(symbol)
    return "no forecast" if row is None else f"forecast of a rise {row['p_up']:.1%}"


STRATEGY = Strategy(
    name="forecaster",
    summary="Takes the side the forecast leans to, in proportion to how far it leans.",
    score=no_view,
    targets=targets,
    because=_because,
    band=0.5,
)

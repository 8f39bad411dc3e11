"""Long with the exposure that makes for 20 % volatility a year."""

from math import sqrt

from agents.llm.house.strategies.strategy import Evidence, Strategy, Targets, always_in

TARGET = 0.20
_YEAR_S = 365.25 * 86_400
_WIDTH_90 = 2 * 1.6449
"""Standard deviations between the 5 % and the 95 % quantile of a normal distribution."""


def targets(evidence: Evidence) -> Targets:
    """Equal risk of each, read off the forecast intervals as if all instruments moved together."""
    wanted: dict[str, float | None] = dict.fromkeys(evidence.symbols)
    for symbol, row in evidence.forecasts.items():
        deviation = (row["q95"] - row["q05"]) / _WIDTH_90
        if symbol in wanted and deviation > 0:
            a_year = deviation * sqrt(_YEAR_S / row["horizon_s"])
            wanted[symbol] = evidence.share * TARGET / a_year
    return wanted


STRATEGY = Strategy(
    name="voltarget",
    summary="Long everything, scaled to 20 % volatility a year, at most 1.5 times the equity.",
    score=always_in,
    targets=targets,
    band=0.3,
    max_gross=1.5,
)

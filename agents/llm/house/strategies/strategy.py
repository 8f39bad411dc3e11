"""What a strategy of the house is, and the scores and weights that several of them share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.random import Generator

Row = Mapping[str, float | None]
"""The indicators of one instrument; None where there is too little history."""


class Score(NamedTuple):
    """A score in [-1, 1] and the reason for it."""

    value: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the executor has before it, by instrument.

    ``scores`` are the analyst's, ``forecasts`` the forecaster's rows, ``held`` the signed weights of equity now.
    ``cost`` is what trading one unit of notional costs, as a fraction.
    """

    symbols: tuple[str, ...]
    scores: Mapping[str, float]
    forecasts: Mapping[str, Mapping[str, float]]
    held: Mapping[str, float]
    cost: float
    rng: Callable[[], Generator]

    @property
    def share(self) -> float:
        """An equal part of the equity."""
        return 1.0 / len(self.symbols)


Targets = Mapping[str, float | None]
"""Signed target weights of equity; None leaves an instrument as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A rule-based contestant.

    ``score`` is None where an indicator it needs is not known. A change of weight smaller than ``band`` times an
    equal share is not traded, because of its costs. ``because`` gives the reason for an instrument's target where it is
    not the analyst's score. Gross exposure over equity stays under ``max_gross``. ``recall`` scores what trade memory
    holds of an instrument, in place of ``score`` where the desk has memory.
    """

    name: str
    summary: str
    score: Callable[[Row], Score | None]
    targets: Callable[[Evidence], Targets]
    because: Callable[[Evidence, str], str] | None = None
    band: float = 0.3
    max_gross: float = 1.0
    recall: Callable[[Mapping[str, Any]], Score | None] | None = None


def no_view(_: Row) -> Score:
    """The score of a strategy that does not look at indicators."""
    return Score(0.0, "this strategy takes no view on direction")


def always_in(_: Row) -> Score:
    """The score of a strategy that wants to own everything."""
    return Score(1.0, "held whatever the indicators say")


def follow_scores(evidence: Evidence) -> Targets:
    """An equal share of the equity times the score; instruments without a score are left alone."""
    return {
        symbol: evidence.share * evidence.scores[symbol] if symbol in evidence.scores else None
        for symbol in evidence.symbols
    }

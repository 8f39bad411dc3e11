"""One desk's line on the leaderboard, a pair of desks, and their JSON."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteMeasures:
    """What the eval suites say of a desk, each a share or a score; None where it was never measured."""

    grounding: float | None = None
    tool_accuracy: float | None = None
    parse_failure_rate: float | None = None
    injection_resistance: float | None = None
    leakage_index: float | None = None
    consistency: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How a desk did over its seasons. Rates, returns and drawdowns are fractions; None is not known.

    ``rank`` is None below the minimum sample, and ``unranked`` says why. ``sharpe`` is annual (365 days). ``return_``
    compounds over all seasons played. ``deflated_sharpe`` is the probability that the Sharpe ratio beats the best of as
    many trials without skill as were counted. ``cvar95`` is the mean loss of the worst twentieth of market days.
    """

    desk: str
    kind: str
    models: Mapping[str, str]
    rank: int | None
    tied_with: tuple[str, ...]
    unranked: str | None
    return_: float
    return_ci95: Interval | None
    sharpe: float | None
    sharpe_ci95: Interval | None
    probabilistic_sharpe: float | None
    deflated_sharpe: float | None
    luck_percentile: float | None
    max_drawdown: float | None
    cvar95: float | None
    turnover_per_day: float | None
    gross_exposure: float | None
    beta: float | None
    fees_bps_of_capital: float | None
    brier_skill: float | None
    ece: float | None
    ece_ci95: Interval | None
    coverage90: float | None
    forecasts: int
    abstain_rate: float | None
    abstain_ci95: Interval | None
    failover_rate: float | None
    usd_per_decision: float | None
    latency_ms_p50: float | None
    decisions: int
    seasons: int
    days: float
    runs: tuple[str, ...]
    suites: SuiteMeasures = field(default_factory=SuiteMeasures)

    def to_json(self) -> dict[str, Any]:
        """The entry of ``desks``; what is not known or not finite is null."""
        row = {name: getattr(self, name) for name in self.__slots__ if name not in ("return_", "suites")}
        row["return"] = self.return_
        row |= asdict(self.suites)
        return {name: _plain(value) for name, value in row.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two desks over the instants that both played: growth of the first minus the second, Holm-adjusted."""

    first: str
    second: str
    difference: float
    ci95: Interval | None
    p_value: float
    days: float

    def to_json(self) -> dict[str, Any]:
        """The entry of ``pairs``."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return dict(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value

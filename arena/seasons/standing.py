"""One desk's line in the standings, and its JSON."""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain import money_text

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a desk did and how sure that is. Returns, drawdown and intervals are fractions; None is not known.

    ``rank`` = 1 + desks that are significantly better, ``rank_last`` the worst place the data allow, ``tied_with`` the
    desks it cannot be separated from. ``sharpe`` is annual (365 days). ``usd`` is None where the price of any call is
    not known, ``usd_at_least`` the sum of those that are. ``unscored`` says why what is None is None.
    """

    desk: str
    kind: str
    models: tuple[tuple[str, str], ...]
    status: str
    equity_start: Decimal
    equity_end: Decimal
    total_return: float
    return_ci95: Interval | None
    sharpe: float | None
    sharpe_ci95: Interval | None
    max_drawdown: float | None
    fees: Decimal
    funding: Decimal
    turnover: float
    decisions: int
    acted: int
    held: int
    abstained: int
    failovers: int
    refused_intents: int
    orders: int
    fills: int
    forecasts: int
    brier: float | None
    brier_skill: float | None
    llm_calls: int
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    usd_at_least: float
    latency_ms_p50: float | None
    latency_ms_p95: float | None
    luck_percentile: float | None
    rank: int
    rank_last: int
    tied_with: tuple[str, ...]
    unscored: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The entry of ``desks`` in the standings document: money as text, what is unknown or not finite as null."""
        return {
            "desk": self.desk,
            "kind": self.kind,
            "models": dict(self.models),
            "status": self.status,
            "equity_start": money_text(self.equity_start),
            "equity_end": money_text(self.equity_end),
            "return": _number(self.total_return),
            "return_ci95": _interval(self.return_ci95),
            "sharpe": _number(self.sharpe),
            "sharpe_ci95": _interval(self.sharpe_ci95),
            "max_drawdown": _number(self.max_drawdown),
            "fees": money_text(self.fees),
            "funding": money_text(self.funding),
            "turnover": _number(self.turnover),
            "decisions": self.decisions,
            "acted": self.acted,
            "held": self.held,
            "abstained": self.abstained,
            "failovers": self.failovers,
            "refused_intents": self.refused_intents,
            "orders": self.orders,
            "fills": self.fills,
            "forecasts": self.forecasts,
            "brier": _number(self.brier),
            "brier_skill": _number(self.brier_skill),
            "llm_calls": self.llm_calls,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "usd": _number(self.usd),
            "usd_at_least": _number(self.usd_at_least),
            "latency_ms_p50": _number(self.latency_ms_p50),
            "latency_ms_p95": _number(self.latency_ms_p95),
            "luck_percentile": _number(self.luck_percentile),
            "rank": self.rank,
            "rank_last": self.rank_last,
            "tied_with": list(self.tied_with),
            "unscored": dict(self.unscored),
        }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _interval(bounds: Interval | None) -> list[float] | None:
    return list(bounds) if bounds is not None and all(map(math.isfinite, bounds)) else None

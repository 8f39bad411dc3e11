"""What scoring reads of a finished or running season: the market at its marks and what each desk left on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from evals.scorers import ForecastSample
from trading.stats import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRecord:
    """The market at the marks of a season.

    ``ts_ms`` (marks,) is strictly increasing, ``step_ms`` the usual time between marks; ``closes`` (instruments, marks)
    the last known price at each mark, NaN before an instrument's first; ``allows_short`` (instruments,).
    """

    ts_ms: IntArray
    closes: FloatArray
    step_ms: int
    allows_short: BoolArray

    def __post_init__(self) -> None:
        expected = (self.allows_short.size, self.ts_ms.size)
        if self.closes.shape != expected:
            raise ValueError(f"closes have shape {self.closes.shape}, expected {expected} (instruments, marks)")
        if self.ts_ms.size > 1 and int(np.diff(self.ts_ms).min()) <= 0:
            raise ValueError("marks of a season must be in order of time, each once")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRecord:
    """One desk's season. ``equity`` (marks,) and ``quantities`` (instruments, marks) are as of the market's marks.

    Quantities are signed positions after the fills up to the mark; ``turnover`` is value traded over starting equity.
    Tokens and dollars are None where any of them is unknown. ``latencies_ms`` (decisions,) holds the time each took.
    """

    name: str
    kind: str
    models: Mapping[str, str]
    status: str
    equity: FloatArray
    quantities: FloatArray
    equity_start: Decimal
    equity_end: Decimal
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
    llm_calls: int
    tokens_in: int | None
    tokens_out: int | None
    usd: float | None
    usd_at_least: float
    latencies_ms: FloatArray
    forecasts: ForecastSample

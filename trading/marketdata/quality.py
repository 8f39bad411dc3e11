"""What is wrong with a series: every problem by row and reason. Gaps are counted; they are a fact, not a fault.

Rows count data rows from 0.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from trading.domain.instants import duration_text, iso
from trading.marketdata.candles import CandleSeries
from trading.marketdata.naming import SeriesKind
from trading.marketdata.resample import open_of
from trading.marketdata.tape import FloatArray, FundingRates, IntArray

LISTED_PROBLEMS = 100

_Flags = NDArray[np.bool_]
_Finding = tuple[_Flags, Callable[[int], str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong in a row; ``row`` is None where the whole file is meant."""

    row: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """The outcome of a check. ``problems`` lists the first 100 by row, ``problem_count`` counts all.

    ``gaps`` is how often a bar does not follow the one before it, ``missing_bars`` how many are absent in all.
    ``first_ms`` and ``last_ms`` are the earliest and latest instants of the series.
    """

    rows: int
    first_ms: int
    last_ms: int
    gaps: int
    missing_bars: int
    problem_count: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem_count == 0


def check_series(series: CandleSeries) -> QualityReport:
    """Order, grid, finiteness, sign and consistency of a candle series of at least one row."""
    findings = _series_findings(series)
    gaps, missing = gaps_of(np.unique(series.open_ms), series.step_ms)
    return _report(series.open_ms, findings, gaps=gaps, missing=missing)


def gaps_of(open_ms: IntArray, step_ms: int) -> tuple[int, int]:
    """How often a bar does not follow the one before it, and how many are absent in all; for bars in order of time."""
    steps = np.diff(open_ms) // step_ms
    return int((steps > 1).sum()), int((steps[steps > 1] - 1).sum())


def sound_rows(series: CandleSeries) -> _Flags:
    """For each row, whether nothing is wrong with it: what is left is in order, each instant once."""
    sound = np.ones(len(series), np.bool_)
    if len(series):
        for flags, _ in _series_findings(series):
            sound &= ~flags
    return sound


def check_funding(rates: FundingRates) -> QualityReport:
    """Order and finiteness of funding rates of at least one row.

    A rate of a whole notional or more is a unit mistake, and is refused. Gaps are not counted: the interval between
    two settlements is the venue's to change.
    """
    rate = rates.rate
    findings = [
        *_time_findings(rates.ts_ms, step_ms=None),
        *_number_findings("funding_rate", rate),
        (
            np.isfinite(rate) & (np.abs(rate) >= 1),
            lambda row: f"funding_rate is {rate[row]}, expected a fraction of the notional between -1 and 1",
        ),
    ]
    return _report(rates.ts_ms, findings, gaps=0, missing=0)


def _series_findings(series: CandleSeries) -> list[_Finding]:
    findings = [*_time_findings(series.open_ms, series.step_ms), *_price_findings(series)]
    if series.kind is SeriesKind.CANDLES:
        findings += _volume_findings(series.volume)
    return findings


def _time_findings(ts_ms: IntArray, step_ms: int | None) -> Iterator[_Finding]:
    repeated = np.ones(len(ts_ms), dtype=np.bool_)
    repeated[np.unique(ts_ms, return_index=True)[1]] = False
    yield repeated, lambda row: f"duplicate ts {iso(int(ts_ms[row]))}: an earlier row has it too"

    latest = np.maximum.accumulate(ts_ms)
    yield (
        ts_ms < latest,
        lambda row: f"unsorted ts {iso(int(ts_ms[row]))}: an earlier row has {iso(int(latest[row]))}",
    )
    if step_ms is not None:
        name = duration_text(step_ms)
        yield ts_ms != open_of(ts_ms, step_ms), lambda row: f"ts {iso(int(ts_ms[row]))} is not on the {name} grid"


def _price_findings(series: CandleSeries) -> Iterator[_Finding]:
    low, high = series.low, series.high
    for name, values in (("open", series.open), ("high", high), ("low", low), ("close", series.close)):
        yield from _number_findings(name, values)
        yield values <= 0, partial(_not_positive, name, values)

    crossed = low > high
    yield crossed, lambda row: f"low {low[row]} > high {high[row]}"
    for name, values in (("open", series.open), ("close", series.close)):
        outside = ~crossed & ((values < low) | (values > high))
        yield outside, partial(_outside, name, values, series)


def _not_positive(name: str, values: FloatArray, row: int) -> str:
    return f"{name} is {values[row]}, expected a positive price"


def _outside(name: str, values: FloatArray, series: CandleSeries, row: int) -> str:
    return f"{name} {values[row]} is outside low {series.low[row]} .. high {series.high[row]}"


def _volume_findings(volume: FloatArray) -> Iterator[_Finding]:
    yield from _number_findings("volume", volume)
    yield volume < 0, lambda row: f"volume is {volume[row]}, expected zero or more"


def _number_findings(name: str, values: FloatArray) -> Iterator[_Finding]:
    yield np.isnan(values), lambda row: f"{name} is NaN or empty, expected a number"
    yield np.isinf(values), lambda row: f"{name} is infinite, expected a finite number"


def _report(ts_ms: IntArray, findings: list[_Finding], *, gaps: int, missing: int) -> QualityReport:
    listed: list[Problem] = []
    count = 0
    for flags, reason in findings:
        rows = np.flatnonzero(flags)
        count += len(rows)
        listed += [Problem(row=int(row), reason=reason(int(row))) for row in rows[:LISTED_PROBLEMS]]
    listed.sort(key=lambda problem: -1 if problem.row is None else problem.row)
    return QualityReport(
        rows=len(ts_ms),
        first_ms=int(ts_ms.min()),
        last_ms=int(ts_ms.max()),
        gaps=gaps,
        missing_bars=missing,
        problem_count=count,
        problems=tuple(listed[:LISTED_PROBLEMS]),
    )

"""The check of whole files: a report for each, whatever is in it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from trading.domain.errors import DataError
from trading.domain.instants import duration_text, iso
from trading.marketdata.candles import read_candles
from trading.marketdata.columns import FileRefused
from trading.marketdata.funding import read_funding
from trading.marketdata.naming import SeriesKind, is_funding_name
from trading.marketdata.oddities import Oddities, find_oddities
from trading.marketdata.quality import LISTED_PROBLEMS, Problem, QualityReport, check_funding, check_series
from trading.marketdata.store.catalogue import CatalogueRow
from trading.marketdata.ticks.catalogue import TickRow, digest, is_tick_name
from trading.marketdata.ticks.kinds import TickKind, sound_ticks
from trading.marketdata.ticks.store import read_ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What a file holds and what is wrong with it. ``quality`` is None where the file could not be read at all.

    ``problems`` lists the first 100 by row (0-based data rows); ``problem_count`` counts all of them. ``oddities`` are
    worth a look and nothing is wrong with them; they are looked for in sound candles only. ``refused_rows`` is how many
    rows a store left out when they came, None for a file that is not of a store.
    """

    path: Path
    symbol: str | None
    step_ms: int | None
    series: SeriesKind | TickKind | None
    quality: QualityReport | None
    problem_count: int
    problems: tuple[Problem, ...]
    oddities: Oddities | None = None
    refused_rows: int | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the file."""
        return self.problem_count == 0

    def to_json(self) -> dict[str, Any]:
        """The report as ``data check --json`` prints it; what is not known is None."""
        quality, oddities = self.quality, self.oddities
        return {
            "path": str(self.path),
            "ok": self.ok,
            "symbol": self.symbol,
            "timeframe": None if self.step_ms is None else duration_text(self.step_ms),
            "series": None if self.series is None else self.series.value,
            "rows": None if quality is None else quality.rows,
            "first": None if quality is None else iso(quality.first_ms),
            "last": None if quality is None else iso(quality.last_ms),
            "gaps": None if quality is None else quality.gaps,
            "missing_bars": None if quality is None else quality.missing_bars,
            "problem_count": self.problem_count,
            "problems": [{"row": problem.row, "reason": problem.reason} for problem in self.problems],
            "refused_rows": self.refused_rows,
            "zero_volume": None if oddities is None else oddities.zero_volume,
            "outliers": None if oddities is None else oddities.spikes,
            "largest_gap_bars": None if oddities is None else oddities.largest_gap_bars,
            "largest_gap_at": None
            if oddities is None or oddities.largest_gap_ms is None
            else iso(oddities.largest_gap_ms),
            "oddities": None
            if oddities is None
            else [{"row": each.row, "reason": each.reason, "score": each.score} for each in oddities.listed],
        }


def check_files(paths: Iterable[Path]) -> list[FileReport]:
    """A report for each file, in the order given. A file that cannot be read is a report that is not ok."""
    return [check_file(path) for path in paths]


def check_file(path: Path) -> FileReport:
    """The report of one candle, mark or funding file, or of one of the tick store; its name says which."""
    try:
        if is_tick_name(path):
            return _check_ticks(path)
        if is_funding_name(path):
            symbol, rates = read_funding(path)
            return _read_report(path, symbol, None, SeriesKind.FUNDING, check_funding(rates))
        series = read_candles(path)
    except FileRefused as refused:
        return _refusal_report(path, Problem(row=refused.row, reason=refused.reason))
    except DataError as refused:
        return _refusal_report(path, Problem(row=None, reason=str(refused)))
    quality = check_series(series)
    odd = find_oddities(series) if quality.ok else None
    return replace(
        _read_report(path, series.symbol, series.step_ms, series.kind, quality, odd), refused_rows=_refused(path)
    )


def _check_ticks(path: Path) -> FileReport:
    """The rows of a file of the tick store against its entry: they are sound, and those that were written."""
    row, ticks = TickRow.read(path), read_ticks(path)
    rows = np.flatnonzero(~sound_ticks(ticks))[:LISTED_PROBLEMS].tolist()
    problems = [Problem(row=each, reason=f"no sound row of {row.kind}") for each in rows]
    if digest(ticks) != row.sha256:
        problems.append(Problem(row=None, reason="its rows are not those that the store wrote; fetch them again"))
    quality = QualityReport(
        rows=len(ticks),
        first_ms=row.first_ms,
        last_ms=row.last_ms,
        gaps=max(0, len(row.covered) - 1),
        missing_bars=0,
        problem_count=len(problems),
        problems=tuple(problems),
    )
    return replace(_read_report(path, row.symbol, None, row.kind, quality), refused_rows=row.refused_rows)


def _refused(path: Path) -> int | None:
    """How many rows the store left out of a candle file; None where the file is not a store's."""
    try:
        return CatalogueRow.read(path).refused_rows if path.suffix == ".parquet" else None
    except FileRefused:
        return None


def _read_report(
    path: Path,
    symbol: str,
    step_ms: int | None,
    series: SeriesKind | TickKind,
    quality: QualityReport,
    oddities: Oddities | None = None,
) -> FileReport:
    return FileReport(
        path=path,
        symbol=symbol,
        step_ms=step_ms,
        series=series,
        quality=quality,
        problem_count=quality.problem_count,
        problems=quality.problems,
        oddities=oddities,
    )


def _refusal_report(path: Path, problem: Problem) -> FileReport:
    return FileReport(
        path=path, symbol=None, step_ms=None, series=None, quality=None, problem_count=1, problems=(problem,)
    )

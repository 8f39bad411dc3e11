"""The check of whole files: a report for each, whatever is in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trading.domain.errors import DataError
from trading.domain.instants import duration_text, iso
from trading.marketdata.candles import read_candles
from trading.marketdata.columns import FileRefused
from trading.marketdata.funding import read_funding
from trading.marketdata.naming import SeriesKind, is_funding_name
from trading.marketdata.quality import Problem, QualityReport, check_funding, check_series


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What a file holds and what is wrong with it. ``quality`` is None where the file could not be read at all.

    ``problems`` lists the first 100 by row (0-based data rows); ``problem_count`` counts all of them.
    """

    path: Path
    symbol: str | None
    step_ms: int | None
    series: SeriesKind | None
    quality: QualityReport | None
    problem_count: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the file."""
        return self.problem_count == 0

    def to_json(self) -> dict[str, Any]:
        """The report as ``data check --json`` prints it; what is not known is None."""
        quality = self.quality
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
        }


def check_files(paths: Iterable[Path]) -> list[FileReport]:
    """A report for each file, in the order given. A file that cannot be read is a report that is not ok."""
    return [check_file(path) for path in paths]


def check_file(path: Path) -> FileReport:
    """The report of one candle, mark or funding file; its name says which."""
    try:
        if is_funding_name(path):
            symbol, rates = read_funding(path)
            return _read_report(path, symbol, None, SeriesKind.FUNDING, check_funding(rates))
        series = read_candles(path)
    except FileRefused as refused:
        return _refusal_report(path, Problem(row=refused.row, reason=refused.reason))
    except DataError as refused:
        return _refusal_report(path, Problem(row=None, reason=str(refused)))
    return _read_report(path, series.symbol, series.step_ms, series.kind, check_series(series))


def _read_report(
    path: Path, symbol: str, step_ms: int | None, series: SeriesKind, quality: QualityReport
) -> FileReport:
    return FileReport(
        path=path,
        symbol=symbol,
        step_ms=step_ms,
        series=series,
        quality=quality,
        problem_count=quality.problem_count,
        problems=quality.problems,
    )


def _refusal_report(path: Path, problem: Problem) -> FileReport:
    return FileReport(
        path=path, symbol=None, step_ms=None, series=None, quality=None, problem_count=1, problems=(problem,)
    )

"""From files to a tape: the files of the instruments asked for, checked whole, on one grid."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import escape, glob
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np

from trading.domain.errors import DataError
from trading.domain.instants import duration_ms, duration_text, iso
from trading.marketdata.candles import CandleSeries, read_candles
from trading.marketdata.columns import FileRefused
from trading.marketdata.funding import read_funding
from trading.marketdata.naming import SeriesKind, parse_candle_name, parse_funding_name
from trading.marketdata.quality import QualityReport, check_funding, check_series
from trading.marketdata.tape import FloatArray, FundingRates, IntArray, Tape

_FUNDING_HISTORY_MS = duration_ms("30d")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recording:
    """A series with the file it came from."""

    path: Path
    series: CandleSeries

    @property
    def first_ms(self) -> int:
        return int(self.series.open_ms[0])

    @property
    def last_ms(self) -> int:
        return int(self.series.open_ms[-1])


def expand_paths(patterns: Sequence[str], root: Path) -> list[Path]:
    """The files that the patterns name, sorted and each once. A relative pattern starts at ``root``.

    ``*``, ``?``, ``[...]`` and ``**`` mean what they mean in a shell. Raises DataError for a pattern without a file.
    """
    found: set[Path] = set()
    for pattern in patterns:
        full = pattern if Path(pattern).is_absolute() else str(Path(escape(str(root))) / pattern)
        files = {path for path in map(Path, glob(full, recursive=True)) if path.is_file()}  # noqa: PTH207  # Path.glob takes no absolute pattern
        if not files:
            raise DataError(f"data path {pattern!r} names no file under {root}; check the pattern and the data root")
        found |= files
    return sorted(found)


def load_tape(
    candle_paths: Sequence[Path],
    funding_paths: Sequence[Path],
    instruments: Sequence[str],
    start_ms: int,
    end_ms: int,
    history_bars: int = 1000,
) -> Tape:
    """The candles of ``instruments`` that open in [``start_ms`` - ``history_bars`` bars, ``end_ms``), and funding.

    Every file that is used is checked whole. Mark series and other instruments are left out. Files of one instrument
    are joined where they do not overlap. An instrument without a bar that another one has holds NaN there. Funding is
    what was settled from 30 days before ``start_ms`` to ``end_ms``; an instrument without a file has none.

    Raises DataError: a file that is refused (by row and reason), mixed timeframes, overlapping files, an instrument
    that is not in the data or has no bar in [``start_ms``, ``end_ms``).
    """
    if not instruments or len(set(instruments)) != len(instruments):
        raise DataError(f"instruments are {', '.join(instruments) or 'none'}; expected at least one, each once")
    if start_ms >= end_ms:
        raise DataError(f"no time between {iso(start_ms)} and {iso(end_ms)}; the end must be after the start")
    chosen, step_ms = _choose(candle_paths, instruments)
    begin_ms = start_ms - history_bars * step_ms
    parts = {
        symbol: [
            recording.series.between(begin_ms, end_ms)
            for recording in _joinable(symbol, chosen[symbol], start_ms, end_ms)
        ]
        for symbol in instruments
    }
    grid = np.unique(np.concatenate([part.open_ms for series in parts.values() for part in series]))
    return Tape(
        symbols=tuple(instruments),
        step_ms=step_ms,
        open_ms=grid,
        source="replay",
        funding=_load_funding(funding_paths, instruments, start_ms - _FUNDING_HISTORY_MS, end_ms),
        open=_on_grid(grid, parts, "open"),
        high=_on_grid(grid, parts, "high"),
        low=_on_grid(grid, parts, "low"),
        close=_on_grid(grid, parts, "close"),
        volume=_on_grid(grid, parts, "volume"),
    )


def _choose(paths: Sequence[Path], instruments: Sequence[str]) -> tuple[dict[str, list[Path]], int]:
    """The candle files of each instrument, and the timeframe they share."""
    files: defaultdict[str, list[Path]] = defaultdict(list)
    example: dict[int, Path] = {}
    for path in paths:
        name = parse_candle_name(path)
        if name.series is not SeriesKind.CANDLES:
            continue
        files[name.symbol].append(path)
        if name.symbol in instruments:
            example.setdefault(name.step_ms, path)
    for symbol in instruments:
        if symbol not in files:
            raise DataError(
                f"instrument {symbol} is not in the data; found: {', '.join(sorted(files)) or 'no candles'}"
            )
    if len(example) > 1:
        found = ", ".join(f"{duration_text(step_ms)} ({example[step_ms].name})" for step_ms in sorted(example))
        raise DataError(f"mixed timeframes: {found}; give candle files of one timeframe")
    return {symbol: files[symbol] for symbol in instruments}, next(iter(example))


def _joinable(symbol: str, paths: Sequence[Path], start_ms: int, end_ms: int) -> list[_Recording]:
    """The recordings of an instrument in order of time, which do not overlap and have a bar in [start, end)."""
    recordings = sorted((_read(path) for path in paths), key=lambda recording: recording.first_ms)
    for earlier, later in pairwise(recordings):
        if later.first_ms <= earlier.last_ms:
            raise DataError(
                f"{later.path} begins at {iso(later.first_ms)}, but {earlier.path} of the same instrument runs to"
                f" {iso(earlier.last_ms)}: leave one of them out"
            )
    if not any(len(recording.series.between(start_ms, end_ms)) for recording in recordings):
        spans = ", ".join(f"{iso(recording.first_ms)} .. {iso(recording.last_ms)}" for recording in recordings)
        raise DataError(f"instrument {symbol} has no bar from {iso(start_ms)} to {iso(end_ms)}; its files hold {spans}")
    return recordings


def _read(path: Path) -> _Recording:
    series = read_candles(path)
    _refuse_problems(path, check_series(series))
    return _Recording(path=path, series=series)


def _load_funding(
    paths: Sequence[Path], instruments: Sequence[str], begin_ms: int, end_ms: int
) -> Mapping[str, FundingRates]:
    files: defaultdict[str, list[Path]] = defaultdict(list)
    for path in paths:
        files[parse_funding_name(path)].append(path)
    funding: dict[str, FundingRates] = {}
    for symbol in instruments:
        if len(files[symbol]) > 1:
            raise DataError(
                f"funding of {symbol} stands in {' and '.join(map(str, files[symbol]))}: leave all but one out"
            )
        for path in files[symbol]:
            _, rates = read_funding(path)
            _refuse_problems(path, check_funding(rates))
            pick = slice(*np.searchsorted(rates.ts_ms, [begin_ms, end_ms + 1]).tolist())
            funding[symbol] = FundingRates(ts_ms=rates.ts_ms[pick], rate=rates.rate[pick])
    return MappingProxyType(funding)


def _refuse_problems(path: Path, report: QualityReport) -> None:
    if report.ok:
        return
    first = report.problems[0]
    more = report.problem_count - 1
    rest = f" (and {more} more: `tradefloor data check` lists them)" if more else ""
    raise FileRefused(path, f"{first.reason}{rest}", first.row)


def _on_grid(grid: IntArray, parts: Mapping[str, Sequence[CandleSeries]], column: str) -> FloatArray:
    """One column of all instruments, shape (instruments, bars), NaN where an instrument lacks a bar."""
    table = np.full((len(parts), len(grid)), np.nan)
    for row, series in enumerate(parts.values()):
        for part in series:
            table[row, np.searchsorted(grid, part.open_ms)] = getattr(part, column)
    return table

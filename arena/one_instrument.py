"""The candles of one instrument for a verb that looks at it alone: which files, which one, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arena.candles import candle_paths, of_one_venue, step_to_read
from arena.settings import Settings
from trading.domain.errors import RequestError
from trading.domain.instants import duration_ms, iso, parse_instant, to_ms
from trading.features.feature import COLUMNS, Input
from trading.features.frame import FeatureFrame
from trading.marketdata import CandleFileName, CandleSeries, SeriesKind, parse_candle_name, read_candles, resample


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to read: ``instrument`` None means the only one there is, ``at`` None all that has closed, ``venue`` None
    the only one in the store."""

    instrument: str | None
    timeframe: str
    at: str | None
    data: Sequence[str]
    venue: str | None = None


def read_frame(wanted: Wanted, settings: Settings, *, bars: int) -> FeatureFrame:
    """The last ``bars`` bars that had closed at the instant asked for, with the columns that candles know.

    Files of one instrument are joined; where they overlap, the first by name counts. Where there are only shorter bars,
    the longest of them that fit are resampled. Raises RequestError for an
    instrument or timeframe that is not in the data, and where no bar has closed by then.
    """
    step_ms = duration_ms(wanted.timeframe)
    at_ms = None if wanted.at is None else to_ms(parse_instant(wanted.at))
    instrument, paths = _chosen(wanted, candle_paths(wanted.data, settings), step_ms)
    series = [_of_length(read_candles(path), step_ms) for path in paths]
    names = COLUMNS[Input.BARS]
    open_ms, rows = np.unique(np.concatenate([each.open_ms for each in series]), return_index=True)
    columns = {name: np.concatenate([getattr(each, name) for each in series])[rows] for name in names}
    end = len(open_ms) if at_ms is None else int(np.searchsorted(open_ms, at_ms - step_ms, side="right"))
    if not end:
        raise RequestError(f"no {wanted.timeframe} candle of {instrument} had closed by {wanted.at or 'now'}")
    if at_ms is not None and at_ms > open_ms[-1] + 2 * step_ms:
        raise RequestError(
            f"--at {wanted.at}: the candles of {instrument} end at {iso(int(open_ms[-1]) + step_ms)}; ask for that"
        )
    kept = slice(max(0, end - bars), end)
    found = {name: column[kept] for name, column in columns.items()}
    found["open_s"] = open_ms[kept] / 1000.0
    found["reference_close"] = found["close"]
    return FeatureFrame(instrument=instrument, step_ms=step_ms, open_ms=open_ms[kept], columns=found)


def _chosen(wanted: Wanted, paths: Sequence[Path], step_ms: int) -> tuple[str, list[Path]]:
    names = {path: name for path in paths if (name := _candles_named(path)) is not None}
    fitting = {path: name for path, name in names.items() if step_to_read([name.step_ms], step_ms)}
    there = sorted({name.symbol for name in fitting.values()})
    instrument = wanted.instrument or (there[0] if len(there) == 1 else None)
    if instrument is None:
        raise RequestError(
            f"{len(there)} instruments in the {wanted.timeframe} candles{': ' if there else ''}{', '.join(there[:8])}; "
            "name one"
        )
    own = [path for path, name in fitting.items() if name.symbol == instrument]
    if not own:
        raise RequestError(f"no {wanted.timeframe} candles of {instrument} in the data; name files with --data GLOB")
    own = of_one_venue(own, wanted.venue, named=bool(wanted.data))
    read_ms = step_to_read((names[path].step_ms for path in own), step_ms)
    return instrument, [path for path in own if names[path].step_ms == read_ms]


def _of_length(series: CandleSeries, step_ms: int) -> CandleSeries:
    return series if series.step_ms == step_ms else resample(series, step_ms).bars


def _candles_named(path: Path) -> CandleFileName | None:
    name = parse_candle_name(path)
    return name if name.series is SeriesKind.CANDLES else None

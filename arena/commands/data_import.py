"""``tradefloor data import``: candle files of any known format, and recordings of ticks, into the stores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from arena.candles import candle_store, tick_store
from arena.commands.output import print_json, say
from arena.settings import Settings
from trading.domain.clock import SystemClock
from trading.domain.errors import DataError, RequestError
from trading.domain.instants import duration_ms, duration_text
from trading.marketdata import FileRefused, check_series
from trading.marketdata.store import CandleStore, ForeignFile, SeriesKey, is_exchange, is_foreign_name, read_foreign
from trading.marketdata.ticks import RecordedTicks, TickKey, TickStore, is_recorded_name, read_recorded
from trading.marketdata.ticks.kinds import sound_ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line says of all the files; None where their names and folders shall say it."""

    venue: str | None
    instrument: str | None
    timeframe: str | None
    skip_bad: bool


def bring_in(paths: Sequence[Path], wanted: Wanted, *, home: Path | None, as_json: bool) -> None:
    """Read and check every file first, then take them all in: one that is refused leaves the store as it was."""
    settings = Settings.load({"home": home})
    store, ticks = candle_store(settings), tick_store(settings)
    files = list(dict.fromkeys(_files(paths)))
    if not files:
        raise RequestError(f"no candle file under {', '.join(map(str, paths))}; expected Parquet, CSV, feather or JSON")
    recorded = [_recorded(path, wanted) for path in files if is_recorded_name(path)]
    candles = [path for path in files if not is_recorded_name(path)]
    read = [(_key(found, wanted), found) for found in (_read(path, wanted) for path in candles)]
    rows = [_take(store, key, found) for key, found in read]
    rows += [_take_ticks(ticks, key, found) for key, found in recorded]
    if as_json:
        print_json({"files": rows})
        return
    for row in rows:
        typer.echo(
            f"{row['path']}  {row['format']} as {row['venue']} {row['instrument']} "
            f"{row['timeframe'] or row['series']}: "
            f"{row['added']:,} {'bars' if row['timeframe'] else 'rows'} added, {row['repeated']:,} were there"
        )
        if row["refused"] or row["unclosed"]:
            typer.echo(f"      {row['refused']} bad rows and {row['unclosed']} unclosed bars left out")
        if row["conflict_bars"]:
            first = row["conflicts"][0]
            say(
                f"      {row['conflict_bars']} bars differ from the store, which keeps its own; the first: "
                f"{first['column']} at {first['at']} is {first['kept']:g} there and {first['refused']:g} here"
            )


def _read(path: Path, wanted: Wanted) -> ForeignFile:
    step_ms = None if wanted.timeframe is None else duration_ms(wanted.timeframe)
    found = read_foreign(path, symbol=wanted.instrument, step_ms=step_ms)
    report = check_series(found.series)
    if not report.ok and not wanted.skip_bad:
        first = report.problems[0]
        more = f" (and {report.problem_count - 1} more)" if report.problem_count > 1 else ""
        raise FileRefused(path, f"{first.reason}{more}; mend it, or leave bad rows out with --skip-bad", first.row)
    return found


def _key(found: ForeignFile, wanted: Wanted) -> SeriesKey:
    venue = wanted.venue or _venue_of(found.path, found.folder)
    series = found.series
    return SeriesKey(venue=venue, symbol=series.symbol, step_ms=series.step_ms, kind=series.kind)


def _recorded(path: Path, wanted: Wanted) -> tuple[TickKey, RecordedTicks]:
    found = read_recorded(path)
    bad = ~sound_ticks(found.ticks)
    if bad.any() and not wanted.skip_bad:
        raise FileRefused(
            path, f"{int(bad.sum())} rows are no sound {found.ticks.kind}; leave them out with --skip-bad"
        )
    venue = wanted.venue or _venue_of(path, path.resolve().parent.name)
    return TickKey(venue=venue, symbol=wanted.instrument or found.symbol, kind=found.ticks.kind), found


def _venue_of(path: Path, folder: str) -> str:
    """The folder's name where it is one of an exchange, with or without a word after it."""
    if not is_exchange(folder.split("-", 1)[0]):
        raise DataError(f"{path}: its folder names no exchange; say where the data is from with --venue")
    return folder


def _take_ticks(store: TickStore, key: TickKey, found: RecordedTicks) -> dict[str, Any]:
    taken = store.add(
        key,
        found.ticks,
        source=f"recording {found.path.name}",
        now_ms=SystemClock().now_ms(),
        covered=(found.covered,),
        refused=found.refused,
    )
    return {
        "path": str(found.path),
        "format": "recording",
        "venue": key.venue,
        "instrument": key.symbol,
        "series": key.kind.value,
        "timeframe": None,
        "rows": len(found.ticks) + found.refused,
        "added": taken.added,
        "repeated": taken.repeated,
        "refused": taken.refused,
        "unclosed": 0,
        "conflict_bars": 0,
        "conflicts": [],
    }


def _take(store: CandleStore, key: SeriesKey, found: ForeignFile) -> dict[str, Any]:
    taken = store.add(key, found.series, source=found.format, now_ms=SystemClock().now_ms())
    return {
        "path": str(found.path),
        "format": found.format,
        "venue": key.venue,
        "instrument": key.symbol,
        "series": key.kind.value,
        "timeframe": duration_text(key.step_ms),
        "rows": len(found.series),
        "added": taken.added,
        "repeated": taken.repeated,
        "refused": taken.refused,
        "unclosed": taken.unclosed,
        "conflict_bars": taken.conflict_bars,
        "conflicts": [conflict.to_json() for conflict in taken.conflicts],
    }


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file() and is_foreign_name(file))
            yield from (file for file in inside if is_recorded_name(file) or not _is_foreign_funding(file))
        elif path.exists():
            yield path
        else:
            raise RequestError(f"{path}: no such file or folder")


def _is_foreign_funding(path: Path) -> bool:
    """Whether it is a file of freqtrade's of funding rates, which has the columns of candles."""
    return path.name.split(".", 1)[0].endswith("funding_rate")

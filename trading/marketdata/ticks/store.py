"""The files of the tick store: one a venue, instrument, kind and day, grown by joining, replaced in one step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from trading.domain.errors import RequestError
from trading.domain.instrument import parse_symbol
from trading.marketdata.columns import FileRefused
from trading.marketdata.store.catalogue import with_origin
from trading.marketdata.store.spans import Span, joined
from trading.marketdata.store.store import VENUE
from trading.marketdata.store.writing import one_writer, write_whole
from trading.marketdata.ticks.catalogue import FOOTER_KEY, TickRow, digest, is_tick_name
from trading.marketdata.ticks.kinds import (
    COLUMNS,
    TickKind,
    Ticks,
    appended,
    no_ticks,
    repeated_rows,
    sound_ticks,
    ticks_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TickKey:
    """Whose ticks, and of which kind. Raises RequestError for a venue or symbol that could not be a folder's name."""

    venue: str
    symbol: str
    kind: TickKind

    def __post_init__(self) -> None:
        if not VENUE.fullmatch(self.venue):
            raise RequestError(f"venue {self.venue!r}: expected small letters and digits, such as binance")
        parse_symbol(self.symbol)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenTicks:
    """What became of ticks: ``added`` are new, ``repeated`` were there already, ``refused`` have something wrong."""

    added: int
    repeated: int
    refused: int
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTicks:
    """Ticks of a time, and the spans of it in which none was missed."""

    ticks: Ticks
    covered: tuple[Span, ...]


class TickStore:
    """Ticks under a folder, as ``<venue>/<instrument>/<kind>-<day>.parquet``.

    Files are replaced in one step after they have reached the disk, and one process at a time writes an instrument.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, key: TickKey, period: str) -> Path:
        """Where the ticks of a day or year lie, whether or not they are there."""
        return self.root / key.venue / key.symbol / f"{key.kind}-{period}.parquet"

    def files(self) -> list[Path]:
        """Every file of the store, in order."""
        return sorted(path for path in self.root.glob("*/*/*.parquet") if is_tick_name(path))

    def catalogue(self) -> tuple[list[TickRow], list[FileRefused]]:
        """The entries of all files, and the files that have none."""
        rows, refused = [], []
        for path in self.files():
            try:
                rows.append(TickRow.read(path))
            except FileRefused as error:
                refused.append(error)
        return rows, refused

    def venues(self, symbol: str) -> tuple[str, ...]:
        """The venues whose ticks of ``symbol`` are stored."""
        return tuple(sorted({path.parent.parent.name for path in self.files() if path.parent.name == symbol}))

    def read(self, key: TickKey, span: Span) -> KnownTicks:
        """The rows of ``span``, and where it is covered. Raises FileRefused for a file that is not the store's."""
        found = no_ticks(key.kind)
        covered: list[Span] = []
        for path in sorted((self.root / key.venue / key.symbol).glob(f"{key.kind}-[0-9]*.parquet")):
            row = TickRow.read(path)
            covered += row.covered
            if row.last_ms >= span.begin_ms and row.first_ms < span.end_ms:
                found = appended(found, read_ticks(path).between(span.begin_ms, span.end_ms))
        inside = (Span(max(each.begin_ms, span.begin_ms), min(each.end_ms, span.end_ms)) for each in covered)
        return KnownTicks(ticks=found, covered=joined(inside))

    def add(
        self, key: TickKey, ticks: Ticks, *, source: str, now_ms: int, covered: Sequence[Span], refused: int = 0
    ) -> TakenTicks:
        """Take in what ``source`` gave at ``now_ms``; what is stored already stays as it is.

        ``covered`` are the times in which the source missed nothing. Unsound rows are left out and counted, with the
        ``refused`` ones that the source left out itself, in the first file that is written. Raises RequestError when
        another process holds the instrument for too long, FileRefused when a file there is not the store's.
        """
        if ticks.kind is not key.kind:
            raise ValueError(f"{ticks.kind} do not belong into {key}")
        good = sound_ticks(ticks)
        sound = ticks.picked(good)
        refused += int((~good).sum())
        added, paths, count = 0, [], refused
        with one_writer(self.root / key.venue / key.symbol):
            for period, begin_ms, end_ms in _periods(key.kind, sound.ts_ms):
                spans = [Span(max(each.begin_ms, begin_ms), min(each.end_ms, end_ms)) for each in covered]
                part = sound.between(begin_ms, end_ms)
                added += self._grow(key, period, part, source, now_ms, spans, count)
                paths.append(self.path_of(key, period))
                count = 0
        return TakenTicks(added=added, repeated=len(sound) - added, refused=refused, paths=tuple(paths))

    def _grow(
        self, key: TickKey, period: str, part: Ticks, source: str, now_ms: int, spans: Sequence[Span], refused: int
    ) -> int:
        path = self.path_of(key, period)
        before = TickRow.read(path) if path.is_file() else None
        kept = read_ticks(path) if before else no_ticks(key.kind)
        both = appended(kept, part.picked(~repeated_rows(kept, part)))
        whole = ticks_of(key.kind, both.ts_ms, both.columns)
        added = len(whole) - len(kept)
        known = joined([*(before.covered if before else ()), *spans])
        if before is not None and not added and not refused and known == before.covered:
            return 0
        row = TickRow(
            path=path,
            venue=key.venue,
            symbol=key.symbol,
            kind=key.kind,
            period=period,
            rows=len(whole),
            first_ms=int(whole.ts_ms[0]),
            last_ms=int(whole.ts_ms[-1]),
            refused_rows=refused + (before.refused_rows if before else 0),
            sha256=digest(whole),
            covered=known,
            origins=with_origin(before.origins if before else (), source, added, now_ms),
        )
        _write(row, whole)
        return added


def read_ticks(path: Path) -> Ticks:
    """The rows of a stored file. Raises FileRefused for a file that is not the store's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = TickRow.read(path)
    try:
        table = pq.read_table(path, partitioning=None)
        columns = {name: table.column(name).to_numpy() for name in COLUMNS[row.kind]}
        return ticks_of(row.kind, table.column("ts").cast(pa.int64()).to_numpy(), columns)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise FileRefused(path, "has not the columns of its kind; take it out of the store") from error


def _write(row: TickRow, ticks: Ticks) -> None:
    import pyarrow as pa

    columns = {name: pa.array(column) for name, column in ticks.columns.items()}
    table = pa.table({"ts": pa.array(ticks.ts_ms, pa.timestamp("ms", tz="UTC")), **columns})
    if "trade_id" in columns:
        place = table.schema.get_field_index("trade_id")
        table = table.set_column(place, "trade_id", pa.array(ticks["trade_id"].tolist(), pa.string()))
    write_whole(row.path, table.replace_schema_metadata({FOOTER_KEY: row.footer()}), dictionary=True)


def _periods(kind: TickKind, ts_ms: np.ndarray) -> Iterator[tuple[str, int, int]]:
    """The days or years that the instants lie in: name, begin and end."""
    unit, form = ("Y", "%Y") if kind.by_year else ("D", "%Y-%m-%d")
    for begin in np.unique(ts_ms.astype("datetime64[ms]").astype(f"datetime64[{unit}]")):
        first, after = ((begin + step).astype("datetime64[ms]").astype(np.int64) for step in (0, 1))
        yield datetime.fromtimestamp(int(first) / 1000, UTC).strftime(form), int(first), int(after)

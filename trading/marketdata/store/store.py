"""The files of the candle store: read as one series, grown by merging, replaced whole or not at all."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trading.domain.errors import DataError, RequestError
from trading.domain.instants import duration_text
from trading.marketdata.candles import CandleSeries, read_candles
from trading.marketdata.columns import FileRefused
from trading.marketdata.naming import SeriesKind, parse_candle_name
from trading.marketdata.quality import gaps_of, sound_rows
from trading.marketdata.store.catalogue import FOOTER_KEY, CatalogueRow, digest, with_origin
from trading.marketdata.store.merge import COLUMNS, Conflict, merge
from trading.marketdata.store.spans import Span, joined
from trading.marketdata.store.writing import one_writer, write_whole

VENUE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesKey:
    """What a stored series is of. Raises RequestError for a venue or symbol that could not be a file's name."""

    venue: str
    symbol: str
    step_ms: int
    kind: SeriesKind = SeriesKind.CANDLES

    def __post_init__(self) -> None:
        if not VENUE.fullmatch(self.venue):
            raise RequestError(f"venue {self.venue!r}: expected small letters and digits, such as binance")
        try:
            parse_candle_name(Path(self.file_name))
        except DataError:
            raise RequestError(
                f"instrument {self.symbol!r}: expected <BASE>-<QUOTE>[-PERP], such as BTC-USDT or BTC-USDT-PERP"
            ) from None

    @property
    def file_name(self) -> str:
        """Such as ``BTC-USDT-1h.parquet``."""
        mark = "-mark" if self.kind is SeriesKind.MARK else ""
        return f"{self.symbol}{mark}-{duration_text(self.step_ms)}.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of bars that were taken in.

    ``added`` are new, ``repeated`` were there already; of these ``conflict_bars`` say something else than the store,
    which keeps what it has. ``refused`` are bars with something wrong, ``unclosed`` bars that were not over yet.
    """

    row: CatalogueRow | None
    added: int
    repeated: int
    refused: int
    unclosed: int
    conflict_bars: int
    conflicts: tuple[Conflict, ...]


class CandleStore:
    """Candles under a folder, as ``<venue>/<instrument>-<timeframe>.parquet``.

    A file is replaced in one step after it has reached the disk, so that a reader, a crash or a cut of power finds the
    old series or the new one. Writers of one series wait for each other, in whatever process they are.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, key: SeriesKey) -> Path:
        """Where the series lies, whether or not it is there."""
        return self.root / key.venue / key.file_name

    def read(self, key: SeriesKey) -> CandleSeries | None:
        """The whole series in order of time, None where there is none."""
        path = self.path_of(key)
        return read_candles(path) if path.is_file() else None

    def row_of(self, key: SeriesKey) -> CatalogueRow | None:
        """The catalogue's entry of a series, None where there is none."""
        path = self.path_of(key)
        return CatalogueRow.read(path) if path.is_file() else None

    def files(self) -> list[Path]:
        """Every candle file of the store, in order."""
        return sorted(path for path in self.root.glob("*/*.parquet") if path.is_file())

    def catalogue(self) -> tuple[list[CatalogueRow], list[FileRefused]]:
        """The entries of all files, and the files that have none."""
        rows, refused = [], []
        for path in self.files():
            try:
                rows.append(CatalogueRow.read(path))
            except FileRefused as error:
                refused.append(error)
        return rows, refused

    def add(
        self,
        key: SeriesKey,
        bars: CandleSeries,
        *,
        source: str,
        now_ms: int,
        covered: Span | None = None,
        refused: int = 0,
    ) -> Stored:
        """Take in ``bars`` that ``source`` gave at ``now_ms``; what is stored already stays as it is.

        Bars that had not closed by then are left out, and so is every bar that has something wrong; ``refused`` counts
        those that the source had left out before. ``covered`` is the time that was asked for; without it, the time from
        the first to the last bar. Raises RequestError when another
        process holds the series for too long, FileRefused when the file there is not the store's.
        """
        if (bars.symbol, bars.step_ms, bars.kind) != (key.symbol, key.step_ms, key.kind):
            raise ValueError(f"bars of {bars.symbol} {bars.step_ms} do not belong into {key}")
        closed = bars.open_ms + bars.step_ms <= now_ms
        complete = bars.picked(closed)
        good = sound_rows(complete)
        sound = complete.picked(good)
        begin_ms, end_ms = covered or _span_of(sound)
        asked = Span(begin_ms, min(end_ms, now_ms // key.step_ms * key.step_ms))
        refused += int((~good).sum())
        with one_writer(self.path_of(key).parent):
            before = self.row_of(key)
            kept = self.read(key) if before else sound.picked(np.zeros(len(sound), np.bool_))
            assert kept is not None
            merged = merge(kept, sound)
            row = self._entry(key, merged.series, before, source, merged.added, refused, now_ms, asked)
            if row is not None and (before is None or merged.added or row.covered != before.covered or refused):
                self._write(row, merged.series)
        return Stored(
            row=row,
            added=merged.added,
            repeated=merged.repeated,
            refused=refused,
            unclosed=int((~closed).sum()),
            conflict_bars=merged.conflict_bars,
            conflicts=merged.conflicts,
        )

    def _entry(
        self,
        key: SeriesKey,
        series: CandleSeries,
        before: CatalogueRow | None,
        source: str,
        added: int,
        refused: int,
        now_ms: int,
        asked: Span,
    ) -> CatalogueRow | None:
        if not len(series):
            return None
        gaps, missing = gaps_of(series.open_ms, key.step_ms)
        return CatalogueRow(
            path=self.path_of(key),
            venue=key.venue,
            symbol=key.symbol,
            series=key.kind.value,
            step_ms=key.step_ms,
            rows=len(series),
            first_ms=int(series.open_ms[0]),
            last_ms=int(series.open_ms[-1]),
            gaps=gaps,
            missing_bars=missing,
            refused_rows=refused + (before.refused_rows if before else 0),
            sha256=digest(series),
            covered=joined([*(before.covered if before else ()), asked]),
            origins=with_origin(before.origins if before else (), source, added, now_ms),
        )

    @staticmethod
    def _write(row: CatalogueRow, series: CandleSeries) -> None:
        import pyarrow as pa

        names = COLUMNS[:-1] if series.kind is SeriesKind.MARK else COLUMNS
        table = pa.table(
            {
                "ts": pa.array(series.open_ms, pa.timestamp("ms", tz="UTC")),
                **{name: pa.array(getattr(series, name)) for name in names},
            }
        ).replace_schema_metadata({FOOTER_KEY: row.footer()})
        write_whole(row.path, table)


def _span_of(bars: CandleSeries) -> Span:
    """From the open of the first bar to the close of the last."""
    return Span(int(bars.open_ms[0]), int(bars.open_ms[-1]) + bars.step_ms) if len(bars) else Span(0, 0)

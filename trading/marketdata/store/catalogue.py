"""What the store holds, told by the files themselves: each carries its own entry in its Parquet footer.

An entry that lies in the file it speaks of is written with it or not at all, so there is no list that could be wrong.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from trading.domain.instants import duration_text, iso
from trading.marketdata.candles import CandleSeries
from trading.marketdata.columns import FileRefused
from trading.marketdata.store.spans import Span

FOOTER_KEY = b"tradefloor.candles"

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where bars came from, how many were new, and when the last of them were taken in."""

    source: str
    rows: int
    fetched_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """One stored series. ``first_ms`` and ``last_ms`` are the opens of its first and last bar.

    ``covered`` are the times that were asked for, whether or not there was a bar; ``refused_rows`` how many bars were
    left out because something was wrong with them; ``sha256`` is the digest of the bars.
    """

    path: Path
    venue: str
    symbol: str
    series: str
    step_ms: int
    rows: int
    first_ms: int
    last_ms: int
    gaps: int
    missing_bars: int
    refused_rows: int
    sha256: str
    covered: tuple[Span, ...]
    origins: tuple[Origin, ...]

    def footer(self) -> bytes:
        """The entry as it stands in its file."""
        entry = {
            "version": _VERSION,
            "venue": self.venue,
            "symbol": self.symbol,
            "series": self.series,
            "step_ms": self.step_ms,
            "rows": self.rows,
            "first_ms": self.first_ms,
            "last_ms": self.last_ms,
            "gaps": self.gaps,
            "missing_bars": self.missing_bars,
            "refused_rows": self.refused_rows,
            "sha256": self.sha256,
            "covered": [list(span) for span in self.covered],
            "origins": [
                {"source": each.source, "rows": each.rows, "fetched_ms": each.fetched_ms} for each in self.origins
            ],
        }
        return json.dumps(entry).encode()

    @classmethod
    def read(cls, path: Path) -> Self:
        """The entry of a stored file, without its bars. Raises FileRefused for one that the store did not write."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            footer = (pq.read_metadata(path).metadata or {}).get(FOOTER_KEY)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise FileRefused(path, "cannot be read as Parquet; take it out of the store and fetch it again") from error
        try:
            return cls._from_entry(path, json.loads(footer or b""))
        except (ValueError, KeyError, TypeError) as error:
            reason = "has no entry of the candle store; bring it in with `tradefloor data import`"
            raise FileRefused(path, reason) from error

    @classmethod
    def _from_entry(cls, path: Path, entry: dict[str, Any]) -> Self:
        if entry.pop("version") != _VERSION:
            raise ValueError("another version")
        covered = tuple(Span(int(begin), int(end)) for begin, end in entry.pop("covered"))
        origins = tuple(Origin(**each) for each in entry.pop("origins"))
        return cls(path=path, covered=covered, origins=origins, **entry)

    def to_json(self) -> dict[str, Any]:
        """The entry as ``data list --json`` prints it."""
        return {
            "path": str(self.path),
            "venue": self.venue,
            "instrument": self.symbol,
            "series": self.series,
            "timeframe": duration_text(self.step_ms),
            "rows": self.rows,
            "first": iso(self.first_ms),
            "last": iso(self.last_ms),
            "gaps": self.gaps,
            "missing_bars": self.missing_bars,
            "refused_rows": self.refused_rows,
            "sha256": self.sha256,
            "covered": [{"from": iso(span.begin_ms), "to": iso(span.end_ms)} for span in self.covered],
            "origins": [
                {"source": each.source, "rows": each.rows, "fetched_at": iso(each.fetched_ms)} for each in self.origins
            ],
        }


def with_origin(origins: tuple[Origin, ...], source: str, rows: int, fetched_ms: int) -> tuple[Origin, ...]:
    """The origins once ``source`` has given ``rows`` more; one entry a source."""
    before = next((each for each in origins if each.source == source), None)
    if before is None:
        return (*origins, Origin(source=source, rows=rows, fetched_ms=fetched_ms))
    after = Origin(source=source, rows=before.rows + rows, fetched_ms=fetched_ms)
    return tuple(after if each is before else each for each in origins)


def digest(series: CandleSeries) -> str:
    """SHA-256 of the bars: instants, prices and volumes, column by column, little-endian."""
    found = hashlib.sha256(f"{series.symbol}|{series.kind.value}|{series.step_ms}".encode())
    for column in (series.open_ms, series.open, series.high, series.low, series.close, series.volume):
        found.update(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).tobytes())
    return found.hexdigest()

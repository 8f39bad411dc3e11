"""What the tick store holds, told by each file in its own footer, as candles have it."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from trading.domain.instants import iso
from trading.marketdata.columns import FileRefused
from trading.marketdata.store.catalogue import Origin
from trading.marketdata.store.spans import Span
from trading.marketdata.ticks.kinds import TickKind, Ticks

FOOTER_KEY = b"tradefloor.ticks"

_VERSION = 1
_NAME = re.compile(rf"(?:{'|'.join(TickKind)})-\d{{4}}(?:-\d\d-\d\d)?\.parquet")


def is_tick_name(path: Path) -> bool:
    """Whether the file is named as one of the tick store: ``trades-2024-08-08.parquet``, ``funding-2024.parquet``."""
    return _NAME.fullmatch(path.name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TickRow:
    """One stored file. ``period`` is its day or year (UTC), ``covered`` the times in which no tick was missed.

    ``refused_rows`` is how many rows were left out because something was wrong with them.
    """

    path: Path
    venue: str
    symbol: str
    kind: TickKind
    period: str
    rows: int
    first_ms: int
    last_ms: int
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
            "kind": self.kind.value,
            "period": self.period,
            "rows": self.rows,
            "first_ms": self.first_ms,
            "last_ms": self.last_ms,
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
        """The entry of a stored file, without its rows. Raises FileRefused for one that the store did not write."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            footer = (pq.read_metadata(path).metadata or {}).get(FOOTER_KEY)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise FileRefused(path, "cannot be read as Parquet; take it out of the store") from error
        try:
            entry = json.loads(footer or b"")
            if entry.pop("version") != _VERSION:
                raise ValueError("another version")
            covered = tuple(Span(int(begin), int(end)) for begin, end in entry.pop("covered"))
            origins = tuple(Origin(**each) for each in entry.pop("origins"))
            kind = TickKind(entry.pop("kind"))
            return cls(path=path, kind=kind, covered=covered, origins=origins, **entry)
        except (ValueError, KeyError, TypeError) as error:
            reason = "has no entry of the tick store; bring it in with `tradefloor data import`"
            raise FileRefused(path, reason) from error

    def to_json(self) -> dict[str, Any]:
        """The entry as ``data list --json`` prints it."""
        return {
            "path": str(self.path),
            "venue": self.venue,
            "instrument": self.symbol,
            "series": self.kind.value,
            "period": self.period,
            "rows": self.rows,
            "first": iso(self.first_ms),
            "last": iso(self.last_ms),
            "refused_rows": self.refused_rows,
            "sha256": self.sha256,
            "covered": [{"from": iso(span.begin_ms), "to": iso(span.end_ms)} for span in self.covered],
            "origins": [
                {"source": each.source, "rows": each.rows, "fetched_at": iso(each.fetched_ms)} for each in self.origins
            ],
        }


def digest(ticks: Ticks) -> str:
    """SHA-256 of the rows, column by column, little-endian; texts one a line."""
    found = hashlib.sha256(ticks.kind.value.encode())
    found.update(ticks.ts_ms.astype("<i8").tobytes())
    for name, column in ticks.columns.items():
        found.update(name.encode())
        if column.dtype == object:
            found.update("\n".join(map(str, column.tolist())).encode())
        else:
            found.update(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).tobytes())
    return found.hexdigest()

"""Candle files as others write them: freqtrade's feather, JSON and Parquet, exchange dumps, and tables with a header.

The format is told by the ending and the columns, instrument and timeframe by the file's name unless they are given.
What was read is a series like any other: it is checked before anything is done with it.
"""

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from trading.domain.errors import DataError
from trading.domain.instants import duration_ms
from trading.marketdata.candles import CandleSeries
from trading.marketdata.columns import FileRefused, strict_columns
from trading.marketdata.naming import SeriesKind, parse_candle_name
from trading.marketdata.store.merge import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".parquet", ".csv", ".feather", ".json", ".json.gz")

_TIMES = ("ts", "date", "datetime", "timestamp", "time", "open_time", "opentime", "open time", "unix")
_FREQTRADE = re.compile(
    r"(?P<base>[A-Z0-9]{1,20})_(?P<quote>[A-Z0-9]{2,10})(?P<settle>_[A-Z0-9]{2,10})?"
    r"-(?P<timeframe>[1-9]\d{0,5}[smhdw])(?:-(?P<kind>spot|futures|mark))?"
)
_DUMP = re.compile(r"(?P<pair>[A-Z0-9]{5,20})-(?P<timeframe>[1-9]\d{0,5}[smhdw])-\d{4}-\d{2}(?:-\d{2})?")
_DUMP_WIDTH = 12
_QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USD", "EUR", "TRY", "BTC", "ETH", "BNB")
# How many of these make a millisecond; an instant of this century has this many digits or fewer in each.
_UNITS: Mapping[int, float] = MappingProxyType({11: 1e-3, 14: 1.0, 17: 1e3, 20: 1e6})
_KINDS_OF_FOLDER = frozenset({"futures", "spot", "data", "candles"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFile:
    """What was read: its format in words, the folder that may name its venue, and its bars, unchecked."""

    path: Path
    format: str
    folder: str
    series: CandleSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What a file's name says; None where it does not."""

    symbol: str | None
    step_ms: int | None
    kind: SeriesKind = SeriesKind.CANDLES
    writer: str = ""


def is_foreign_name(path: Path) -> bool:
    """Whether the file has an ending that can be read."""
    return path.name.lower().endswith(SUFFIXES)


def is_exchange(name: str) -> bool:
    """Whether ccxt knows an exchange of this id."""
    import ccxt  # a quarter of a second to import

    return name in ccxt.exchanges


def read_foreign(path: Path, *, symbol: str | None = None, step_ms: int | None = None) -> ForeignFile:
    """The candles of a Parquet, CSV, feather or JSON file. ``symbol`` and ``step_ms`` overrule its name.

    A table has a column of instants (``ts``, ``date``, ``timestamp``, ``open_time`` ...; numbers are seconds, milli-,
    micro- or nanoseconds since 1970 by their size) and ``open, high, low, close, volume``; others are left out. JSON is
    a list of ``[ms, open, high, low, close, volume]``. Raises FileRefused.
    """
    if not path.is_file():
        raise FileRefused(path, "there is no such file; check the path")
    named = _named(path)
    symbol, step_ms = symbol or named.symbol, step_ms or named.step_ms
    if symbol is None or step_ms is None:
        missing = "--instrument" if symbol is None else "--timeframe"
        raise FileRefused(path, f"its name does not say what it holds; give {missing}")
    table, form = _table(path)
    names = COLUMNS[:-1] if named.kind is SeriesKind.MARK else COLUMNS
    columns = strict_columns(path, _canonical(path, table, names), names)
    numbers = columns.numbers
    series = CandleSeries(
        symbol=symbol,
        step_ms=step_ms,
        kind=named.kind,
        open_ms=columns.ts_ms,
        open=numbers["open"],
        high=numbers["high"],
        low=numbers["low"],
        close=numbers["close"],
        volume=numbers.get("volume", np.full(len(columns.ts_ms), np.nan)),
    )
    folder = next((each.name for each in path.resolve().parents if each.name not in _KINDS_OF_FOLDER), "")
    return ForeignFile(path=path, format=f"{named.writer} {form}".strip(), folder=folder, series=series)


def _named(path: Path) -> _Named:
    try:
        own = parse_candle_name(path)
    except DataError:
        stem = path.name.split(".", 1)[0]
        if found := _FREQTRADE.fullmatch(stem):
            perpetual = "-PERP" if found["settle"] else ""
            return _Named(
                symbol=f"{found['base']}-{found['quote']}{perpetual}",
                step_ms=duration_ms(found["timeframe"]),
                kind=SeriesKind.MARK if found["kind"] == "mark" else SeriesKind.CANDLES,
                writer="freqtrade",
            )
        if found := _DUMP.fullmatch(stem):
            return _Named(symbol=_split(found["pair"]), step_ms=duration_ms(found["timeframe"]), writer="exchange")
        return _Named(symbol=None, step_ms=None)
    return _Named(symbol=own.symbol, step_ms=own.step_ms, kind=own.series)


def _split(pair: str) -> str | None:
    """``BTCUSDT`` as ``BTC-USDT``, None where it could be cut in more than one place or none."""
    found = [f"{pair.removesuffix(quote)}-{quote}" for quote in _QUOTES if pair.endswith(quote) and pair != quote]
    return found[0] if found else None


def _table(path: Path) -> tuple["pa.Table", str]:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import feather

    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            with pq.ParquetFile(path) as file:
                return file.read(use_threads=False), "Parquet"
        if name.endswith(".feather"):
            return feather.read_table(path, memory_map=False, use_threads=False), "feather"
        if name.endswith(".csv"):
            return _csv_table(path)
        if name.endswith((".json", ".json.gz")):
            return _json_table(path), "JSON"
    except (OSError, ValueError, EOFError, pa.ArrowException) as error:
        first = str(error).strip().split("\n", 1)[0].rstrip(".")
        raise FileRefused(path, f"cannot be read ({first}); check that it is whole") from error
    raise FileRefused(path, f"has the ending {path.suffix!r}, expected one of {', '.join(SUFFIXES)}")


def _csv_table(path: Path) -> tuple["pa.Table", str]:
    """Every cell as text. A dump of an exchange has no header: its first cell is an instant."""
    import pyarrow as pa
    from pyarrow import csv

    with path.open(encoding="utf-8-sig") as file:
        header = [cell.strip().strip('"') for cell in file.readline().rstrip("\r\n").split(",")]
    bare = header[0].isdigit()
    if bare:
        width = len(header)
        if width not in {len(COLUMNS) + 1, _DUMP_WIDTH}:
            raise FileRefused(path, f"has no header and {width} columns, expected {len(COLUMNS) + 1} or {_DUMP_WIDTH}")
        header = ["ts", *COLUMNS, *(f"other {number}" for number in range(width - len(COLUMNS) - 1))]
    table = csv.read_csv(
        path,
        read_options=csv.ReadOptions(use_threads=False, column_names=header, skip_rows=0 if bare else 1),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )
    return table, "CSV"


def _json_table(path: Path) -> "pa.Table":
    """``[[ms, open, high, low, close, volume], ...]``."""
    import pyarrow as pa

    raw = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    rows: Any = json.loads(raw)
    width = len(COLUMNS) + 1
    if not isinstance(rows, list):
        raise FileRefused(path, f"holds {type(rows).__name__}, expected a list of candles")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            raise FileRefused(path, f"is not [ms, {', '.join(COLUMNS)}]", number)
        if not all(cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)) for cell in row):
            raise FileRefused(path, "holds something that is not a number", number)
        if not isinstance(row[0], int):
            raise FileRefused(path, f"ts {row[0]!r} is not a whole number of milliseconds since 1970", number)
    cells: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * width
    columns = {"ts": pa.array(cells[0], pa.int64())}
    return pa.table(columns | {name: pa.array(cells[at + 1], pa.float64()) for at, name in enumerate(COLUMNS)})


def _canonical(path: Path, table: "pa.Table", names: Sequence[str]) -> "pa.Table":
    """The column of instants and those of ``names``, under the names that our own files have."""
    import pyarrow as pa

    lower = [name.strip().lower() for name in table.column_names]
    time = next((each for each in _TIMES if each in lower), None)
    lacking = [name for name in names if name not in lower]
    if time is None or lacking:
        wanted = lacking[0] if lacking else " or ".join(_TIMES[:4])
        raise FileRefused(path, f"column {wanted!r} is missing; found {', '.join(map(repr, table.column_names))}")
    instants = _as_instants(path, table.column(lower.index(time)))
    return pa.table({"ts": instants, **{name: table.column(lower.index(name)) for name in names}})


def _as_instants(path: Path, column: "pa.ChunkedArray[Any]") -> "pa.ChunkedArray[Any]":
    """Numbers as instants, by their size; whatever else it is stays for the strict reader."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type) and len(column) and str(column[0].as_py() or "").isdigit():
        try:
            column = column.cast(pa.int64())
        except pa.ArrowException:
            return column
    if not pa.types.is_integer(column.type) or not len(column) or column.null_count:
        return column
    largest = int(pc.max(column).as_py())
    per_ms = next((unit for digits, unit in _UNITS.items() if len(str(abs(largest))) < digits), 1.0)
    if per_ms < 1:
        return pc.multiply(column, round(1 / per_ms)).cast(pa.timestamp("ms"))
    target = {1.0: pa.timestamp("ms"), 1e3: pa.timestamp("us"), 1e6: pa.timestamp("ns")}[per_ms]
    return column.cast(pa.int64()).cast(target)

"""Columns of a file: one of instants and some of numbers, read strictly from Parquet or CSV.

Strict means that a file is read as it was meant or refused: nothing is guessed, dropped, sorted or filled. What the
values say (order, prices, gaps) is judged later, by :mod:`trading.marketdata.quality`.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from trading.domain.errors import DataError
from trading.marketdata.tape import FloatArray, IntArray

if TYPE_CHECKING:
    import pyarrow as pa

_Number = TypeVar("_Number", bound=np.generic)

_TIME = "ts"
_EPOCH_TEXT = re.compile(r"-?\d+")
_ZONED_TEXT = re.compile(r".*\d(?:Z|[+-]\d\d(?::?\d\d)?)", re.DOTALL)
_DATE_LENGTH = len("2025-10-17")
# Outside these years a number of milliseconds is one of seconds, microseconds or nanoseconds.
_EARLIEST_MS = 31_536_000_000  # 1971
_LATEST_MS = 7_258_118_400_000  # 2200


class FileRefused(DataError):
    """A data file that cannot be used. ``row`` counts data rows from 0 and is None where the whole file is meant."""

    def __init__(self, path: Path, reason: str, row: int | None = None) -> None:
        super().__init__(f"{path}: {reason}" if row is None else f"{path}, row {row}: {reason}")
        self.path = path
        self.reason = reason
        self.row = row


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The rows of a file in its own order: ``ts_ms`` and each column of numbers have shape (rows,)."""

    ts_ms: IntArray
    numbers: Mapping[str, FloatArray]


def read_columns(path: Path, numbers: Sequence[str]) -> Columns:
    """The column ``ts`` and the columns ``numbers`` of a Parquet or CSV file that has these and no others.

    ``ts`` becomes milliseconds since 1970. In Parquet it is a timestamp of any unit, UTC where it has no zone. In CSV
    it is ISO 8601 text (UTC where it has no zone) or whole milliseconds since 1970, in one form from top to bottom.
    An instant finer than a millisecond is refused. Numbers are integers or floats; an empty cell becomes NaN.
    The order of the columns does not matter. Raises FileRefused.
    """
    return strict_columns(path, read_table(path, (_TIME, *numbers)), numbers)


def read_table(path: Path, needed: Sequence[str], allowed: Sequence[str] = ()) -> "pa.Table":
    """The table of a Parquet or CSV file that has the columns ``needed``, some of those ``allowed``, and no others.

    Cells of CSV are text, None where empty. Raises FileRefused.
    """
    if not path.is_file():
        raise FileRefused(path, "there is no such file; check the path")
    if path.suffix == ".parquet":
        table = _read_parquet(path, needed, allowed)
    elif path.suffix == ".csv":
        table = _read_csv(path, needed, allowed)
    else:
        raise FileRefused(path, f"has the ending {path.suffix!r}, expected .parquet or .csv")
    _refuse_empty(path, table)
    return table


def strict_columns(path: Path, table: "pa.Table", numbers: Sequence[str]) -> Columns:
    """The columns ``ts`` and ``numbers`` of a table that was read from ``path``, by the rules of :func:`read_columns`.

    Cells may be text where the file is one of text.
    """
    _refuse_empty(path, table)
    return Columns(
        ts_ms=strict_instants(path, table, _TIME),
        numbers={name: _floats(path, name, _column(table, name)) for name in numbers},
    )


def strict_instants(path: Path, table: "pa.Table", name: str) -> IntArray:
    """A column of instants, milliseconds since 1970, by the rules of :func:`read_columns`. Raises FileRefused."""
    found = _instants(path, name, _column(table, name))
    beyond = np.flatnonzero((found < _EARLIEST_MS) | (found >= _LATEST_MS))
    if beyond.size:
        row = int(beyond[0])
        raise FileRefused(path, f"{name} is {found[row]} ms since 1970, expected a year from 1971 to 2199", row)
    return found


def strict_texts(path: Path, table: "pa.Table", name: str, longest: int) -> list[str]:
    """A column of texts, none of them empty or longer than ``longest`` characters. Raises FileRefused."""
    import pyarrow as pa

    kind = table.schema.field(name).type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise FileRefused(path, f"column {name!r} has type {kind}, expected text")
    try:
        texts: list[str | None] = table.column(name).to_pylist()
    except UnicodeDecodeError as error:
        raise FileRefused(path, f"column {name!r} is not UTF-8 ({_first_line(error)})") from error
    for row, text in enumerate(texts):
        if text is None or not text.strip():
            raise FileRefused(path, f"{name} is empty, expected text", row)
        if len(text) > longest:
            raise FileRefused(path, f"{name} has {len(text)} characters, expected {longest} at most", row)
    return [str(text) for text in texts]


def _refuse_empty(path: Path, table: "pa.Table") -> None:
    if not table.num_rows:
        raise FileRefused(path, "is empty: it has no rows, expected at least one")


def _read_parquet(path: Path, needed: Sequence[str], allowed: Sequence[str]) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _check_names(path, file.schema_arrow.names, needed, allowed)
            return file.read(use_threads=False)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FileRefused(path, f"cannot be read as Parquet ({_first_line(error)}); write it again") from error


def _read_csv(path: Path, needed: Sequence[str], allowed: Sequence[str]) -> "pa.Table":
    """Every cell as text, so that what is refused can be named by row."""
    import pyarrow as pa
    from pyarrow import csv

    ragged: list[csv.InvalidRow] = []

    def keep(row: csv.InvalidRow) -> Literal["skip"]:
        ragged.append(row)
        return "skip"

    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False),
            parse_options=csv.ParseOptions(invalid_row_handler=keep),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys((*needed, *allowed), pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FileRefused(path, f"cannot be read as CSV ({_first_line(error)}); write it again") from error
    _check_names(path, table.column_names, needed, allowed)
    if ragged:
        row = None if ragged[0].number is None else ragged[0].number - 2  # counts from 1 and includes the header
        raise FileRefused(path, f"has {ragged[0].actual_columns} cells, expected {ragged[0].expected_columns}", row)
    return table


def _check_names(path: Path, found: Sequence[str], needed: Sequence[str], allowed: Sequence[str]) -> None:
    wanted = f"expected {', '.join(needed)}"
    if allowed:
        wanted += f", and if need be {', '.join(allowed)}"
    for name in needed:
        if name not in found:
            raise FileRefused(path, f"column {name!r} is missing; {wanted}, found {', '.join(map(repr, found))}")
    for name in found:
        if name not in needed and name not in allowed:
            raise FileRefused(path, f"unknown column {name!r}; {wanted} and nothing else")
    if len(found) != len(set(found)):
        raise FileRefused(path, f"a column stands twice: {', '.join(found)}; {wanted}")


def _instants(path: Path, name: str, column: "pa.Array[Any]") -> IntArray:
    import pyarrow as pa

    if column.null_count:
        row = int(np.flatnonzero(_nulls(column))[0])
        raise FileRefused(path, f"{name} is empty, expected an instant", row)
    if pa.types.is_timestamp(column.type):
        target = pa.timestamp("ms", tz=column.type.tz)
        expected = "expected an instant of whole milliseconds"
        return _to_int64(_cast(path, column, target, f"{name} {{}} is finer than a millisecond, {expected}"))
    if path.suffix == ".csv":
        return _instants_from_text(path, name, column)
    raise FileRefused(path, f"column {name!r} has type {column.type}, expected a timestamp")


def _instants_from_text(path: Path, name: str, column: "pa.Array[Any]") -> IntArray:
    import pyarrow as pa

    first = str(column[0].as_py())
    if _EPOCH_TEXT.fullmatch(first):
        reason = f"{name} {{!r}} is not a whole number of milliseconds since 1970"
        return _to_int64(_cast(path, column, pa.int64(), reason))
    zoned = len(first) > _DATE_LENGTH and _ZONED_TEXT.fullmatch(first) is not None
    form = "ISO 8601 text with a zone" if zoned else "ISO 8601 text without a zone"
    reason = f"{name} {{!r}} is not {form}; write {name} in one form, such as 2025-10-17T00:00:00Z"
    micros = _to_int64(_cast(path, column, pa.timestamp("us", tz="UTC" if zoned else None), reason))
    fine = np.flatnonzero(micros % 1000)
    if fine.size:
        row = int(fine[0])
        raise FileRefused(path, f"{name} {column[row].as_py()!r} is finer than a millisecond", row)
    return micros // 1000


def _floats(path: Path, name: str, column: "pa.Array[Any]") -> FloatArray:
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or path.suffix == ".csv"):
        raise FileRefused(path, f"column {name!r} has type {kind}, expected a number")
    numbers = _cast(path, column, pa.float64(), f"{name} {{!r}} is not a number")
    values: FloatArray = _memory(numbers, np.dtype(np.float64))
    if numbers.null_count:
        values = np.where(_nulls(numbers), np.nan, values)
    return values


def _cast(path: Path, column: "pa.Array[Any]", target: "pa.DataType", reason: str) -> "pa.Array[Any]":
    """``column`` as ``target``; where a cell does not fit, the first such row is refused with ``reason``."""
    import pyarrow as pa

    def fails(end: int) -> bool:
        try:
            column.slice(0, end).cast(target)
        except pa.ArrowException:
            return True
        return False

    try:
        return column.cast(target)
    except pa.ArrowException:
        row = _first(len(column), fails)
        raise FileRefused(path, reason.format(column[row].as_py()), row) from None


def _first(rows: int, fails: Callable[[int], bool]) -> int:
    """The first row with which a column no longer converts, found by halving."""
    return bisect_left(range(rows), True, key=lambda row: fails(row + 1))


def _column(table: "pa.Table", name: str) -> "pa.Array[Any]":
    import pyarrow as pa

    return pa.concat_arrays(table.column(name).chunks)


def _to_int64(column: "pa.Array[Any]") -> IntArray:
    return _memory(column, np.dtype(np.int64))


def _nulls(column: "pa.Array[Any]") -> NDArray[np.bool_]:
    import pyarrow as pa

    return _memory(column.is_null().cast(pa.int8()), np.dtype(np.int8)).astype(np.bool_)


def _memory(column: "pa.Array[Any]", dtype: np.dtype[_Number]) -> NDArray[_Number]:
    """The cells of a column as they lie in memory: pyarrow's own conversion would import pandas for it."""
    buffer = column.buffers()[1]
    if buffer is None:
        return np.zeros(len(column), dtype)
    return np.frombuffer(memoryview(buffer), dtype, count=len(column), offset=column.offset * dtype.itemsize)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0].rstrip(".")

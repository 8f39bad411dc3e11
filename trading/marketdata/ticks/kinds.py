"""What ticks there are, the columns of each kind, and which rows of them are sound."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from trading.marketdata.books.book import DEPTHS
from trading.marketdata.tape import FloatArray, IntArray

DEEPER = tuple(f"{side}_size_{levels}" for levels in DEPTHS[1:] for side in ("bid", "ask"))
"""Size of the best 5, 10 and 20 levels of a side together; NaN where only the best level is known."""

_EARLIEST_MS, _LATEST_MS = 31_536_000_000, 7_258_118_400_000  # 1971 to 2199


class TickKind(StrEnum):
    """Public trades, best bid and ask, changes of a book's levels, settled funding, and open interest."""

    TRADES = "trades"
    BBO = "bbo"
    L2 = "l2"
    FUNDING = "funding"
    OPEN_INTEREST = "open-interest"

    @property
    def by_year(self) -> bool:
        """Whether a file holds a year, as there are few rows; other kinds have a file a day (UTC)."""
        return self in {TickKind.FUNDING, TickKind.OPEN_INTEREST}


COLUMNS: Mapping[TickKind, Mapping[str, str]] = MappingProxyType(
    {
        TickKind.TRADES: {"price": "f8", "quantity": "f8", "sign": "i1", "trade_id": "O"},
        TickKind.BBO: {"bid": "f8", "bid_size": "f8", "ask": "f8", "ask_size": "f8"} | dict.fromkeys(DEEPER, "f8"),
        TickKind.L2: {"update_id": "i8", "snapshot": "i1", "side": "i1", "price": "f8", "quantity": "f8"},
        TickKind.FUNDING: {"rate": "f8"},
        TickKind.OPEN_INTEREST: {"base": "f8"},
    }
)
"""The columns of each kind beside ``ts``, with numpy's types.

``sign`` is +1 where the buyer took, -1 where the seller did, 0 where it was not said; ``trade_id`` is text, empty where
the venue gives none. ``side`` is +1 bid, -1 ask; ``quantity`` of a level is absolute and 0 takes it away; rows of one
``update_id`` belong together, and those with ``snapshot`` 1 are a whole book. Quantities are in base units.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """Rows of one kind in order of time: ``ts_ms`` by the venue's clock and each column have shape (rows,)."""

    kind: TickKind
    ts_ms: IntArray
    columns: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        if set(self.columns) != set(COLUMNS[self.kind]):
            raise ValueError(f"{self.kind} have the columns {', '.join(COLUMNS[self.kind])}")

    def __len__(self) -> int:
        return len(self.ts_ms)

    def __getitem__(self, column: str) -> NDArray[Any]:
        return self.columns[column]

    def picked(self, rows: Any) -> Self:
        """Some rows: a mask, positions or a slice."""
        return type(self)(
            kind=self.kind,
            ts_ms=self.ts_ms[rows],
            columns={name: column[rows] for name, column in self.columns.items()},
        )

    def between(self, begin_ms: int, end_ms: int) -> Self:
        """The rows of ``begin_ms <= ts < end_ms``."""
        first, last = np.searchsorted(self.ts_ms, [begin_ms, end_ms], side="left")
        return self.picked(slice(int(first), int(last)))


def ticks_of(kind: TickKind, ts_ms: Any, columns: Mapping[str, Any]) -> Ticks:
    """Ticks from anything numpy can make arrays of, put in order of time; rows of one instant keep their order."""
    instants = np.asarray(ts_ms, np.int64)
    order = np.argsort(instants, kind="stable")
    typed = {name: np.asarray(columns[name], dtype)[order] for name, dtype in COLUMNS[kind].items()}
    return Ticks(kind=kind, ts_ms=instants[order], columns=typed)


def appended(first: Ticks, second: Ticks) -> Ticks:
    """The rows of ``first``, then those of ``second``."""
    return Ticks(
        kind=first.kind,
        ts_ms=np.concatenate([first.ts_ms, second.ts_ms]),
        columns={name: np.concatenate([first[name], second[name]]) for name in COLUMNS[first.kind]},
    )


def no_ticks(kind: TickKind) -> Ticks:
    """No rows."""
    return ticks_of(kind, (), dict.fromkeys(COLUMNS[kind], ()))


def sound_ticks(ticks: Ticks) -> NDArray[np.bool_]:
    """Which rows are sound: instants of this age, prices above zero, quantities that are some, no crossed quote."""
    good = (ticks.ts_ms >= _EARLIEST_MS) & (ticks.ts_ms < _LATEST_MS)
    match ticks.kind:
        case TickKind.TRADES:
            good &= _above_zero(ticks["price"]) & _above_zero(ticks["quantity"]) & (np.abs(ticks["sign"]) <= 1)
        case TickKind.BBO:
            good &= _above_zero(ticks["bid"]) & _above_zero(ticks["ask"]) & (ticks["bid"] < ticks["ask"])
            good &= _above_zero(ticks["bid_size"]) & _above_zero(ticks["ask_size"])
            for name in DEEPER:
                good &= np.isnan(ticks[name]) | _above_zero(ticks[name])
        case TickKind.L2:
            good &= _above_zero(ticks["price"]) & np.isfinite(ticks["quantity"]) & (ticks["quantity"] >= 0)
            good &= np.abs(ticks["side"]) == 1
        case TickKind.FUNDING:
            good &= np.isfinite(ticks["rate"]) & (np.abs(ticks["rate"]) < 1)
        case TickKind.OPEN_INTEREST:
            good &= _above_zero(ticks["base"])
    return good


def repeated_rows(kept: Ticks, arriving: Ticks) -> NDArray[np.bool_]:
    """Which rows of ``arriving`` are in ``kept`` already, as often as they come.

    Trades are known by their id where they have one; a book may well return to what it was, so that equal quotes of one
    instant count as many times as they came.
    """
    found = np.zeros(len(arriving), np.bool_)
    if not len(arriving):
        return found
    there = Counter(_row_keys(kept.between(int(arriving.ts_ms[0]), int(arriving.ts_ms[-1]) + 1)))
    for row, key in enumerate(_row_keys(arriving)):
        if there[key] > 0:
            found[row] = True
            if not isinstance(key, str):
                there[key] -= 1
        elif isinstance(key, str):
            there[key] = 1
    return found


def _row_keys(ticks: Ticks) -> list[Any]:
    columns = [
        np.nan_to_num(column, nan=-1.0) if column.dtype.kind == "f" else column for column in ticks.columns.values()
    ]
    rows = list(zip(ticks.ts_ms.tolist(), *(column.tolist() for column in columns), strict=True))
    if ticks.kind is TickKind.TRADES:
        return [name or row for name, row in zip(ticks["trade_id"].tolist(), rows, strict=True)]
    return rows


def _above_zero(values: FloatArray) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.isfinite(values) & (values > 0)
    return found

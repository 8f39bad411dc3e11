"""Recordings of a venue's websocket as ticks: files of trades, of best bid and ask, of level changes, of funding.

The format is that of the public recordings of Binance that circulate as Parquet: ``trade_ts_ms, trade_id, price, qty,
buyer_is_maker``; ``event_ts_ms, update_id, bid_price, bid_qty, ask_price, ask_qty``; and what
:func:`trading.marketdata.books.read_recording` reads. The name says which: ``BTC-USDT-20240808-trades.parquet``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trading.marketdata.books.recording import read_recording
from trading.marketdata.columns import FileRefused
from trading.marketdata.funding import read_funding
from trading.marketdata.naming import is_funding_name
from trading.marketdata.store.spans import Span
from trading.marketdata.tape import IntArray
from trading.marketdata.ticks.kinds import DEEPER, TickKind, Ticks, ticks_of

_NAME = re.compile(
    r"(?P<symbol>[A-Z0-9]{1,20}-[A-Z0-9]{2,10}(?:-PERP)?)-(?P<date>\d{8})-(?P<kind>trades|bbo|l2)\.parquet"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTicks:
    """What a file holds, unchecked, and from when to when it speaks. ``refused`` rows have no instant to stand at."""

    path: Path
    symbol: str
    ticks: Ticks
    covered: Span
    refused: int = 0


def is_recorded_name(path: Path) -> bool:
    """Whether the file is named as a recording of ticks or as one of funding rates."""
    return _NAME.fullmatch(path.name) is not None or is_funding_name(path)


def read_recorded(path: Path) -> RecordedTicks:
    """The ticks of a recording. Raises DataError for what is no such file.

    Where the venue gives its best bid and ask no time, as Binance does not on spot, a row takes that of the first
    change of the book in the ``-l2`` file beside it that holds its update: never earlier than it was. Without that
    file such rows are refused, as a recorder's own clock may run behind the venue's.
    """
    if not path.is_file():
        raise FileRefused(path, "there is no such file; check the path")
    if is_funding_name(path):
        symbol, rates = read_funding(path)
        ticks = ticks_of(TickKind.FUNDING, rates.ts_ms, {"rate": rates.rate})
        return RecordedTicks(path=path, symbol=symbol, ticks=ticks, covered=_span(ticks))
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise FileRefused(path, "expected <BASE>-<QUOTE>[-PERP]-<date>-trades, -bbo or -l2.parquet")
    kind = TickKind(named["kind"])
    ticks, refused = _READERS[kind](path)
    if not len(ticks):
        raise FileRefused(
            path, "has no row with an instant of the venue's; put the -l2 file of the recording beside it"
        )
    return RecordedTicks(path=path, symbol=named["symbol"], ticks=ticks, covered=_span(ticks), refused=refused)


def _span(ticks: Ticks) -> Span:
    return Span(int(ticks.ts_ms[0]), int(ticks.ts_ms[-1]))


def _trades(path: Path) -> tuple[Ticks, int]:
    rows = _columns(path, {"trade_ts_ms": "i8", "trade_id": "O", "price": "f8", "qty": "f8", "buyer_is_maker": "?"})
    columns = {
        "price": rows["price"],
        "quantity": rows["qty"],
        "sign": np.where(rows["buyer_is_maker"], -1, 1),
        "trade_id": np.array([str(each) for each in rows["trade_id"].tolist()], object),
    }
    return ticks_of(TickKind.TRADES, rows["trade_ts_ms"], columns), 0


def _bbo(path: Path) -> tuple[Ticks, int]:
    rows = _columns(
        path,
        {
            "event_ts_ms": "i8",
            "update_id": "i8",
            "bid_price": "f8",
            "bid_qty": "f8",
            "ask_price": "f8",
            "ask_qty": "f8",
        },
    )
    ts_ms = _timed(path, rows["event_ts_ms"], rows["update_id"])
    known = ts_ms > 0
    unknown = np.full(int(known.sum()), np.nan)
    columns = {
        "bid": rows["bid_price"][known],
        "bid_size": rows["bid_qty"][known],
        "ask": rows["ask_price"][known],
        "ask_size": rows["ask_qty"][known],
        **dict.fromkeys(DEEPER, unknown),
    }
    return ticks_of(TickKind.BBO, ts_ms[known], columns), int((~known).sum())


def _timed(path: Path, ts_ms: IntArray, update_id: IntArray) -> IntArray:
    """Instants of the venue, 0 where there is none."""
    beside = path.with_name(path.name.replace("-bbo.", "-l2."))
    if ts_ms.min(initial=1) > 0 or not beside.is_file():
        return np.maximum(ts_ms, 0)
    book = _columns(beside, {"event_ts_ms": "i8", "final_update_id": "i8", "is_snapshot": "i8"})
    changes = book["is_snapshot"] != 1
    final, first = np.unique(book["final_update_id"][changes], return_index=True)
    place = np.searchsorted(final, update_id)
    at = np.append(book["event_ts_ms"][changes][first], 0)[place]
    found: IntArray = np.where(ts_ms > 0, ts_ms, at)
    return found


def _l2(path: Path) -> tuple[Ticks, int]:
    recording = read_recording(path)
    counts = np.diff(recording.ends, prepend=0)
    event_ms = recording.event_ms.copy()
    if len(event_ms) > 1:  # the snapshot was asked for, and speaks from the first change after it on
        event_ms[0] = event_ms[1]
    whole = np.zeros(len(counts), np.int8)
    whole[0] = 1
    columns = {
        "update_id": np.repeat(recording.update_id, counts),
        "snapshot": np.repeat(whole, counts),
        "side": recording.side,
        "price": recording.price,
        "quantity": recording.size,
    }
    return ticks_of(TickKind.L2, np.repeat(event_ms, counts), columns), 0


_READERS = {TickKind.TRADES: _trades, TickKind.BBO: _bbo, TickKind.L2: _l2}


def _columns(path: Path, wanted: Mapping[str, str]) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FileRefused(path, "cannot be read as Parquet; write it again") from error
    lacking = [name for name in wanted if name not in table.column_names]
    if lacking:
        raise FileRefused(path, f"column {lacking[0]!r} is missing; expected {', '.join(wanted)}")
    found = {}
    for name, dtype in wanted.items():
        column = table.column(name)
        if column.null_count:
            raise FileRefused(path, f"column {name!r} has empty cells")
        try:
            found[name] = np.asarray(column.to_numpy()).astype(dtype)
        except (TypeError, ValueError) as error:
            raise FileRefused(path, f"column {name!r} has type {column.type}") from error
    if not table.num_rows:
        raise FileRefused(path, "is empty: it has no rows, expected at least one")
    return found

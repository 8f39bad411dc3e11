"""Order books as a venue shows them: depth at an instant, and a recording that can be asked for any instant."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trading.domain.errors import DataError
from trading.marketdata.tape import FloatArray, IntArray

CHECKPOINT_ROWS = 4000
"""A copy of the book is kept each so many level changes, to start from."""

BID, ASK = 1, -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """Both sides of a book, best price first. Sizes are in base units; the arrays of a side have the same length."""

    bid_prices: FloatArray
    bid_sizes: FloatArray
    ask_prices: FloatArray
    ask_sizes: FloatArray

    @property
    def is_two_sided(self) -> bool:
        """Whether both sides show a price."""
        return bool(len(self.bid_prices) and len(self.ask_prices))

    @property
    def mid(self) -> float:
        """Halfway between the best prices; NaN without both."""
        return (float(self.bid_prices[0]) + float(self.ask_prices[0])) / 2 if self.is_two_sided else float("nan")

    @property
    def spread(self) -> float:
        """The best ask less the best bid; NaN without both."""
        return float(self.ask_prices[0]) - float(self.bid_prices[0]) if self.is_two_sided else float("nan")

    def side(self, sign: int) -> tuple[FloatArray, FloatArray]:
        """Prices and sizes that a buyer (``sign`` +1) or a seller (-1) takes from."""
        return (self.ask_prices, self.ask_sizes) if sign > 0 else (self.bid_prices, self.bid_sizes)

    def levels(self, sign: int, limit: float | None = None) -> Iterator[tuple[float, float]]:
        """Price and size of each level that a taker meets, best first, none beyond ``limit``."""
        for price, size in zip(*self.side(sign), strict=True):
            if limit is not None and (float(price) - limit) * sign > 0:
                return
            yield float(price), float(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """Public trades in time order; ``sold`` where the seller took, so that it hit a bid."""

    ts_ms: IntArray
    price: FloatArray
    size: FloatArray
    sold: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ts_ms)

    def between(self, from_ms: int, until_ms: int) -> "Trades":
        """Those of ``from_ms <= ts < until_ms``."""
        first, last = np.searchsorted(self.ts_ms, [from_ms, until_ms], side="left")
        cut = slice(int(first), int(last))
        return Trades(ts_ms=self.ts_ms[cut], price=self.price[cut], size=self.size[cut], sold=self.sold[cut])


class BookTape:
    """A recorded book of one instrument: changes of price levels (absolute sizes, 0 removes) and public trades.

    ``side`` is +1 for bids and -1 for asks; a row with ``snapshot`` starts the book anew. Times are milliseconds
    since 1970 by the exchange's clock, in order.
    """

    def __init__(
        self,
        *,
        ts_ms: IntArray,
        side: IntArray,
        price: FloatArray,
        size: FloatArray,
        snapshot: IntArray,
        trades: Trades,
    ) -> None:
        if len(ts_ms) and int(np.diff(ts_ms).min(initial=0)) < 0:
            raise DataError("a recorded book goes back in time")
        self.ts_ms, self.price, self.size = ts_ms, price, size
        self._side, self._snapshot = side, snapshot
        self.trades = trades
        self._tables: list[tuple[int, dict[float, float], dict[float, float]]] = []

    @property
    def start_ms(self) -> int:
        """The first instant at which the book is known."""
        return int(self.ts_ms[0]) if len(self.ts_ms) else 0

    @property
    def end_ms(self) -> int:
        """The last change."""
        return int(self.ts_ms[-1]) if len(self.ts_ms) else 0

    @property
    def sha256(self) -> str:
        """Digest of the recording."""
        digest = hashlib.sha256()
        trades = self.trades
        parts = (self.ts_ms, self._side, self.price, self.size, trades.ts_ms, trades.price, trades.size, trades.sold)
        for array in parts:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def covers(self, from_ms: int, until_ms: int) -> bool:
        """Whether the book is known from before the one instant to the other."""
        return bool(len(self.ts_ms)) and self.start_ms < from_ms and until_ms <= self.end_ms

    def reaches(self, open_ms: int, at_ms: int, close_ms: int, *, waits: bool) -> bool:
        """Whether an order that meets the bar at ``at_ms`` can be matched by the book; ``waits``: up to its close."""
        return self.covers(open_ms, close_ms)

    def joined_ms(self, side: int, price: float, from_ms: int) -> int | None:
        """When an order that rests from ``from_ms`` on may be said to have joined the queue of its level."""
        return from_ms

    def depth_at(self, ts_ms: int) -> Depth:
        """The book after every change up to the instant."""
        end = int(np.searchsorted(self.ts_ms, ts_ms, side="right"))
        at = max(0, bisect_right(self._checkpoints, end, key=lambda checkpoint: checkpoint[0]) - 1)
        row, bids, asks = self._checkpoints[at]
        bids, asks = dict(bids), dict(asks)
        self._apply(row, end, bids, asks)
        return Depth(**_sorted("bid", bids, reverse=True), **_sorted("ask", asks, reverse=False))

    def size_history(self, side: int, price: float, from_ms: int, until_ms: int) -> tuple[IntArray, FloatArray]:
        """When the size of one level changed in ``from_ms < ts <= until_ms``, and to what."""
        first, last = np.searchsorted(self.ts_ms, [from_ms, until_ms], side="right")
        cut = slice(int(first), int(last))
        mine = (self.price[cut] == price) & (self._side[cut] == side)
        return self.ts_ms[cut][mine], self.size[cut][mine]

    @cached_property
    def _checkpoints(self) -> list[tuple[int, dict[float, float], dict[float, float]]]:
        bids: dict[float, float] = {}
        asks: dict[float, float] = {}
        kept: list[tuple[int, dict[float, float], dict[float, float]]] = [(0, {}, {})]
        for row in range(0, len(self.ts_ms), CHECKPOINT_ROWS):
            end = min(len(self.ts_ms), row + CHECKPOINT_ROWS)
            self._apply(row, end, bids, asks)
            kept.append((end, dict(bids), dict(asks)))
        return kept

    def _apply(self, first: int, last: int, bids: dict[float, float], asks: dict[float, float]) -> None:
        rows = zip(
            self._side[first:last].tolist(),
            self.price[first:last].tolist(),
            self.size[first:last].tolist(),
            self._snapshot[first:last].tolist(),
            strict=True,
        )
        for side, price, size, fresh in rows:
            if fresh == 2:  # the first row of a snapshot
                bids.clear()
                asks.clear()
            book = bids if side > 0 else asks
            if size > 0:
                book[price] = size
            else:
                book.pop(price, None)


def _sorted(name: str, levels: dict[float, float], *, reverse: bool) -> dict[str, FloatArray]:
    prices = np.array(sorted(levels, reverse=reverse), dtype=np.float64)
    sizes = np.array([levels[price] for price in prices.tolist()], dtype=np.float64)
    return {f"{name}_prices": prices, f"{name}_sizes": sizes}


def load_book_tape(levels: Path, trades: Path) -> BookTape:
    """A recorded book from a file of level changes and one of trades (Parquet).

    The book starts with its first snapshot; changes that the snapshot holds already (by their final update id) and
    those before it are left out. Raises DataError for what is not such a file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        book = pq.read_table(levels)
        rows = {name: book[name].to_numpy() for name in book.column_names}
        printed = pq.read_table(trades)
        taken = {name: printed[name].to_numpy() for name in printed.column_names}
        fresh = rows["is_snapshot"] == 1
        starts = np.flatnonzero(fresh)
        if not len(starts):
            raise DataError(f"{levels}: holds no snapshot, so the book is not known at any instant")
        held = int(rows["final_update_id"][starts[0]])
        seen_ms = np.maximum.accumulate(rows["event_ts_ms"].astype(np.int64))
        # A change may have been heard before the snapshot that does not hold it: it belongs after it.
        newer = np.flatnonzero(~fresh & (rows["final_update_id"] > held))
        keep = np.concatenate([starts, newer])
        marks = np.where(fresh, 1, 0)
        marks[starts[0]] = 2
        order = np.argsort(taken["trade_ts_ms"], kind="stable")
        return BookTape(
            ts_ms=np.maximum.accumulate(seen_ms[keep]),
            side=rows["side"][keep].astype(np.int64),
            price=rows["price"][keep],
            size=rows["qty"][keep],
            snapshot=marks[keep],
            trades=Trades(
                ts_ms=taken["trade_ts_ms"][order].astype(np.int64),
                price=taken["price"][order],
                size=taken["qty"][order],
                sold=taken["buyer_is_maker"][order].astype(bool),
            ),
        )
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DataError(f"{levels}, {trades}: no recorded book ({type(error).__name__}: {error})") from error

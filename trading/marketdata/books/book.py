"""One order book: price levels of both sides, and what is read off them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.domain.errors import DataError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
SideArray = NDArray[np.int8]

BID = 1
ASK = -1
DEPTHS = (1, 5, 10, 20)
CAPACITY = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The best levels of a book whose sides both stand.

    ``microprice`` is the mid weighted by the opposite quantities, (bid * ask_size + ask * bid_size) / (bid_size +
    ask_size); ``imbalance`` is (bids - asks) / (bids + asks) in quantity over the best n levels, for each n of the
    depths the book was made with (Cartea, Jaimungal, Penalva, "Algorithmic and High-Frequency Trading", 2015, ch. 3).
    ``bids_within`` and ``asks_within`` are those quantities.
    """

    bid: float
    bid_size: float
    ask: float
    ask_size: float
    microprice: float
    imbalance: tuple[float, ...]
    bids_within: tuple[float, ...]
    asks_within: tuple[float, ...]

    @property
    def mid(self) -> float:
        """Half way between best bid and best ask."""
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tops:
    """The top after each of n messages, shape (n,), or (n, depths) over several; NaN where a side is empty."""

    bid: FloatArray
    bid_size: FloatArray
    ask: FloatArray
    ask_size: FloatArray
    microprice: FloatArray
    imbalance: FloatArray
    bids_within: FloatArray
    asks_within: FloatArray


class OrderBook:
    """Both sides of a book, kept sorted by a compiled kernel.

    Prices and quantities are float64 read from the venue's decimal text, so equal texts are equal levels. A side holds
    ``capacity`` levels; beyond that its worst level is dropped.
    """

    def __init__(self, *, depths: Sequence[int] = DEPTHS, capacity: int = CAPACITY) -> None:
        from trading.marketdata.books import kernel  # compiles, so it is loaded with the first book

        if list(depths) != sorted(set(depths)) or not depths or depths[0] < 1 or capacity < 1:
            raise ValueError(f"depths {depths} must ascend from at least 1, and capacity {capacity} be above 0")
        self._kernel = kernel
        self._depths = np.array(depths, dtype=np.int64)
        self._prices = np.zeros((2, capacity))
        self._sizes = np.zeros((2, capacity))
        self._count = np.zeros(2, dtype=np.int64)
        self._top = np.empty(kernel.TOP_FIELDS)
        self._within = np.empty((2, len(self._depths)))

    def clear(self) -> None:
        """Take away every level."""
        self._count[:] = 0

    def apply(self, side: SideArray, price: FloatArray, size: FloatArray) -> None:
        """Set levels in order; a ``size`` of 0 takes a level away. ``side`` is +1 for bids, -1 for asks.

        Arrays have one length. Raises DataError, with nothing applied, for a price that is not above zero, a size
        below zero, or what is not finite.
        """
        self._sound(side, price, size)
        self._kernel.set_levels(self._prices, self._sizes, self._count, side, price, size)

    def replay(self, side: SideArray, price: FloatArray, size: FloatArray, ends: IntArray) -> Tops:
        """Apply messages in one batch, and the top after each. Message i ends before row ``ends[i]``."""
        self._sound(side, price, size)
        if len(ends) and (np.diff(ends, prepend=0).min() < 0 or int(ends[-1]) != len(side)):
            raise DataError(f"message ends must rise to the {len(side)} rows given")
        tops = np.empty((len(ends), self._kernel.TOP_FIELDS))
        within = np.empty((len(ends), 2, len(self._depths)))
        self._kernel.replay_messages(
            self._prices, self._sizes, self._count, side, price, size, ends, self._depths, tops, within
        )
        bids, asks = within[:, 0], within[:, 1]
        return Tops(
            bid=tops[:, 0],
            bid_size=tops[:, 1],
            ask=tops[:, 2],
            ask_size=tops[:, 3],
            microprice=tops[:, 4],
            imbalance=(bids - asks) / (bids + asks),
            bids_within=bids,
            asks_within=asks,
        )

    def top(self) -> Top | None:
        """The best levels now; None while a side is empty."""
        if not self._count.all():
            return None
        self._kernel.write_top(self._prices, self._sizes, self._count, self._depths, self._top, self._within)
        bid, bid_size, ask, ask_size, microprice = self._top.tolist()
        bids, asks = self._within.tolist()
        return Top(
            bid=bid,
            bid_size=bid_size,
            ask=ask,
            ask_size=ask_size,
            microprice=microprice,
            imbalance=tuple((one - other) / (one + other) for one, other in zip(bids, asks, strict=True)),
            bids_within=tuple(bids),
            asks_within=tuple(asks),
        )

    @property
    def crossed(self) -> bool:
        """Whether the best bid stands at or above the best ask, which no sound book does."""
        bids, asks = self._count.tolist()
        return bool(bids and asks and self._prices[0, bids - 1] >= self._prices[1, asks - 1])

    def levels(self, side: int, count: int | None = None) -> FloatArray:
        """The best ``count`` levels of a side (all without one), best first. Shape (levels, 2): price, quantity."""
        row = 0 if side == BID else 1
        end = int(self._count[row])
        begin = 0 if count is None else max(0, end - count)
        return np.column_stack([self._prices[row, begin:end][::-1], self._sizes[row, begin:end][::-1]])

    def keep_best(self, count: int) -> None:
        """Drop all but the best ``count`` levels a side, as a venue does that streams a book of fixed depth."""
        for row in (0, 1):
            end = int(self._count[row])
            if end > count:
                self._prices[row, :count] = self._prices[row, end - count : end].copy()
                self._sizes[row, :count] = self._sizes[row, end - count : end].copy()
                self._count[row] = count

    @staticmethod
    def _sound(side: SideArray, price: FloatArray, size: FloatArray) -> None:
        if not len(side) == len(price) == len(size):
            raise DataError(f"{len(side)} sides, {len(price)} prices and {len(size)} sizes; expected as many of each")
        if not len(side):
            return
        if not (price.min() > 0 and size.min() >= 0 and price.max() < np.inf and size.max() < np.inf):
            raise DataError("a book change has a price that is not above zero or a size that is no quantity")

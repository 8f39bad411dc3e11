"""The compiled part of a book: two sides of sorted price levels, changed level by level.

Each side is a pair of arrays with the worst level first and the best one last, as most changes fall near the best:
bids ascend, asks descend. ``count`` has shape (2,): how many levels of bids and of asks stand. ``sign`` is +1 for bids
and -1 for asks; a price times its sign ascends on either side.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
SideArray = NDArray[np.int8]

TOP_FIELDS = 5  # best bid, its quantity, best ask, its quantity, microprice


@njit(cache=True, nogil=True)
def _place(prices: FloatArray, count: int, key: float, sign: float) -> int:
    """Where a level of ``key`` (price times sign) stands or would stand."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if prices[middle] * sign < key:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _set_level(prices: FloatArray, sizes: FloatArray, count: int, sign: float, price: float, size: float) -> int:
    """Set one level to ``size``, or take it away at 0. The new count. A full side loses its worst level."""
    at = _place(prices, count, price * sign, sign)
    found = at < count and prices[at] == price
    if size == 0.0:
        if not found:
            return count
        for index in range(at, count - 1):
            prices[index] = prices[index + 1]
            sizes[index] = sizes[index + 1]
        return count - 1
    if found:
        sizes[at] = size
        return count
    if count == len(prices):
        if at == 0:
            return count
        for index in range(at - 1):
            prices[index] = prices[index + 1]
            sizes[index] = sizes[index + 1]
        prices[at - 1] = price
        sizes[at - 1] = size
        return count
    for index in range(count, at, -1):
        prices[index] = prices[index - 1]
        sizes[index] = sizes[index - 1]
    prices[at] = price
    sizes[at] = size
    return count + 1


@njit(cache=True, nogil=True)
def set_levels(
    prices: FloatArray, sizes: FloatArray, count: IntArray, side: SideArray, price: FloatArray, size: FloatArray
) -> None:
    """Apply changes in order. ``prices`` and ``sizes`` have shape (2, capacity); ``side`` is +1 bid, -1 ask."""
    for row in range(len(side)):
        if side[row] > 0:
            count[0] = _set_level(prices[0], sizes[0], count[0], 1.0, price[row], size[row])
        else:
            count[1] = _set_level(prices[1], sizes[1], count[1], -1.0, price[row], size[row])


@njit(cache=True, nogil=True)
def write_top(
    prices: FloatArray, sizes: FloatArray, count: IntArray, depths: IntArray, top: FloatArray, within: FloatArray
) -> None:
    """Fill ``top`` (TOP_FIELDS,), and ``within`` (2, depths) with the quantity of the best levels: bids, then asks.

    NaN where a side is empty. ``depths`` ascend.
    """
    bids, asks = count[0], count[1]
    top[:] = np.nan
    within[:] = np.nan
    if bids > 0:
        top[0] = prices[0, bids - 1]
        top[1] = sizes[0, bids - 1]
    if asks > 0:
        top[2] = prices[1, asks - 1]
        top[3] = sizes[1, asks - 1]
    if bids == 0 or asks == 0:
        return
    top[4] = (top[0] * top[3] + top[2] * top[1]) / (top[1] + top[3])
    bought, sold, level = 0.0, 0.0, 0
    for index in range(len(depths)):
        while level < depths[index]:
            if level < bids:
                bought += sizes[0, bids - 1 - level]
            if level < asks:
                sold += sizes[1, asks - 1 - level]
            level += 1
        within[0, index] = bought
        within[1, index] = sold


@njit(cache=True, nogil=True)
def replay_messages(
    prices: FloatArray,
    sizes: FloatArray,
    count: IntArray,
    side: SideArray,
    price: FloatArray,
    size: FloatArray,
    ends: IntArray,
    depths: IntArray,
    tops: FloatArray,
    within: FloatArray,
) -> None:
    """Apply messages one after the other and write the top after each. ``ends[i]`` is where message i ends."""
    begin = 0
    for message in range(len(ends)):
        end = ends[message]
        set_levels(prices, sizes, count, side[begin:end], price[begin:end], size[begin:end])
        write_top(prices, sizes, count, depths, tops[message], within[message])
        begin = end

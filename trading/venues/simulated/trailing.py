"""The best price a trailing stop has seen, read off the tape: nothing is kept, so a restart knows it again."""

import numpy as np

from trading.domain.intent import Side
from trading.domain.order import Order
from trading.marketdata.tape import FloatArray, Tape


def best_before(tape: Tape, order: Order, row: int) -> float:
    """The best price of ``order`` known when bar ``row`` opens, its open included; NaN where there is none.

    The bar in which the order arrived counts with its close alone: its extreme may have been printed before.
    """
    line = tape.index[order.instrument]
    pick = np.fmax if order.side is Side.SELL else np.fmin
    extremes = tape.high if order.side is Side.SELL else tape.low
    first = int(np.searchsorted(tape.open_ms, order.arrives_ms, side="left"))
    seen = float(tape.open[line, row])
    if first < row:
        seen = float(pick(seen, pick.reduce(extremes[line, first:row])))
    if 0 < first <= row and order.arrives_ms < int(tape.open_ms[first - 1]) + tape.step_ms:
        seen = float(pick(seen, tape.close[line, first - 1]))
    return seen


def best_path(tape: Tape, order: Order, row: int, end: int) -> FloatArray:
    """The same for every bar of ``row .. end - 1``, without their own opens."""
    line = tape.index[order.instrument]
    selling = order.side is Side.SELL
    pick = np.fmax if selling else np.fmin
    extremes = tape.high if selling else tape.low
    start = best_before(tape, order, row)
    path: FloatArray = pick.accumulate(np.concatenate([[start], extremes[line, row : end - 1]]))
    return path

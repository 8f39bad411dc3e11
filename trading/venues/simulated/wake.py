"""When the simulated venue must be asked again: the first bar on which something may happen.

It may wake the kernel too often, never too seldom.
"""

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from trading.domain.instrument import Instrument
from trading.domain.intent import OrderType, Side, TimeInForce
from trading.domain.order import Order
from trading.ledger.account import DeskAccount
from trading.marketdata.tape import Tape
from trading.venues.simulated.margin import safe_move
from trading.venues.simulated.trailing import best_path

DAY_MS = 86_400_000

LEAST_MOVE = 1e-9
"""An account that can bear less than this is below its margin already, as far as floats can tell, moving or not."""


def order_due(tape: Tape, order: Order, row: int, end: int, *, triggered: bool, started: bool) -> int:
    """The first bar of ``row .. end - 1`` that may touch the order, else ``end``. ``started``: it filled in part."""
    arrives = max(row, int(np.searchsorted(tape.open_ms, order.arrives_ms - tape.step_ms, side="right")))
    if order.expires_ms is not None:
        end = min(end, max(row, int(np.searchsorted(tape.open_ms, order.expires_ms, side="left"))))
    if arrives >= end:
        return end
    at_once = order.order_type is OrderType.MARKET or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    if at_once or started or order.arrives_ms >= int(tape.open_ms[arrives]):
        return arrives
    touched = _touched(tape, order, row, end, triggered=triggered)
    return row + int(np.argmax(touched)) if touched.any() else end


def _touched(tape: Tape, order: Order, row: int, end: int, *, triggered: bool) -> np.ndarray:
    line = tape.index[order.instrument]
    low, high = tape.low[line, row:end], tape.high[line, row:end]
    buys = order.side is Side.BUY
    if order.order_type is OrderType.TRAILING_STOP:
        assert order.trail is not None
        best = best_path(tape, order, row, end)
        opens, trail = tape.open[line, row:end], float(order.trail)
        if buys:
            return high >= np.fmin(best, opens) * (1 + trail) * (1 - 1e-9)
        return low <= np.fmax(best, opens) * (1 - trail) * (1 + 1e-9)
    waits = order.order_type.waits and not triggered
    price = order.trigger_price if waits else order.limit_price
    assert price is not None
    downward = buys if not waits else buys == (order.order_type is OrderType.TAKE_PROFIT)
    return low <= float(price) if downward else high >= float(price)


def borrow_due(tape: Tape, row: int, end: int) -> int:
    """The first bar that closes a UTC day or later: when interest on borrowed cash falls due."""
    before = int(tape.open_ms[row - 1]) + tape.step_ms if row else int(tape.open_ms[row])
    next_day = before // DAY_MS * DAY_MS + DAY_MS
    return min(end, max(row, int(np.searchsorted(tape.open_ms, next_day - tape.step_ms, side="left"))))


def account_due(
    tape: Tape,
    account: DeskAccount,
    row: int,
    end: int,
    instruments: Mapping[str, Instrument],
    isolated_leverage: Decimal | None,
) -> int:
    """The first bar of ``row .. end - 1`` that settles funding or may liquidate, else ``end``."""
    due = end
    prices: dict[str, float] = {}
    for symbol in account.positions:
        line = tape.index[symbol]
        last = int(tape.last_row[line, row - 1]) if row else -1
        prices[symbol] = float(tape.close[line, last] if last >= 0 else tape.open[line, row])
        rates = tape.funding.get(symbol)
        if rates is not None and len(rates.ts_ms):
            after = int(tape.open_ms[row - 1]) + tape.step_ms if row else int(tape.open_ms[row])
            settled = int(np.searchsorted(rates.ts_ms, after, side="left"))
            if settled < len(rates.ts_ms):
                next_ms = int(rates.ts_ms[settled])
                due = min(due, max(row, int(np.searchsorted(tape.open_ms, next_ms - tape.step_ms, side="right"))))
    leverage = isolated_leverage
    move = safe_move(account, prices, instruments, isolated_leverage=None if leverage is None else float(leverage))
    if move == float("inf"):
        return due
    if move < LEAST_MOVE:
        return row
    for symbol, price in prices.items():
        line = tape.index[symbol]
        left = (tape.low[line, row:due] < price * (1 - move)) | (tape.high[line, row:due] > price * (1 + move))
        if left.any():
            due = row + int(np.argmax(left))
    return due

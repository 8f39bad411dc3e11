"""What positions held now would have returned over every past horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from trading.domain import AccountView, duration_text
from trading.domain.errors import BadArguments, Unavailable
from trading.domain.money import ZERO
from trading.marketdata import Bars, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonReturns:
    """Overlapping simple returns of one instrument over a horizon of ``steps`` bars.

    ``start_ms`` and ``returns`` have shape (n,), oldest first; ``start_ms`` is the opening time of the bar at
    whose close the return starts. Where the bar at either end is missing there is no return.
    """

    instrument: str
    steps: int
    start_ms: IntArray
    returns: FloatArray


def position_weights(
    account: AccountView, changes: Mapping[str, Decimal], prices: Mapping[str, float]
) -> dict[str, float]:
    """Signed value of each position after ``changes`` (base units) as a fraction of equity.

    What is held is valued at its mark, the rest at ``prices``. Raises Unavailable when there is no equity to
    measure against, or no price.
    """
    if account.equity <= 0:
        raise Unavailable(f"the account has no equity left ({account.equity}), so nothing can be a fraction of it")
    equity = float(account.equity)
    weights = {}
    for symbol in dict.fromkeys((*account.positions, *changes)):
        held = account.positions.get(symbol)
        quantity = float((held.quantity if held else ZERO) + changes.get(symbol, ZERO))
        mark = account.marks.get(symbol)
        price = prices.get(symbol) if mark is None else float(mark)
        if price is None and quantity:
            raise Unavailable(f"{symbol} has no price yet")
        weights[symbol] = quantity * (price or 0.0) / equity
    return weights


def horizon_returns(bars: Bars, horizon_ms: int) -> HorizonReturns:
    """Every overlapping return of ``bars`` over ``horizon_ms``. BadArguments unless it is a whole number of bars."""
    steps, rest = divmod(horizon_ms, bars.step_ms)
    if rest or steps < 1:
        raise BadArguments(
            f"horizon of {horizon_ms / 1000:g} s: expected a whole number of bars of {duration_text(bars.step_ms)}"
        )
    opened, close = bars.open_ms, bars.close
    gapless = len(opened) > steps and int(opened[-1] - opened[0]) == (len(opened) - 1) * bars.step_ms
    starts: slice | IntArray
    ends: slice | IntArray
    if gapless:
        starts, ends = slice(None, -steps), slice(steps, None)
    else:
        _, starts, ends = np.intersect1d(opened + horizon_ms, opened, assume_unique=True, return_indices=True)
    returns = close[ends] / close[starts] - 1
    return HorizonReturns(instrument=bars.instrument, steps=steps, start_ms=opened[starts], returns=returns)


def returns_of_positions(weights: Mapping[str, float], history: Mapping[str, HorizonReturns]) -> FloatArray:
    """Returns of the whole over each past horizon that every held instrument has. Shape (n,), oldest first.

    ``weights`` are signed position values as fractions of equity, constant over the horizon (spot and linear
    perpetuals); what is not invested earns nothing. Raises Unavailable for a held instrument without history.
    """
    held = {symbol: weight for symbol, weight in weights.items() if weight}
    missing = [symbol for symbol in held if symbol not in history]
    if missing:
        raise Unavailable(f"no returns are known of {', '.join(missing)}")
    if not held:
        return np.empty(0)
    _, table = aligned_returns(list(held), history)
    total = np.zeros(len(table))
    for weight, column in zip(held.values(), table.T, strict=True):
        total += weight * column
    return total


def aligned_returns(symbols: Sequence[str], history: Mapping[str, HorizonReturns]) -> tuple[IntArray, FloatArray]:
    """The instants at which every one of ``symbols`` has a return, shape (n,), and the returns, (n, symbols).

    ``symbols`` names one instrument at least, each with returns in ``history``.
    """
    series = [history[symbol] for symbol in symbols]
    shared = series[0].start_ms
    if all(len(one.start_ms) == len(shared) and bool((one.start_ms == shared).all()) for one in series[1:]):
        return shared, np.stack([one.returns for one in series], axis=1)
    for one in series[1:]:
        shared = np.intersect1d(shared, one.start_ms, assume_unique=True)
    return shared, np.stack([one.returns[np.searchsorted(one.start_ms, shared)] for one in series], axis=1)

"""What the ticks of a live feed say bar by bar, taken one at a time: the same numbers as over stored ticks."""

import math
from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np

from trading.marketdata.books import Top
from trading.marketdata.tape import FloatArray, IntArray
from trading.marketdata.ticks.bars import covered_bars, interest_column
from trading.marketdata.ticks.coverage import Coverage
from trading.marketdata.ticks.kinds import TickKind, ticks_of
from trading.marketdata.ticks.store import KnownTicks

KEPT_BARS = 5_000

_AT_CLOSE = ("bid", "ask", *(f"{side}_size_{levels}" for levels in (1, 5, 10, 20) for side in ("bid", "ask")))


class RunningTicks:
    """Sums and states of one instrument for each bar of ``step_ms``. Instants are the venue's."""

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._trades: dict[int, list[float]] = {}  # bought, sold, count, unsaid
        self._flow: dict[int, float] = {}
        self._state: dict[int, tuple[float, ...]] = {}
        self._interest: dict[int, tuple[int, float]] = {}
        self._before: tuple[float, float, float, float] | None = None
        self._quoted_ms = 0
        self.coverage = {kind: Coverage() for kind in (TickKind.TRADES, TickKind.BBO)}

    def trade(self, ts_ms: int, quantity: float, sign: int | None) -> None:
        """A public trade; ``sign`` +1 where the buyer took, -1 where the seller did, None where it was not said."""
        self.coverage[TickKind.TRADES].heard(ts_ms)
        sums = self._trades.setdefault(self._bar(ts_ms), [0.0, 0.0, 0.0, 0.0])
        sums[{1: 0, -1: 1}.get(sign or 0, 3)] += quantity if sign else 1.0
        sums[2] += 1.0
        _forget(self._trades)

    def top(self, ts_ms: int, top: Top) -> None:
        """The best levels of a good book. One that is older than the last is not the state any more."""
        if ts_ms < self._quoted_ms:
            return
        self._quoted_ms = ts_ms
        self.coverage[TickKind.BBO].heard(ts_ms)
        bar, now = self._bar(ts_ms), (top.bid, top.bid_size, top.ask, top.ask_size)
        self._flow[bar] = self._flow.get(bar, 0.0) + (_event(self._before, now) if self._before else 0.0)
        self._before = now
        sizes = (size for pair in zip(top.bids_within, top.asks_within, strict=True) for size in pair)
        self._state[bar] = (top.bid, top.ask, *sizes)
        _forget(self._flow)
        _forget(self._state)

    def interest(self, ts_ms: int, base: float) -> None:
        """Open interest in base units."""
        self._interest[self._bar(ts_ms)] = (ts_ms, base)
        _forget(self._interest)

    def broke(self, kind: TickKind) -> None:
        """The stream may have missed something since its last tick."""
        self.coverage[kind].broke()
        if kind is TickKind.BBO:
            self._before = None

    def columns(self, open_ms: IntArray, until_ms: int) -> Mapping[str, FloatArray]:
        """The columns of a feature frame for bars that open at ``open_ms``.

        NaN where a tick may have been missed, or may come yet, which is so after ``until_ms``.
        """
        known = {kind: covered_bars(of.spans(until_ms), open_ms, self._step_ms) for kind, of in self.coverage.items()}
        found: dict[str, FloatArray] = {}
        if self._trades:
            nothing = [0.0, 0.0, 0.0, 0.0]
            sums = np.array([self._trades.get(at, nothing) for at in open_ms.tolist()]).reshape(len(open_ms), 4)
            there, said = known[TickKind.TRADES], sums[:, 3] == 0
            found["buy_volume"] = np.where(there & said, sums[:, 0], np.nan)
            found["sell_volume"] = np.where(there & said, sums[:, 1], np.nan)
            found["trade_count"] = np.where(there, sums[:, 2], np.nan)
        if self._state:
            there = known[TickKind.BBO]
            bars = np.array(sorted(self._state), np.int64)
            states = np.array([self._state[at] for at in bars.tolist()])
            row = np.searchsorted(bars, open_ms, side="right") - 1
            there = there & (row >= 0)
            for place, name in enumerate(_AT_CLOSE):
                found[name] = np.where(there, states[np.maximum(row, 0), place], np.nan)
            flow = np.array([self._flow.get(at, 0.0) for at in open_ms.tolist()])
            found["order_flow"] = np.where(there, flow, np.nan)
        if self._interest:
            told = sorted(self._interest.values())
            ticks = ticks_of(TickKind.OPEN_INTEREST, [ts for ts, _ in told], {"base": [base for _, base in told]})
            found |= interest_column(KnownTicks(ticks=ticks, covered=()), open_ms, self._step_ms)
        return found

    def _bar(self, ts_ms: int) -> int:
        return ts_ms // self._step_ms * self._step_ms


def _event(before: tuple[float, float, float, float], now: tuple[float, float, float, float]) -> float:
    """The order-flow imbalance of one change: see :func:`trading.marketdata.ticks.bars.order_flow`."""
    bid0, bid_size0, ask0, ask_size0 = before
    bid, bid_size, ask, ask_size = now
    bought = bid_size * (bid >= bid0) - bid_size0 * (bid <= bid0)
    sold = ask_size * (ask <= ask0) - ask_size0 * (ask >= ask0)
    return math.fsum((bought, -sold))


def _forget(bars: MutableMapping[int, Any]) -> None:
    """Keep the newest bars only."""
    while len(bars) > KEPT_BARS:
        del bars[min(bars)]

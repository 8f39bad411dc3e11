"""What ticks say bar by bar: the state of the book at each close, and the trades and the order flow within.

A bar is known only where no tick of it was missed. Ticks at the instant of a close belong to the next bar.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.marketdata.books.book import OrderBook
from trading.marketdata.store.spans import Span
from trading.marketdata.tape import FloatArray, FundingRates, IntArray
from trading.marketdata.ticks.kinds import DEEPER, TickKind
from trading.marketdata.ticks.store import KnownTicks, TickKey, TickStore
from trading.marketdata.view import Bars

INTEREST_STANDS_MS = 600_000
"""Open interest is told every few minutes; after ten, what was said last is not the present."""

FUNDING_BACK_MS = 40 * 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """Best levels one after the other: columns as in :data:`COLUMNS` of best bid and ask, and where none was missed."""

    ts_ms: IntArray
    columns: Mapping[str, FloatArray]
    covered: tuple[Span, ...]


def order_flow(bid: FloatArray, bid_size: FloatArray, ask: FloatArray, ask_size: FloatArray) -> FloatArray:
    """Order-flow imbalance event of each quote against the one before it, in units of size; the first has none: NaN.

    e = q_bid [bid >= bid'] - q_bid' [bid <= bid'] - q_ask [ask <= ask'] + q_ask' [ask >= ask'], primes for before
    (Cont, Kukanov and Stoikov, "The Price Impact of Order Book Events", 2014, eq. 3).
    """
    found = np.full(len(bid), np.nan)
    up, down = bid[1:] >= bid[:-1], bid[1:] <= bid[:-1]
    below, above = ask[1:] <= ask[:-1], ask[1:] >= ask[:-1]
    found[1:] = bid_size[1:] * up - bid_size[:-1] * down - ask_size[1:] * below + ask_size[:-1] * above
    return found


def trade_columns(trades: KnownTicks, open_ms: IntArray, step_ms: int) -> dict[str, FloatArray]:
    """Bought and sold volume by aggressor and the number of trades of each bar; NaN where it is not known.

    A bar with a trade whose aggressor was not said has no volumes by aggressor.
    """
    begin, end = _rows_within(trades.ticks.ts_ms, open_ms, step_ms)
    known = covered_bars(trades.covered, open_ms, step_ms)
    sign, quantity = trades.ticks["sign"], trades.ticks["quantity"]
    unsaid = _sums((sign == 0).astype(float), begin, end) > 0
    columns = {
        "buy_volume": np.where(unsaid, np.nan, _sums(np.where(sign > 0, quantity, 0.0), begin, end)),
        "sell_volume": np.where(unsaid, np.nan, _sums(np.where(sign < 0, quantity, 0.0), begin, end)),
        "trade_count": (end - begin).astype(np.float64),
    }
    return {name: np.where(known, column, np.nan) for name, column in columns.items()}


def quote_columns(quotes: Quotes, open_ms: IntArray, step_ms: int, names: Sequence[str]) -> dict[str, FloatArray]:
    """The columns ``names`` of the last quote before each close; NaN where the bar is not known."""
    last = np.searchsorted(quotes.ts_ms, open_ms + step_ms, side="left") - 1
    known = covered_bars(quotes.covered, open_ms, step_ms) & (last >= 0)
    found = {}
    for name in names:
        column = np.full(len(open_ms), np.nan)
        column[known] = quotes.columns[name][last[known]]
        found[name] = column
    return found


def flow_columns(quotes: Quotes, open_ms: IntArray, step_ms: int) -> dict[str, FloatArray]:
    """The bar's sum of order-flow imbalance; NaN where it is not known."""
    columns = quotes.columns
    events = order_flow(columns["bid"], columns["bid_size"], columns["ask"], columns["ask_size"])
    begin, end = _rows_within(quotes.ts_ms, open_ms, step_ms)
    known = covered_bars(quotes.covered, open_ms, step_ms)
    return {"order_flow": np.where(known, _sums(np.nan_to_num(events), begin, end), np.nan)}


def quotes_of_book(levels: KnownTicks) -> Quotes:
    """The best levels after each message of a recorded book, with the sizes of the first 5, 10 and 20."""
    rows = levels.ticks
    last = np.flatnonzero(np.append(np.diff(rows["update_id"]) != 0, True)) if len(rows) else np.empty(0, np.int64)
    starts = np.flatnonzero(np.diff(rows["snapshot"], prepend=0) == 1)
    parts = []
    for begin, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        ends = last[(last >= begin) & (last < end)] + 1
        cut = slice(int(begin), int(end))
        tops = OrderBook().replay(rows["side"][cut], rows["price"][cut], rows["quantity"][cut], ends - begin)
        deeper = {
            name: side[:, place]
            for place in (1, 2, 3)
            for name, side in zip(DEEPER[2 * place - 2 : 2 * place], (tops.bids_within, tops.asks_within), strict=True)
        }
        best = {"bid": tops.bid, "bid_size": tops.bid_size, "ask": tops.ask, "ask_size": tops.ask_size}
        parts.append((rows.ts_ms[ends - 1], best | deeper))
    names = ("bid", "bid_size", "ask", "ask_size", *DEEPER)
    return Quotes(
        ts_ms=np.concatenate([np.empty(0, np.int64), *(ts_ms for ts_ms, _ in parts)]),
        columns={name: np.concatenate([np.empty(0), *(columns[name] for _, columns in parts)]) for name in names},
        covered=levels.covered,
    )


def interest_column(interest: KnownTicks, open_ms: IntArray, step_ms: int) -> dict[str, FloatArray]:
    """Open interest as it was last told before each close, NaN once that is ten minutes and a bar ago."""
    close_ms = open_ms + step_ms
    last = np.searchsorted(interest.ticks.ts_ms, close_ms, side="left") - 1
    found = np.full(len(open_ms), np.nan)
    there = last >= 0
    age_ms = close_ms[there] - interest.ticks.ts_ms[last[there]]
    fresh = age_ms <= max(step_ms, INTEREST_STANDS_MS)
    found[there] = np.where(fresh, interest.ticks["base"][last[there]], np.nan)
    return {"open_interest": found}


class StoredTicks:
    """The ticks of one instrument at one venue of a store."""

    def __init__(self, store: TickStore, venue: str, symbol: str) -> None:
        self._store, self._venue, self._symbol = store, venue, symbol

    def columns(self, open_ms: IntArray, step_ms: int) -> dict[str, FloatArray]:
        """What is known beside bars that open at ``open_ms``, by the names of the feature frame; columns of nothing
        that is stored are left out.

        Best bid and ask come from their own ticks, which know every change, else from the book; what lies deeper comes
        from the book where one is stored.
        """
        if not len(open_ms):
            return {}
        span = Span(int(open_ms[0]) - step_ms, int(open_ms[-1]) + step_ms)
        found: dict[str, FloatArray] = {}
        trades = self._read(TickKind.TRADES, span)
        if len(trades.ticks):
            found |= trade_columns(trades, open_ms, step_ms)
        best, levels = self._read(TickKind.BBO, span), self._read(TickKind.L2, _from_snapshot(span))
        book = quotes_of_book(levels) if len(levels.ticks) else None
        quotes = _quotes(best) if len(best.ticks) else book
        if quotes is not None:
            at_close = quote_columns(quotes, open_ms, step_ms, ("bid", "bid_size", "ask", "ask_size"))
            found |= {"bid": at_close["bid"], "ask": at_close["ask"]}
            found |= {"bid_size_1": at_close["bid_size"], "ask_size_1": at_close["ask_size"]}
            found |= flow_columns(quotes, open_ms, step_ms)
            found |= quote_columns(book or quotes, open_ms, step_ms, DEEPER)
        interest = self._read(TickKind.OPEN_INTEREST, span)
        if len(interest.ticks):
            found |= interest_column(interest, open_ms, step_ms)
        return found

    def funding(self, begin_ms: int, end_ms: int) -> FundingRates:
        """The rates settled from ``begin_ms`` to ``end_ms``, both included."""
        known = self._read(TickKind.FUNDING, Span(begin_ms, end_ms + 1)).ticks
        return FundingRates(ts_ms=known.ts_ms, rate=known["rate"])

    def bars(self, begin_ms: int, end_ms: int, step_ms: int) -> Bars:
        """Bars of the stored trades that open from ``begin_ms`` on and close by ``end_ms``: those that are known."""
        trades = self._read(TickKind.TRADES, Span(begin_ms, end_ms))
        bars = bars_of_trades(trades, self._symbol, step_ms)
        inside = (bars.open_ms >= begin_ms) & (bars.open_ms + step_ms <= end_ms)
        names = ("open_ms", "open", "high", "low", "close", "volume")
        columns = {name: getattr(bars, name)[inside] for name in names}
        return Bars(instrument=self._symbol, step_ms=step_ms, **columns)

    def _read(self, kind: TickKind, span: Span) -> KnownTicks:
        return self._store.read(TickKey(venue=self._venue, symbol=self._symbol, kind=kind), span)


def bars_of_trades(trades: KnownTicks, symbol: str, step_ms: int) -> Bars:
    """Bars of the trades; one without a trade, or of which a trade may have been missed, is not made."""
    ticks = trades.ticks
    bucket = ticks.ts_ms // step_ms * step_ms
    starts = np.flatnonzero(np.diff(bucket, prepend=bucket[:1] - 1)) if len(bucket) else np.empty(0, np.int64)
    known = covered_bars(trades.covered, bucket[starts], step_ms)
    if not len(starts):
        nothing = np.empty(0)
        columns = dict.fromkeys(("open", "high", "low", "close", "volume"), nothing)
        return Bars(instrument=symbol, step_ms=step_ms, open_ms=np.empty(0, np.int64), **columns)
    ends = np.append(starts[1:], len(bucket))
    price = ticks["price"]
    return Bars(
        instrument=symbol,
        step_ms=step_ms,
        open_ms=bucket[starts][known],
        open=price[starts][known],
        high=np.maximum.reduceat(price, starts)[known],
        low=np.minimum.reduceat(price, starts)[known],
        close=price[ends - 1][known],
        volume=np.add.reduceat(ticks["quantity"], starts)[known],
    )


def covered_bars(covered: Sequence[Span], open_ms: IntArray, step_ms: int) -> NDArray[np.bool_]:
    """Which bars lie in one of the spans with their whole length."""
    found = np.zeros(len(open_ms), np.bool_)
    for span in covered:
        found |= (open_ms >= span.begin_ms) & (open_ms + step_ms <= span.end_ms)
    return found


def _quotes(best: KnownTicks) -> Quotes:
    return Quotes(ts_ms=best.ticks.ts_ms, columns=best.ticks.columns, covered=best.covered)


def _from_snapshot(span: Span) -> Span:
    """A book begins with its snapshot, which lies on the same day or the one before."""
    return Span(span.begin_ms - 86_400_000, span.end_ms)


def _rows_within(ts_ms: IntArray, open_ms: IntArray, step_ms: int) -> tuple[IntArray, IntArray]:
    return np.searchsorted(ts_ms, open_ms), np.searchsorted(ts_ms, open_ms + step_ms)


def _sums(values: FloatArray, begin: IntArray, end: IntArray) -> FloatArray:
    """The sum of ``values`` from ``begin`` up to ``end``, each for itself, so that no rounding is carried along."""
    return np.array([values[a:b].sum() for a, b in zip(begin.tolist(), end.tolist(), strict=True)])

"""What the features of one instrument are computed from: its bars and what was known beside them, bar by bar."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from trading.domain.instrument import parse_symbol
from trading.features.feature import COLUMNS, Input
from trading.marketdata import Bars, FloatArray, FundingRates, IntArray, MarketView

_FUNDING_STANDS_MS = 24 * 3_600_000
"""A settled rate older than this is not the standing one: its recording has ended or has a hole."""

_KNOWN_COLUMNS = frozenset(column for columns in COLUMNS.values() for column in columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureFrame:
    """Columns of one instrument, each of shape (bars,), oldest first; ``open_ms`` strictly increases.

    NaN marks what is not known, a column that is not there is not known at all, and a missing bar is a missing row:
    nothing reaches over any of them. Which columns there are is told by :data:`trading.features.feature.COLUMNS`.
    """

    instrument: str
    step_ms: int
    open_ms: IntArray
    columns: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.columns) - _KNOWN_COLUMNS)
        if unknown:
            raise ValueError(f"no feature reads a column {unknown[0]!r}; they read {', '.join(sorted(_KNOWN_COLUMNS))}")
        wrong = [name for name, column in self.columns.items() if column.shape != self.open_ms.shape]
        if wrong:
            raise ValueError(f"column {wrong[0]!r} must hold one value for each of the {len(self)} bars")
        if len(self) > 1 and int(np.diff(self.open_ms).min()) < self.step_ms:
            raise ValueError("bars must open at least one step apart, in order")

    def __len__(self) -> int:
        return len(self.open_ms)

    def rows(self, begin: int, end: int) -> "FeatureFrame":
        """The same frame from row ``begin`` up to but without ``end``."""
        return FeatureFrame(
            instrument=self.instrument,
            step_ms=self.step_ms,
            open_ms=self.open_ms[begin:end],
            columns={name: column[begin:end] for name, column in self.columns.items()},
        )


@runtime_checkable
class KnowsTicks(Protocol):
    """A market view that knows more of an instrument than its bars: its book, trades, open interest, news."""

    def beside(self, symbol: str, open_ms: IntArray) -> Mapping[str, FloatArray]:
        """Columns of :data:`trading.features.feature.COLUMNS` for the bars that open at ``open_ms``, NaN where not
        known; columns of which nothing is known are left out."""
        ...


def step_returns(frame: FeatureFrame, column: str = "close") -> FloatArray:
    """Log return of each bar but the first; over missing bars, divided by the square root of the steps it took."""
    steps = np.maximum(1, np.diff(frame.open_ms) // frame.step_ms)
    found: FloatArray = np.diff(np.log(frame.columns[column])) / np.sqrt(steps)
    return found


def frame_of(view: MarketView, symbol: str, *, bars: int, reference: str | None = None) -> FeatureFrame:
    """The last ``bars`` bars of ``symbol`` with what the view knows beside them.

    ``reference`` is the instrument that the market is measured by, by default the first one of BTC, else the first.
    Raises Unavailable for an instrument that is not traded there.
    """
    own = view.bars(symbol, bars)
    leader = view.bars(reference or reference_of(view.symbols), bars)
    others = [view.bars(other, bars + 1) for other in view.symbols if other != symbol]
    columns = {name: getattr(own, name) for name in COLUMNS[Input.BARS]}
    columns["open_s"] = own.open_ms / 1000.0
    columns["reference_close"] = _at(own.open_ms, leader.open_ms, leader.close)
    columns |= _peer_columns(own.open_ms, others)
    columns["funding_rate"] = _standing(own.open_ms + own.step_ms, view.funding(symbol, bars + 1))
    if isinstance(view, KnowsTicks):
        columns |= view.beside(symbol, own.open_ms)
    return FeatureFrame(instrument=symbol, step_ms=own.step_ms, open_ms=own.open_ms, columns=columns)


def reference_of(symbols: tuple[str, ...]) -> str:
    """The instrument that a market is measured by: the first one of BTC, else the first."""
    return next((symbol for symbol in symbols if parse_symbol(symbol)[0] == "BTC"), symbols[0])


def _at(wanted_ms: IntArray, open_ms: IntArray, values: FloatArray) -> FloatArray:
    """``values`` at the bars that open at ``wanted_ms``, NaN where there is none."""
    found = np.full(len(wanted_ms), np.nan)
    if len(open_ms):
        row = np.minimum(np.searchsorted(open_ms, wanted_ms), len(open_ms) - 1)
        there = open_ms[row] == wanted_ms
        found[there] = values[row[there]]
    return found


def _peer_columns(open_ms: IntArray, others: list[Bars]) -> dict[str, FloatArray]:
    if not others:
        return {}
    moves = np.stack([_at(open_ms, other.open_ms, _one_bar_returns(other)) for other in others])
    known = ~np.isnan(moves)
    count = np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    average = np.where(known, moves, 0.0).sum(axis=0) / count
    spread = np.where(known, (moves - average) ** 2, 0.0).sum(axis=0) / count
    return {
        "peers_return": average,
        "peers_rising": (known & (moves > 0)).sum(axis=0) / count,
        "peers_dispersion": np.sqrt(spread),
    }


def _one_bar_returns(bars: Bars) -> FloatArray:
    """Log return of each bar from the bar before it; NaN where that is missing."""
    moves = np.full(len(bars), np.nan)
    follows = np.diff(bars.open_ms) == bars.step_ms
    moves[1:] = np.where(follows, np.diff(np.log(bars.close)), np.nan)
    return moves


def _standing(close_ms: IntArray, rates: FundingRates) -> FloatArray:
    """The rate settled last at each instant, NaN before the first and long after the last."""
    found = np.full(len(close_ms), np.nan)
    if len(rates.ts_ms):
        row = np.searchsorted(rates.ts_ms, close_ms, side="right") - 1
        stands = (row >= 0) & (close_ms - rates.ts_ms[np.maximum(row, 0)] <= _FUNDING_STANDS_MS)
        found[stands] = rates.rate[row[stands]]
    return found

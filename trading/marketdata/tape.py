"""The tape: candles of several instruments on one time grid, and the funding of those that pay it.

A tape holds a whole recording, so it is for engines and loaders alone. Whoever decides gets a
:class:`~trading.marketdata.view.MarketView`, which ends at its ``as_of``.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRates:
    """Settled funding of a perpetual: ``rate`` (fraction of notional, longs pay when positive) at ``ts_ms``."""

    ts_ms: IntArray
    rate: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TextScores:
    """Texts about an instrument: ``score`` (-1 to 1) of each, known from ``known_ms`` on, which never falls."""

    known_ms: IntArray
    score: FloatArray


@dataclass(frozen=True, kw_only=True)
class Tape:
    """Candles on a grid of bar opens.

    ``open_ms`` has shape (bars,), strictly increasing, in steps of at least ``step_ms``; the price and volume arrays
    have shape (instruments, bars) in the order of ``symbols`` and hold NaN where an instrument has no bar.
    ``source`` is ``"replay"`` or ``"simulated"`` and is shown wherever the data is.
    """

    symbols: tuple[str, ...]
    step_ms: int
    open_ms: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    source: str
    funding: Mapping[str, FundingRates] = field(default_factory=lambda: MappingProxyType({}))
    texts: Mapping[str, TextScores] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        shape = (len(self.symbols), len(self.open_ms))
        for name in ("open", "high", "low", "close", "volume"):
            found = getattr(self, name).shape
            if found != shape:
                raise ValueError(f"tape column {name!r} has shape {found}, expected {shape}")
        if len(self.open_ms) > 1 and int(np.diff(self.open_ms).min()) < self.step_ms:
            raise ValueError("bars of a tape must open at least one step apart, in order")

    def __len__(self) -> int:
        return len(self.open_ms)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Row of each symbol in the arrays."""
        return MappingProxyType({symbol: row for row, symbol in enumerate(self.symbols)})

    @cached_property
    def last_row(self) -> IntArray:
        """For each instrument and bar, the latest bar not after it that the instrument has; -1 before its first.

        Shape (instruments, bars).
        """
        present = ~np.isnan(self.close)
        rows = np.where(present, np.arange(len(self), dtype=np.int64), -1)
        return np.maximum.accumulate(rows, axis=1)

    @cached_property
    def gapless(self) -> tuple[bool, ...]:
        """For each instrument, whether it has every bar of the grid."""
        return tuple(not bool(np.isnan(row).any()) for row in self.close)

    @cached_property
    def sha256(self) -> str:
        """Digest of everything on the tape: symbols, grid, prices, volumes, funding and texts."""
        digest = hashlib.sha256(f"{self.symbols}|{self.step_ms}|{self.source}".encode())
        for array in (self.open_ms, self.open, self.high, self.low, self.close, self.volume):
            digest.update(np.ascontiguousarray(array).tobytes())
        for symbol in sorted(self.funding):
            rates = self.funding[symbol]
            digest.update(symbol.encode() + rates.ts_ms.tobytes() + rates.rate.tobytes())
        for symbol in sorted(self.texts):
            told = self.texts[symbol]
            digest.update(b"texts" + symbol.encode() + told.known_ms.tobytes() + told.score.tobytes())
        return digest.hexdigest()

    def bars_known_at(self, as_of_ms: int) -> int:
        """How many bars of the grid have closed at ``as_of_ms``."""
        return int(np.searchsorted(self.open_ms, as_of_ms - self.step_ms, side="right"))

"""The cursor: the market view that the kernel moves forward bar by bar, with the few reads a hot loop needs."""

import math

from trading.marketdata.tape import FloatArray, Tape
from trading.marketdata.view import TapeView


class Cursor(TapeView):
    """A market view that advances. ``at`` is the number of bars known; a strategy sees bars ``0 .. at - 1``.

    :meth:`close` and :meth:`window` take the row of an instrument (``cursor.row("BTC-USDT")``), which a strategy
    looks up once.
    """

    def __init__(self, tape: Tape, at: int = 0) -> None:
        self._tape = tape
        self._closes: list[list[float]] = [line.tolist() for line in tape.close]
        self.at = at

    @property
    def _end(self) -> int:
        return self.at

    @property
    def as_of_ms(self) -> int:
        """Close of the last known bar; 0 before the first."""
        return int(self._tape.open_ms[self.at - 1]) + self._tape.step_ms if self.at else 0

    def row(self, symbol: str) -> int:
        """Row of an instrument, for :meth:`close` and :meth:`window`."""
        return self._row(symbol)

    def close(self, row: int, back: int = 0) -> float:
        """Close ``back`` bars before the last known one; NaN where the instrument has no bar or none is known yet."""
        index = self.at - 1 - back
        return self._closes[row][index] if 0 <= index < self.at else math.nan

    def window(self, row: int, count: int) -> FloatArray:
        """The last ``count`` closes on the grid (fewer when fewer are known), NaN where a bar is missing."""
        return self._tape.close[row, max(0, self.at - count) : self.at].copy()

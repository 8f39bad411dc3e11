"""The past again in another order: blocks of consecutive steps, all assets together."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from trading.marketdata import FloatArray
from trading.risk.measures.series import checked_columns
from trading.stats import optimal_block_length


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockBootstrap:
    """Circular blocks of ``block`` steps of ``history`` (n, assets), centred. Politis and Romano (1992)."""

    history: FloatArray
    block: int

    @classmethod
    def fit(cls, log_returns: FloatArray) -> Self:
        """``log_returns`` (n, assets) in blocks as long as their squares remember. Politis and White (2004)."""
        table = checked_columns(log_returns)
        centred = table - table.mean(axis=0)
        longest = max(optimal_block_length(column**2) for column in centred.T)
        return cls(history=centred, block=max(1, round(longest)))

    def draw(self, *, paths: int, steps: int, rng: np.random.Generator) -> FloatArray:
        """Log returns of shape (paths, steps, assets)."""
        blocks = -(-steps // self.block)
        starts = rng.integers(0, len(self.history), size=(paths, blocks, 1))
        rows = (starts + np.arange(self.block)).reshape(paths, -1)[:, :steps] % len(self.history)
        drawn: FloatArray = self.history[rows]
        return drawn
